"""Facts of Dagster, Polars, DuckDB, delta-rs, msgspec and pandera that no document promises us.

Each test names who relies on it: when one fails after an upgrade, look there.
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import shutil
import struct
import time
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import dagster as dg
import duckdb
import httpcore
import httpx
import msgspec
import pandera.errors
import pandera.polars as pa
import polars as pl
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError
from upath import UPath

from openai_costs.orchestration.event_log import unrecorded
from openai_costs_tests.org import QUIET, calm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONEY = pl.Decimal(38, 18)
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]
RANGE = {
    "dagster/asset_partition_range_start": DAYS[0],
    "dagster/asset_partition_range_end": DAYS[-1],
}


class Ranged:
    """A run over three days: a daily asset with a daily check, and an asset without days."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.calls: list[str] = []
        self.gives_verdicts = True
        with calm():
            self.defs = self._definitions()
        self.result = self.run()

    def run(self) -> dg.ExecuteInProcessResult:
        with calm():
            job = self.defs.resolve_job_def("both")
            return job.execute_in_process(instance=self.instance, tags=RANGE, run_config=QUIET)

    def _definitions(self) -> dg.Definitions:
        days = dg.DailyPartitionsDefinition("2026-11-01", end_offset=1)
        spec = dg.AssetCheckSpec("sound", asset="daily", partitions_def=days)

        @dg.asset(
            partitions_def=days,
            backfill_policy=dg.BackfillPolicy.single_run(),
            check_specs=[spec],
            io_manager_key="nothing",
        )
        def daily(context):  # noqa: ANN001, ANN202 - Dagster reads annotations
            self.calls.append(" to ".join(context.partition_key_range))
            for day in DAYS:
                context.add_asset_metadata({"rows": int(day[-1])}, partition_key=day)
            yield dg.Output(None)
            for day in DAYS if self.gives_verdicts else ():
                passed = day != DAYS[1]
                yield dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey("daily"), check_name="sound", passed=passed, partition=day
                )
            yield dg.Output(None, output_name=spec.get_python_identifier())

        @dg.asset(deps=[daily])
        def whole(context):  # noqa: ANN001, ANN202 - Dagster reads annotations
            self.calls.append(f"whole, {context.run.tags['dagster/asset_partition_range_end']}")

        return dg.Definitions(
            assets=[daily, whole],
            jobs=[dg.define_asset_job("both", selection=[daily, whole])],
            resources={"nothing": Nothing()},
            executor=dg.in_process_executor,
        )


def test_of_steps_that_can_begin_the_one_with_the_highest_priority_does() -> None:
    """outputs/report/assets.py: the page comes after the publication, also one that is red."""
    began: list[str] = []

    @dg.asset(op_tags={"dagster/priority": "-1"})
    def a_page() -> None:
        began.append("page")

    @dg.asset
    def publication() -> None:
        began.append("publication")
        raise dg.Failure("A day is held back.", allow_retries=False)

    with calm():
        defs = dg.Definitions([a_page, publication], executor=dg.in_process_executor)
        job = defs.resolve_implicit_global_asset_job_def()
        job.execute_in_process(raise_on_error=False, run_config=QUIET)
    assert began == ["publication", "page"]


class Nothing(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep nothing."""

    def load_input(self, context: dg.InputContext) -> None:
        """Give nothing."""


@pytest.fixture(scope="module")
def ranged() -> Iterator[Ranged]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Ranged(instance)


def test_range_tags_make_one_run_over_assets_with_and_without_days(ranged: Ranged) -> None:
    """definitions.py: one refresh is one run, whatever the range."""
    assert ranged.result.success
    assert ranged.calls == ["2026-11-01 to 2026-11-03", "whole, 2026-11-03"]
    assert ranged.instance.get_runs_count() == 1
    found = ranged.instance.get_materialized_partitions(dg.AssetKey("daily"))
    assert found == set(DAYS)


def test_a_run_asks_its_event_log_no_more_than_a_list_answers() -> None:
    """event_log.py: `EventList` refuses all other questions, and a run must not ask them."""
    with unrecorded() as instance:
        ran = Ranged(instance)
        instance.get_records_for_run(ran.result.run_id)
    assert ran.result.success


def test_an_instance_in_memory_is_made_of_these_parts() -> None:
    """orchestration/event_log.py: `unrecorded` puts the same together, with storages of its own."""
    parts, runs = [], []
    for instances in (unrecorded(), dg.DagsterInstance.ephemeral()):
        with instances as instance:
            parts.append(
                {
                    name: type(part)
                    for name, part in vars(instance).items()
                    if name not in {"_event_storage", "_run_storage", "_settings"}
                }
            )
            runs.append(instance.run_storage)
    assert parts[0] == parts[1]
    ours, theirs = runs
    assert isinstance(ours, type(theirs))
    assert vars(ours).keys() == vars(theirs).keys()


def test_a_ranged_run_records_a_verdict_per_day(ranged: Ranged) -> None:
    """checks.py: `evaluations` gives each day its verdict, `finished` the check its output."""
    key = dg.AssetCheckKey(dg.AssetKey("daily"), "sound")
    history = ranged.instance.event_log_storage.get_asset_check_execution_history(key, limit=9)
    verdicts = {record.partition: record.status.value for record in history if record.event}
    assert verdicts == {DAYS[0]: "SUCCEEDED", DAYS[1]: "FAILED", DAYS[2]: "SUCCEEDED"}


def test_a_run_that_plans_a_check_and_gives_no_verdict_hides_the_one_before() -> None:
    """unresolved_failures.py: it asks for verdicts, and not for the newest record of a check."""
    key = dg.AssetCheckKey(dg.AssetKey("daily"), "sound")
    with dg.DagsterInstance.ephemeral() as instance:
        ran = Ranged(instance)
        ran.gives_verdicts = False
        ran.run()
        log = instance.event_log_storage
        newest = {one.partition_key: one for one in log.get_asset_check_partition_info([key])}
        assert newest[DAYS[1]].latest_execution_status is Status.PLANNED
        (red,) = log.get_asset_check_execution_history(key, 9, status={Status.FAILED})
        of_the_day = PartitionKeyFilter(key=DAYS[1])
        judged = log.get_asset_check_execution_history(
            key, 9, status={Status.FAILED, Status.SUCCEEDED}, partition_filter=of_the_day
        )
    assert [one.id for one in judged] == [red.id]


def test_a_failed_check_that_blocks_nothing_leaves_the_run_green(ranged: Ranged) -> None:
    """The failure policy: a check judges the data, and the run stays green."""
    assert any(
        not event.asset_check_evaluation_data.passed
        for event in ranged.result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    assert ranged.result.success


def test_a_ranged_run_records_figures_per_day(ranged: Ranged) -> None:
    """orchestration/table_assets.py: `_record` puts each day's rows and dollars on that day."""
    rows = {
        event.partition: event.event_specific_data.materialization.metadata["rows"].value
        for event in ranged.result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey("daily")
    }
    assert rows == {DAYS[0]: 1, DAYS[1]: 2, DAYS[2]: 3}


def test_a_group_name_may_have_a_slash() -> None:
    """sources/openai/assets.py: the group is the folder."""
    assert dg.AssetSpec("one", group_name="sources/openai").group_name == "sources/openai"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.5", "1.5"),
        ("-0.000000000000000001", "-1E-18"),
        ("1e-7", "1E-7"),
        ("2.5E+3", "2500"),
        ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
    ],
)
def test_polars_reads_a_text_as_an_exact_decimal(text: str, amount: str) -> None:
    """kernel/money.py: `exact` casts the plain amounts of a page all at once."""
    assert pl.Series([text]).cast(MONEY).to_list() == [Decimal(amount)]


@pytest.mark.parametrize("text", ["NaN", "inf", "", "abc", "1" + "0" * 20])
def test_polars_gives_null_for_what_is_no_decimal_or_too_large(text: str) -> None:
    """kernel/money.py: a null is looked at again, never taken for nothing."""
    assert pl.Series([text]).cast(MONEY, strict=False).to_list() == [None]


def test_polars_adds_decimals_exactly() -> None:
    """Every sum of dollars: breakdown, ties, restatements, lake."""
    amounts = [Decimal("0.1")] * 30_000 + [Decimal("99999999999999.000000000000000001")]
    total = pl.Series(amounts, dtype=MONEY).sum()
    assert total == Decimal("100000000002999.000000000000000001")
    assert math.fsum(map(float, amounts)) != total
    grouped = (
        pl.DataFrame({"usd": pl.Series(amounts, dtype=MONEY)})
        .group_by(pl.lit(1))
        .agg(pl.col("usd").sum())
    )
    assert grouped["usd"].to_list() == [total]
    assert grouped.schema["usd"] == MONEY


def test_polars_sum_of_no_decimals_is_zero() -> None:
    """kernel/money.py: the total of a day without rows is 0 and not unknown."""
    assert pl.Series([], dtype=MONEY).sum() in (0, Decimal(0))


def test_polars_keeps_decimals_and_metadata_through_parquet() -> None:
    """storage/day_files.py: a home of version 0.1 has the read of a slice in the footer."""
    frame = pl.DataFrame({"usd": pl.Series([Decimal("0.000000000000000001")], dtype=MONEY)})
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", metadata={"read_at": "noon"})
    assert pl.read_parquet(io.BytesIO(content.getvalue())).equals(frame)
    assert pl.read_parquet_metadata(io.BytesIO(content.getvalue()))["read_at"] == "noon"


def test_polars_adds_decimals_exactly_while_it_reads_them(tmp_path: Path) -> None:
    """live_rows.answers: what queries add up is the sum to the last digit, as in memory."""
    file = tmp_path / "rows.parquet"
    usd = pl.Series("usd", ["0.000000000000000001", "-99999999.5", None, "7"] * 5000)
    rows = pl.DataFrame({"key": ["a", None] * 10_000, "usd": usd.cast(pl.Decimal(38, 18))})
    rows.write_parquet(file)
    (lazily,) = pl.collect_all(
        [pl.scan_parquet(file).group_by("key").agg(pl.col("usd").sum())], engine="streaming"
    )
    assert lazily.schema == rows.schema
    assert dict(lazily.iter_rows()) == {
        "a": Decimal("0.000000000000005"),
        None: 5000 * (Decimal(7) - Decimal("99999999.5")),
    }


def test_polars_takes_null_from_no_place() -> None:
    """baseline.carried: a day before the first that is known has no statistics."""
    places = pl.Series([None, 1, None, 0], dtype=pl.UInt32)
    assert pl.DataFrame({"x": [1.5, 2.5]}).select(pl.all().gather(places))["x"].to_list() == [
        *(None, 2.5, None, 1.5)
    ]
    assert pl.DataFrame({"x": [1.5]}).clear().select(pl.col("x").gather(places[:1])).height == 1


def test_polars_numbers_the_same_text_alike_in_several_frames() -> None:
    """coarse_facts.Coarse: parts of the days are read one by one, and then added up together."""
    parts = [pl.DataFrame({"key": [*keys]}, {"key": pl.Categorical}) for keys in ("ab", "cb")]
    assert pl.concat(parts)["key"].cast(pl.String).to_list() == ["a", "b", "c", "b"]


def test_polars_joins_null_with_null_on_request() -> None:
    """questions/spend/restatements.py: spend of no project is one line before and after."""
    one, two = (
        pl.DataFrame({"p": [None], n: [1]}, schema={"p": pl.String, n: pl.Int64}) for n in "ab"
    )
    joined = one.join(two, on="p", how="full", coalesce=True, nulls_equal=True)
    assert joined.rows() == [(None, 1, 1)]


def test_a_sensor_after_a_run_asks_for_another_job_over_a_range() -> None:
    """jobs.py: `names_follow_the_directory` starts a ranged run of another job, one per run key."""

    @dg.op
    def nothing() -> None:
        """Do nothing."""

    @dg.job
    def first() -> None:
        nothing()

    @dg.job
    def second() -> None:
        nothing()

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS, monitored_jobs=[first], request_job=second
    )
    def after(context):  # noqa: ANN001, ANN202 - Dagster reads annotations
        yield dg.RunRequest(run_key=f"{context.dagster_run.run_id}:1", tags=RANGE)

    with calm(), dg.DagsterInstance.ephemeral() as instance:
        home = dg.Definitions(jobs=[first, second], sensors=[after]).get_repository_def()
        look = partial(dg.build_sensor_context, instance=instance, repository_def=home)
        with look() as context:
            began = after.evaluate_tick(context)
        ran = home.get_job("first").execute_in_process(instance=instance, run_config=QUIET)
        with look(cursor=began.cursor) as context:
            tick = after.evaluate_tick(context)
    assert began.run_requests == []
    (asked,) = tick.run_requests or ()
    assert (after.job_name, asked.run_key) == ("second", f"{ran.run_id}:1")
    assert {name: asked.tags[name] for name in RANGE} == RANGE


@pytest.mark.parametrize(
    ("status", "after"),
    [(dg.DagsterRunStatus.STARTING, "STARTING"), (dg.DagsterRunStatus.STARTED, "FAILURE")],
)
def test_a_worker_that_is_gone_is_noticed_only_once_its_run_has_begun(
    monkeypatch: pytest.MonkeyPatch, status: dg.DagsterRunStatus, after: str
) -> None:
    """docs/scale-out.md: as long as a run is starting, `start_timeout_seconds` alone counts."""
    gone = CheckRunHealthResult(WorkerStatus.FAILED, "Celery task failed.")
    monkeypatch.setattr(SyncInMemoryRunLauncher, "supports_check_run_worker_health", True)
    monkeypatch.setattr(SyncInMemoryRunLauncher, "check_run_worker_health", lambda *_: gone)
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.add_run(dg.DagsterRun("refresh"))
        starting = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, "refresh")
        instance.report_dagster_event(starting, run.run_id)
        if status is dg.DagsterRunStatus.STARTED:
            begun = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "refresh")
            instance.report_dagster_event(begun, run.run_id)
        monkeypatch.setattr(type(instance), "run_monitoring_start_timeout_seconds", 1800)
        workspace: Any = SimpleNamespace(instance=instance, create_request_context=lambda: None)
        errors = list(execute_run_monitoring_iteration(workspace, logging.getLogger("monitor")))
        found = instance.get_run_by_id(run.run_id)
    assert errors == [None]
    assert found
    assert found.status.value == after


def test_duckdb_adds_decimals_exactly() -> None:
    """storage/lake.py: `daily_usd`; and every sum that a reader writes on the database."""
    question = (
        "SELECT sum(usd) FROM (SELECT CAST('0.1' AS DECIMAL(38,18)) AS usd FROM range(30000) "
        "UNION ALL SELECT CAST('0.000000000000000001' AS DECIMAL(38,18)))"
    )
    with duckdb.connect() as sql:
        assert sql.sql(question).fetchall() == [(Decimal("3000.000000000000000001"),)]


@pytest.mark.parametrize(("asked", "version"), [("v1.0.0", 64), ("v1.2.0", 65)])
def test_duckdb_writes_the_file_format_it_is_asked_for(
    tmp_path: Path, asked: str, version: int
) -> None:
    """outputs/publish/database.py: DuckDB 1.0.0 opens the published file."""
    path = tmp_path / "one.duckdb"
    with duckdb.connect(str(path), config={"storage_compatibility_version": asked}) as sql:
        sql.execute("CREATE TABLE one AS SELECT 1 AS n")
    head = path.read_bytes()[:20]
    assert head[8:12] == b"DUCK"
    assert struct.unpack("<Q", head[12:]) == (version,)


def test_duckdb_opens_a_file_that_was_renamed_under_a_reader(tmp_path: Path) -> None:
    """publish/: a reader keeps the file that it opened; the next reader gets the new one."""
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    for path, number in ((old, 1), (new, 2)):
        with duckdb.connect(str(path)) as sql:
            sql.execute(f"CREATE TABLE one AS SELECT {number} AS n")
    with duckdb.connect(str(old), read_only=True) as reader:
        new.replace(old)
        assert reader.sql("FROM one").fetchall() == [(1,)]
    with duckdb.connect(str(old), read_only=True) as reader:
        assert reader.sql("FROM one").fetchall() == [(2,)]


def test_duckdb_keeps_comments_on_views_and_their_columns() -> None:
    """outputs/publish/database.py: everything in bi carries a comment."""
    with duckdb.connect() as sql:
        sql.execute("CREATE VIEW v AS SELECT 1 AS n")
        sql.execute("COMMENT ON VIEW v IS 'a view'")
        sql.execute("COMMENT ON COLUMN v.n IS 'a number'")
        views = sql.sql("SELECT comment FROM duckdb_views() WHERE view_name = 'v'").fetchall()
        columns = sql.sql("SELECT comment FROM duckdb_columns() WHERE table_name = 'v'").fetchall()
    assert (views, columns) == ([("a view",)], [("a number",)])


@pytest.mark.parametrize(
    "number", ["0.1000", "12345678901234567890.123456789012345678", "1e-7", "1.50E+2"]
)
def test_msgspec_hands_on_every_digit_of_a_number(number: str) -> None:
    """sources/openai: `float_hook=str`, so that no amount is ever a float."""
    decoder = msgspec.json.Decoder(Any, float_hook=str)
    assert decoder.decode(f'{{"value": {number}}}'.encode()) == {"value": number}


def test_msgspec_keeps_the_bytes_of_a_raw_value() -> None:
    """sources/openai/costs/protocol.py: a bucket is kept verbatim, spaces and all."""

    class Page(msgspec.Struct):
        data: list[msgspec.Raw]

    page = msgspec.json.decode(b'{"data": [ {"a" :  1.0} ,2]}', type=Page)
    assert [bytes(one) for one in page.data] == [b'{"a" :  1.0}', b"2"]


def test_msgspec_refuses_a_bare_nan() -> None:
    """sources/openai/costs/protocol.py: a page with NaN is not JSON, and is not kept."""
    assert math.isnan(json.loads("NaN"))
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(b"NaN")


class Two(pa.DataFrameModel):
    """Two columns."""

    a: int
    b: str = pa.Field(nullable=True)

    class Config:
        """As in tables/contract.py."""

        strict = True
        ordered = True
        unique = ("a", "b")


@pytest.mark.parametrize(
    ("frame", "keeps"),
    [
        (pl.DataFrame({"a": [1, 1], "b": ["x", "y"]}), True),
        (pl.DataFrame({"a": [1], "b": ["x"], "c": [1]}), False),
        (pl.DataFrame({"b": ["x"], "a": [1]}), False),
        (pl.DataFrame({"a": [1]}), False),
        (pl.DataFrame({"a": [1, 1], "b": ["x", "x"]}), False),
        (pl.DataFrame({"a": [1, 1], "b": [None, None]}, schema_overrides={"b": pl.String}), False),
        (pl.DataFrame({"a": [None], "b": ["x"]}, schema_overrides={"a": pl.Int64}), False),
    ],
    ids=["good", "a column more", "order", "a column less", "twice", "twice with null", "null"],
)
def test_pandera_holds_a_frame_to_columns_order_nulls_and_keys(
    frame: pl.DataFrame, *, keeps: bool
) -> None:
    """tables/contract.py: every table is strict, ordered and unique by its grain."""
    if keeps:
        Two.validate(frame, lazy=True)
    else:
        with pytest.raises(pandera.errors.SchemaErrors):
            Two.validate(frame, lazy=True)


def test_an_object_store_in_memory_is_globbed_like_a_folder(tmp_path: Path) -> None:
    """files.py: `files_below`; and lake.py, which hands DuckDB the store's file system."""
    root = UPath(f"memory://{tmp_path.name}")
    for name in ("x/a.parquet", "x/y/b.parquet", "x/c.tmp"):
        (root / name).write_bytes(b"1")
    assert [found.name for found in sorted(root.rglob("*.parquet"), key=str)] == [
        "a.parquet",
        "b.parquet",
    ]


DELTA_ROWS = pl.DataFrame(
    {"part": ["a", "b"], "day": [date(2026, 11, 1), date(2026, 11, 2)], "who": ["ada@acme", "bo"]}
)


def delta_table(folder: Path, rows: pl.DataFrame = DELTA_ROWS) -> DeltaTable:
    only_days = {"delta.dataSkippingStatsColumns": "day"}
    write_deltalake(str(folder), rows, partition_by=["part"], configuration=only_days)
    return DeltaTable(str(folder))


def test_delta_rs_keeps_statistics_of_the_named_columns_only(tmp_path: Path) -> None:
    """storage/delta.py: the log must not name people."""
    table = delta_table(tmp_path)
    columns = pl.DataFrame(table.get_add_actions(flatten=True)).columns
    assert [name for name in columns if name.startswith("min.")] == ["min.day"]
    table.create_checkpoint()
    assert all(b"ada@acme" not in file.read_bytes() for file in (tmp_path / "_delta_log").iterdir())


def test_delta_rs_gives_the_version_of_its_own_commit_where_another_was_ahead(
    tmp_path: Path,
) -> None:
    """storage/commits.py: the log of slices names the version that a commit made."""
    first, second = delta_table(tmp_path), DeltaTable(str(tmp_path))
    write_deltalake(first, DELTA_ROWS, mode="append")
    write_deltalake(second, DELTA_ROWS, mode="append")
    write_deltalake(first, DELTA_ROWS, mode="append")
    assert (second.version(), first.version()) == (2, 3)


def rows_in(folder: Path) -> int:
    actions = pl.DataFrame(DeltaTable(str(folder)).get_add_actions(flatten=True))
    return int(actions["num_records"].sum())


def test_delta_rs_refuses_the_slower_of_two_writers_of_the_same_rows(tmp_path: Path) -> None:
    """storage/delta.py: `commit` tries again where another writer was ahead."""
    first, second = delta_table(tmp_path), DeltaTable(str(tmp_path))
    new = DELTA_ROWS.with_columns(part=pl.lit("c"))
    write_deltalake(first, new, mode="overwrite", predicate="part = 'c'")
    with pytest.raises(CommitFailedError):
        write_deltalake(second, new, mode="overwrite", predicate="part = 'c'")


def test_delta_rs_doubles_rows_where_two_compact_one_version(tmp_path: Path) -> None:
    """storage/delta_operations.py: why `compact` is not that of delta-rs.

    In 1.6.6 its check of files removed twice skips the files that a compaction removed.
    """
    first = delta_table(tmp_path)
    write_deltalake(first, DELTA_ROWS, mode="append")
    second = DeltaTable(str(tmp_path))
    first.optimize.compact()
    second.optimize.compact()
    assert rows_in(tmp_path) == 2 * 2 * DELTA_ROWS.height


def test_delta_rs_doubles_rows_where_two_are_the_first_to_replace_all(tmp_path: Path) -> None:
    """storage/delta_operations.py: why a commit must be the very next version."""
    first, second = delta_table(tmp_path, DELTA_ROWS.clear()), DeltaTable(str(tmp_path))
    for table in (first, second):
        write_deltalake(table, DELTA_ROWS, mode="overwrite")
    assert rows_in(tmp_path) == 2 * DELTA_ROWS.height


def test_delta_rs_removes_old_files_of_a_killed_writer_and_no_young_ones(tmp_path: Path) -> None:
    """storage/upkeep.py: a full vacuum beside writers that have not committed yet."""
    table = delta_table(tmp_path)
    (live,) = (tmp_path / "part=a").iterdir()
    old, young = live.with_name("part-old.parquet"), live.with_name("part-young.parquet")
    for file in (old, young):
        shutil.copy(live, file)
    long_ago = time.time() - timedelta(days=10).total_seconds()
    os.utime(old, (long_ago, long_ago))
    table.vacuum(dry_run=False, full=True)
    assert (live.exists(), old.exists(), young.exists()) == (True, False, True)


def test_delta_rs_names_what_changes_no_rows(tmp_path: Path) -> None:
    """storage/slice_log.py: commits that change no rows need no entry in the log."""
    table = delta_table(tmp_path)
    write_deltalake(table, DELTA_ROWS, mode="append")
    table.optimize.compact()
    assert table.history(1)[0]["operation"] == "OPTIMIZE"
    named = CommitProperties(custom_metadata={"rearranged": "compaction"})
    write_deltalake(table, DELTA_ROWS, mode="overwrite", commit_properties=named)
    assert table.history(1)[0]["rearranged"] == "compaction"


@pytest.mark.parametrize(
    "name", ["space in it", "ü", "a#b", "a?b", "a*b", "b=c", "Ines's", "50%", "{a}", "a;b&c+d"]
)
def test_a_table_below_a_folder_of_any_name_is_read_by_the_names_in_its_log(
    tmp_path: Path, name: str
) -> None:
    """storage/live_rows.py: paths from the log, percent-decoded, patterns escaped for DuckDB."""
    table = delta_table(tmp_path / name, DELTA_ROWS.with_columns(part=pl.lit("a b/c=ü")))
    (action,) = pl.DataFrame(table.get_add_actions(flatten=True)).to_dicts()
    file = str(tmp_path / name / unquote(action["path"]))
    rows = pl.scan_parquet([file], glob=False, hive_partitioning=False).collect()
    assert rows.columns == ["day", "who"]
    pattern = file.replace("*", "[*]").replace("?", "[?]")
    with duckdb.connect() as sql:
        question = "SELECT * FROM read_parquet(?, hive_partitioning = false)"
        assert sql.execute(question, [[pattern]]).fetchall() == rows.rows()


def test_httpx_hands_its_connections_to_a_pool_with_a_replaceable_network() -> None:
    """sources/http/client.py: a time for a whole answer, which neither library has."""
    for proxy in (None, "http://proxy.example:3128"):
        transport = httpx.HTTPTransport(proxy=proxy)
        pool = transport._pool  # noqa: SLF001 - that is the fact
        assert isinstance(pool._network_backend, httpcore.SyncBackend)  # noqa: SLF001
        transport.close()


def test_httpx_reads_the_host_behind_a_backslash_and_a_user_name() -> None:
    """settings/addresses.py: other parsers see 127.0.0.1 here, so only this one is asked."""
    assert httpx.URL("http://127.0.0.1\\@evil.example/v1").host == "evil.example"
    assert httpx.URL("https://a.example/v1/x/../y").path == "/v1/y"
    assert httpx.URL("https://a.example/v1/x%2F..%2Fy").path == "/v1/x/../y"
