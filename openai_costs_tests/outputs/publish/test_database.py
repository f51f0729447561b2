from __future__ import annotations

import struct
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from multiprocessing import Pipe
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from upath import UPath

from openai_costs.outputs.publish import key_sums
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.database import Published, publish
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.parquet_copies import PARQUET, copies_of
from openai_costs.outputs.publish.rounded import ROUNDED
from openai_costs.outputs.publish.tie_outs import PublicationRefused
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract, all_contracts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import INVOICED, connected, day
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MORNING: Final = datetime(2026, 11, 23, 6, tzinfo=UTC)
NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
FORMAT_OF_1_0_0: Final = 64
"""The storage version in the file's header that DuckDB 1.0.0 reads and writes."""
CLASSIC: Final = {"VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "BIGINT", "DOUBLE"}
TABLES: Final = all_contracts()


def row(table: type[Contract], when: date, usd: str, *, project: str = "p") -> pl.DataFrame:
    known: dict[str, Any] = {
        "connection": "acme",
        "provider": "openai",
        "day": when,
        "billed_usd": Decimal(usd),
        "grouping": "project_id,line_item",
        "is_settled": True,
        "read_at": MORNING.replace(tzinfo=None),
        "attribution": "unattributed",
        "project_id": project,
        "model": "gpt-5",
    } | INVOICED
    found = {name: known.get(name) for name in table.types()}
    return pl.DataFrame([found], schema=table.types())


def write(home: UPath, table: type[Contract], when: date, usd: str, at: datetime) -> None:
    batch = Batch(row(table, when, usd), {Slice("acme", when): at})
    assert not Lake(home).replace(table, [batch]).refused


def write_days(home: UPath, table: type[Contract], usd: dict[date, str], at: datetime) -> None:
    rows = pl.concat(row(table, when, amount) for when, amount in usd.items())
    slices = {Slice("acme", when): at for when in usd}
    assert not Lake(home).replace(table, [Batch(rows, slices)]).refused


def write_day(home: UPath, when: date, usd: str, at: datetime = MORNING) -> None:
    """What a run writes for a day: six tables that add up, all of one read."""
    for table in TOGETHER:
        write(home, table, when, usd, at)


def publish_now(home: UPath) -> Published:
    return publish(home, Lake(home))


def ask(home: UPath, question: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / DATABASE), read_only=True) as sql:
        return sql.sql(question).fetchall()


def dollars(home: UPath, table: str = "core.spend") -> dict[date, Decimal]:
    return dict(ask(home, f"SELECT day, sum(billed_usd) FROM {table} GROUP BY day ORDER BY day"))  # noqa: S608


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> UPath:
    made = UPath(tmp_path_factory.mktemp("published"))
    write_day(made, day(1), "1.000000000000000001")
    write_day(made, day(2), "2")
    state = row(Coverage, day(1), "1.000000000000000001").with_columns(
        source=pl.lit("costs"),
        state=pl.lit("settled"),
        rows=pl.lit(1, pl.Int64),
        is_connected=pl.lit(value=True),
    )
    Lake(made).replace_whole(Coverage, state)
    publish_now(made)
    return made


@pytest.fixture(scope="module")
def of_one_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fresh")
    write_day(UPath(made), day(1), "1")
    publish_now(UPath(made))
    return made


@pytest.fixture
def fresh(of_one_day: Path, tmp_path: Path) -> UPath:
    """A home with one published day, so that a test may do to it what it likes."""
    return UPath(copytree(of_one_day, tmp_path, dirs_exist_ok=True))


def test_the_file_is_in_the_format_that_1_0_0_opens(home: UPath) -> None:
    head = (home / DATABASE).read_bytes()[:64]
    assert head[8:12] == b"DUCK"
    assert struct.unpack("<Q", head[12:20]) == (FORMAT_OF_1_0_0,)


def test_it_has_three_schemas_and_every_table_of_the_contract(home: UPath) -> None:
    tables = ask(home, "SELECT schema_name || '.' || table_name FROM duckdb_tables()")
    views = ask(home, "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal")
    assert {name for (name,) in tables} == {key_sums.NAME, *(one.full_name() for one in TABLES)}
    assert set(views) == {("bi", view.name) for view in VIEWS}
    assert {"cost_daily", "cost_by_user", "coverage", "data_dictionary"} <= {
        view.name for view in VIEWS
    }


def test_money_is_exact_in_core_and_mart(home: UPath) -> None:
    for name in ("core.spend", "core.spend_control", "mart.spend", "mart.spend_by_user"):
        assert dollars(home, name) == {day(1): Decimal("1.000000000000000001"), day(2): Decimal(2)}
    kinds = ask(
        home,
        "SELECT DISTINCT data_type FROM duckdb_columns() "
        "WHERE schema_name IN ('core', 'mart') AND column_name LIKE '%usd'",
    )
    assert kinds == [("DECIMAL(38,18)",)]


def test_daily_dollars_are_those_that_readers_see_also_where_a_day_is_withheld(
    fresh: UPath,
) -> None:
    write_day(fresh, day(2), "2")
    write(fresh, Spend, day(1), "7", MORNING)
    done = publish_now(fresh)
    assert {one.key for one in done.withheld} == {Slice("acme", day(1))}
    assert sorted(done.daily.rows()) == [
        ("acme", day(1), Decimal(1)),
        ("acme", day(2), Decimal(2)),
    ]
    assert dict(done.daily.drop("connection").rows()) == dollars(fresh, "mart.spend")


def test_the_rounded_dollars_of_bi_are_the_exact_ones_and_are_in_no_parquet_file(
    home: UPath,
) -> None:
    for table in (Spend, SpendByUser):
        other = f"{ROUNDED} IS DISTINCT FROM CAST(billed_usd AS DOUBLE)"
        assert ask(home, f"SELECT count(*) FROM {table.full_name()} WHERE {other}") == [(0,)]  # noqa: S608
        (file, *_) = copies_of(home)[table.full_name()]
        assert pl.read_parquet_schema(str(file)).keys() == table.types().keys()


def test_the_sums_by_key_are_exact_and_have_each_key_and_day_once(home: UPath) -> None:
    whole = "SELECT * EXCLUDE (model, usage_type, billed_usd, billed_usd_rounded), sum(billed_usd)"
    added_up = ask(home, f"{whole} FROM mart.spend GROUP BY ALL ORDER BY ALL")
    columns = "* EXCLUDE (billed_usd_rounded)"
    assert ask(home, f"SELECT {columns} FROM {key_sums.NAME} ORDER BY ALL") == added_up  # noqa: S608
    assert dollars(home, key_sums.NAME) == dollars(home, "mart.spend")
    other = f"{ROUNDED} IS DISTINCT FROM CAST(billed_usd AS DOUBLE)"
    assert ask(home, f"SELECT count(*) FROM {key_sums.NAME} WHERE {other}") == [(0,)]  # noqa: S608
    assert not list((home / "published/parquet").glob(f"{key_sums.NAME}*"))


def test_every_table_and_view_has_a_comment(home: UPath) -> None:
    said = dict(ask(home, "SELECT table_name, comment FROM duckdb_tables()"))
    said |= dict(ask(home, "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal"))
    assert [name for name, comment in said.items() if not comment] == []


def test_every_column_has_a_comment(home: UPath) -> None:
    bare = ask(
        home,
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() "
        "WHERE schema_name IN ('core', 'mart', 'bi') AND coalesce(comment, '') = ''",
    )
    assert bare == []


def test_comments_are_those_of_the_contract(home: UPath) -> None:
    found = ask(
        home,
        "SELECT column_name, comment FROM duckdb_columns() "
        "WHERE schema_name = 'core' AND table_name = 'spend_control' ORDER BY column_index",
    )
    assert found == [
        (name, f"{text} [{unit}]" if unit else text)
        for name, _, unit, text, _ in SpendControl.describe()
    ]


def test_the_schema_bi_has_classic_types_only(home: UPath) -> None:
    kinds = "SELECT DISTINCT data_type FROM duckdb_columns() WHERE schema_name = 'bi' AND "
    assert {kind for (kind,) in ask(home, f"{kinds} table_name <> 'focus'")} <= CLASSIC
    focus = {kind for (kind,) in ask(home, f"{kinds} table_name = 'focus'")}
    assert focus == {"VARCHAR", "DECIMAL(38,18)"}, "FOCUS is held to the control totals: exact"


def test_the_data_dictionary_knows_every_column_of_every_table_and_view(home: UPath) -> None:
    said = set(ask(home, "SELECT table_schema, table_name, column_name FROM bi.data_dictionary"))
    of_tables = {
        (table.schema_name(), table.table_name(), name)
        for table in TABLES
        for name in table.types()
    }
    assert of_tables <= said
    for view in VIEWS:
        columns = {column for schema, name, column in said if (schema, name) == ("bi", view.name)}
        assert columns
        assert columns <= set(view.columns)


def test_the_data_dictionary_of_an_attached_file_speaks_of_that_file(home: UPath) -> None:
    with duckdb.connect() as sql:
        sql.execute(f"ATTACH '{home / DATABASE}' AS costs (READ_ONLY)")
        sql.execute("USE costs")
        found = sql.sql("SELECT count(*) FROM bi.data_dictionary").fetchall()
    assert found == ask(home, "SELECT count(*) FROM bi.data_dictionary")


def test_the_views_show_names_states_and_months(home: UPath) -> None:
    found = ask(
        home, "SELECT day, month, project, api_key, billed_usd, state FROM bi.cost_daily ORDER BY 1"
    )
    assert found == [
        (day(1), day(1), "p", "(none)", 1.0, "settled"),
        (day(2), day(1), "p", "(none)", 2.0, None),
    ]


def test_published_parquet_is_read_by_polars_and_equals_the_lake(home: UPath) -> None:
    for table in TABLES:
        found = pl.read_parquet(Path(str(home / PARQUET / table.full_name() / "*.parquet")))
        held = Lake(home).read(table)
        assert found.schema == held.schema, table.full_name()
        assert_frame_equal(found, held, check_row_order=False)


def test_an_empty_lake_publishes_empty_tables(tmp_path: Path) -> None:
    done = publish_now(UPath(tmp_path))
    assert done.rows == {table.full_name(): 0 for table in TABLES}
    assert ask(UPath(tmp_path), "SELECT count(*) FROM bi.cost_daily") == [(0,)]
    assert ask(UPath(tmp_path), "SELECT count(*) > 50 FROM bi.data_dictionary") == [(True,)]


def test_a_publication_leaves_nothing_half_built_behind(fresh: UPath) -> None:
    left = {path.name for path in Path(str(fresh / "published")).iterdir()}
    assert left == {
        "focus",
        "openai_costs.duckdb",
        "parquet",
        ".publishing.lock",
        ".publication.json",
    }


@pytest.fixture(scope="module")
def torn(of_one_day: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Published]:
    """The same home after a publication in which the tables of a day are of two reads."""
    made = copytree(of_one_day, tmp_path_factory.mktemp("torn") / "home")
    write_day(UPath(made), day(2), "2")
    write(UPath(made), Ledger, day(1), "7", NOON)
    return made, publish_now(UPath(made))


def test_a_day_whose_tables_come_from_two_reads_keeps_its_last_published_rows(
    torn: tuple[Path, Published],
) -> None:
    home, done = UPath(torn[0]), torn[1]
    assert done.in_flight == [("acme", day(1))]
    for table in TOGETHER:
        assert dollars(home, table.full_name()) == {day(1): Decimal(1), day(2): Decimal(2)}


def test_a_day_whose_marts_are_not_written_yet_is_not_published_in_part(fresh: UPath) -> None:
    for table in (Ledger, SpendControl):
        write(fresh, table, day(2), "2", MORNING)
    done = publish_now(fresh)
    assert done.in_flight == [("acme", day(2))]
    for table in TOGETHER:
        assert dollars(fresh, table.full_name()) == {day(1): Decimal(1)}


def test_the_parquet_files_keep_the_last_published_rows_too(torn: tuple[Path, Published]) -> None:
    found = pl.read_parquet(torn[0] / PARQUET / "core.spend/2026-11.parquet")
    assert dict(found.select("day", "billed_usd").rows()) == {
        day(1): Decimal(1),
        day(2): Decimal(2),
    }


def test_a_day_that_is_whole_again_is_published(
    torn: tuple[Path, Published], tmp_path: Path
) -> None:
    home = UPath(copytree(torn[0], tmp_path / "home"))
    write_day(home, day(1), "7", NOON)
    assert publish_now(home).in_flight == []
    assert dollars(home, "mart.spend") == {day(1): Decimal(7), day(2): Decimal(2)}


def test_a_day_in_flight_before_any_publication_is_left_out(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    write(home, Ledger, day(1), "7", NOON)
    assert publish_now(home).in_flight == [("acme", day(1))]
    assert dollars(home) == {}


def test_a_day_that_became_empty_is_published_empty(fresh: UPath) -> None:
    for table in TOGETHER:
        Lake(fresh).replace(table, [Batch(table.no_rows(), {Slice("acme", day(1)): NOON})])
    assert publish_now(fresh).in_flight == []
    assert dollars(fresh) == {}


def coverage(home: UPath, *days: date) -> None:
    rows = [
        ("acme", "costs", one, "settled", 1, Decimal(1), MORNING.replace(tzinfo=None))
        for one in days
    ]
    Lake(home).replace_whole(Coverage, connected(rows))


def test_a_settled_day_that_does_not_tie_out_in_any_table_keeps_its_last_published_rows(
    tmp_path: Path,
) -> None:
    home = UPath(tmp_path / "home")
    untied = {day(3 + number): table for number, table in enumerate(TOGETHER)}
    for table in TOGETHER:
        write_days(home, table, dict.fromkeys(untied, "1"), MORNING)
    publish_now(home)
    for table in TOGETHER:
        usd = {when: "12.50" if table is other else "12.00" for when, other in untied.items()}
        write_days(home, table, {day(2): "2", **usd}, NOON)
    withheld = {one.key for one in publish_now(home).withheld}
    assert [
        table.full_name() for when, table in untied.items() if Slice("acme", when) not in withheld
    ] == []
    assert len(withheld) == len(untied)
    for one in TOGETHER:
        assert dollars(home, one.full_name()) == {
            day(2): Decimal(2),
            **dict.fromkeys(untied, Decimal(1)),
        }


def test_a_settled_day_whose_pages_add_up_otherwise_is_not_published(fresh: UPath) -> None:
    write_day(fresh, day(1), "12.50", NOON)
    key = Slice("acme", day(1))
    of_pages = Batch(row(Ledger, day(1), "12.50"), {key: NOON}, page_usd={key: Decimal(12)})
    assert not Lake(fresh).replace(Ledger, [of_pages]).refused
    assert [str(one) for one in publish_now(fresh).withheld] == [
        (
            "2026-11-01, connection acme: cost pages in raw/ adds up to $12.00; "
            "the control total is $12.50 (difference -$0.50)."
        )
    ]
    assert dollars(fresh) == {day(1): Decimal(1)}


def test_a_day_that_never_tied_out_is_missing_in_the_published_coverage(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    write_day(home, day(1), "1")
    write_day(home, day(2), "12.00")
    write(home, SpendControl, day(2), "12.50", MORNING)
    coverage(home, day(1), day(2))
    publish_now(home)
    assert dollars(home) == {day(1): Decimal(1)}
    assert ask(home, "SELECT day, state, billed_usd FROM mart.coverage ORDER BY day") == [
        (day(1), "settled", Decimal(1)),
        (day(2), "missing", None),
    ]


def test_a_day_with_float_noise_is_published(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    write_day(home, day(1), "12.50")
    write(home, SpendControl, day(1), "12.5000000001", MORNING)
    assert publish_now(home).withheld == []
    assert dollars(home) == {day(1): Decimal("12.50")}


def test_a_last_publication_that_does_not_tie_out_either_is_left_as_it_was(fresh: UPath) -> None:
    with duckdb.connect(str(fresh / DATABASE)) as sql:
        sql.execute("UPDATE mart.spend SET billed_usd = 7")
    before = (fresh / DATABASE).read_bytes()
    write(fresh, SpendControl, day(1), "12.50", MORNING)
    wrong = r"mart.spend, mart.spend_by_key add up to \$7.00, but the control"
    with pytest.raises(PublicationRefused, match=wrong):
        publish_now(fresh)
    assert (fresh / DATABASE).read_bytes() == before


def test_a_last_publication_that_cannot_be_opened_has_no_rows_to_keep(fresh: UPath) -> None:
    (fresh / DATABASE).write_bytes(b"")
    write_day(fresh, day(2), "2")
    write(fresh, Ledger, day(1), "7", NOON)
    assert publish_now(fresh).in_flight == [("acme", day(1))]
    assert dollars(fresh) == {day(2): Decimal(2)}


def test_a_reader_with_the_old_file_open_keeps_one_consistent_state(fresh: UPath) -> None:
    question = (
        "SELECT (SELECT sum(billed_usd) FROM core.spend), (SELECT sum(billed_usd) FROM mart.spend)"
    )
    with duckdb.connect(str(fresh / DATABASE), read_only=True) as reader:
        reader.sql("FROM core.spend").fetchall()
        write_day(fresh, day(1), "5", NOON)
        publish_now(fresh)
        assert reader.sql(question).fetchall() == [(Decimal(1), Decimal(1))]
    assert ask(fresh, question) == [(Decimal(5), Decimal(5))]


def test_a_reader_in_another_process_neither_waits_nor_makes_a_publication_wait(
    fresh: UPath,
) -> None:
    ours, theirs = Pipe()
    reader = started(hold_open, str(fresh / DATABASE), theirs)
    try:
        assert ours.recv() == [(Decimal(1), Decimal(1))]
        write_day(fresh, day(1), "5", NOON)
        publish_now(fresh)
        ours.send("again")
        assert ours.recv() == [(Decimal(1), Decimal(1))]
        assert dollars(fresh) == {day(1): Decimal(5)}
    finally:
        ours.send("enough")
        reader.join(30)
    assert reader.exitcode == 0


def hold_open(path: str, pipe: Connection) -> None:
    """Keep the file open, and ask whenever told to."""
    with duckdb.connect(path, read_only=True) as sql:
        while True:
            ledger = sql.sql("SELECT sum(billed_usd) FROM core.spend").fetchall()[0][0]
            mart = sql.sql("SELECT sum(billed_usd) FROM mart.spend").fetchall()[0][0]
            pipe.send([(ledger, mart)])
            if pipe.recv() == "enough":
                return


def test_two_publishers_at_once_both_succeed(fresh: UPath) -> None:
    write_day(fresh, day(2), "2")
    failed: list[BaseException] = []

    def one() -> None:
        try:
            publish_now(fresh)
        except BaseException as error:  # noqa: BLE001 - a thread's failure is the test's
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert dollars(fresh) == {day(1): Decimal(1), day(2): Decimal(2)}


def test_a_publication_that_fails_leaves_the_last_one_as_it_was(fresh: UPath) -> None:
    before = (fresh / DATABASE).read_bytes()
    write_day(fresh, day(2), "2")
    for data in (Path(str(fresh)) / "lake/core/spend").rglob("part-*.parquet"):
        data.write_bytes(b"no parquet")
    with pytest.raises(duckdb.Error):
        publish_now(fresh)
    assert (fresh / DATABASE).read_bytes() == before
    left = {path.name for path in Path(str(fresh / "published")).iterdir()}
    assert left == {
        "focus",
        "openai_costs.duckdb",
        "parquet",
        ".publishing.lock",
        ".publication.json",
    }


def test_a_publication_sweeps_up_what_a_killed_one_left_half_built_or_half_written(
    fresh: UPath,
) -> None:
    half_built = Path(str(fresh / "published/.building-killed"))
    half_built.mkdir()
    (half_built / "openai_costs.duckdb").write_bytes(b"half a database")
    half_written = Path(str(fresh)) / "raw/openai/acme/.learned.json.x1.tmp"
    half_written.parent.mkdir(parents=True, exist_ok=True)
    half_written.write_bytes(b"half")
    publish_now(fresh)
    assert not half_built.exists()
    assert not half_written.exists()


def test_a_folder_in_which_no_file_could_be_written_is_no_slice(fresh: UPath) -> None:
    (Path(str(fresh)) / "lake/core/usage/acme").mkdir(parents=True)
    for table in TOGETHER:
        (Path(str(fresh)) / f"lake/{table.full_name().replace('.', '/')}/labs").mkdir()
    assert publish_now(fresh).in_flight == []
    only = UPath(fresh / "other")
    (Path(str(only)) / "lake/core/spend/acme").mkdir(parents=True)
    assert publish_now(only).in_flight == []


def test_a_home_with_an_apostrophe_can_be_published(tmp_path: Path) -> None:
    home = UPath(tmp_path / "Ines's data")
    write_day(home, day(1), "1")
    publish_now(home)
    write(home, Ledger, day(1), "7", NOON)
    publish_now(home)
    assert dollars(home) == {day(1): Decimal(1)}


def test_a_home_on_an_object_store_is_published_there(tmp_path: Path) -> None:
    home = UPath((tmp_path / "store").as_uri(), auto_mkdir=True)
    write_day(home, day(1), "1")
    publish_now(home)
    write(home, Ledger, day(1), "7", NOON)
    done = publish_now(home)
    assert done.in_flight == [("acme", day(1))]
    local = tmp_path / "copy.duckdb"
    local.write_bytes((home / DATABASE).read_bytes())
    with duckdb.connect(str(local), read_only=True) as sql:
        assert sql.sql("SELECT billed_usd FROM core.spend").fetchall() == [(Decimal(1),)]
    assert (home / PARQUET / "mart.spend/2026-11.parquet").exists()


def test_every_daily_table_of_the_bill_is_published_together() -> None:
    """Tables with dollars per connection and day that add up to the ledger; others explain it."""
    grain = {"connection", "day", "billed_usd"}
    billed = {table for table in TABLES if grain <= set(table.types())}
    explain = {PriceCheck, Optimization, GatewayBypass, GatewayCapture, CostReconciliation}
    assert set(TOGETHER) == billed - {Coverage, Restatements} - explain
    assert {Spend, SpendByUser} <= set(TOGETHER)
