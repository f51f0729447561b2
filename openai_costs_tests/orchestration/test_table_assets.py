from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import asset_node_snaps_from_repo

from openai_costs.orchestration.jobs import (
    CONNECTION,
    DERIVE,
    DIRECTORY,
    EVERYTHING,
    PUBLISH,
    RANGE_END,
    RANGE_START,
    REBUILD,
    REFRESH,
    daily_directory,
    daily_refresh,
    settings_of_run,
    trailing,
)
from openai_costs.orchestration.table_assets import asset_key, described, lineage, table_asset
from openai_costs.settings.schema import Reading
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import FIRST_DAY, NOW, TODAY, HandClock, Ran, calm, day, house

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs.orchestration.jobs import OverdueDays
    from openai_costs.settings.load import Settings
    from openai_costs.tables.contract import Contract

LAST: Final = FIRST_DAY + timedelta(days=2)
every_table = pytest.mark.parametrize("table", all_contracts(), ids=lambda one: one.full_name())


class Recorded:
    """A range of three days, as the instance remembers it."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self.house = house(home)
        self.instance = instance
        self.ran: Ran = self.house.run(FIRST_DAY, LAST, instance=instance)

    def figures(self, key: str, when: date) -> dict[str, Any]:
        """What was recorded for one day of an asset."""
        found = [
            event.event_specific_data.materialization
            for event in self.ran.result.all_events
            if event.is_step_materialization
        ]
        return {
            name: value.value
            for one in found
            if (one.asset_key.to_user_string(), one.partition) == (key, str(when))
            for name, value in one.metadata.items()
        }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Recorded(tmp_path_factory.mktemp("contracts") / "home", instance)


@every_table
def test_an_asset_is_named_by_its_table(table: type[Contract]) -> None:
    assert asset_key(table).path == [table.schema_name(), table.table_name()]


@every_table
def test_an_asset_shows_every_column_with_type_text_and_unit(table: type[Contract]) -> None:
    said = described(table)
    columns = said["metadata"]["dagster/column_schema"].columns
    assert [column.name for column in columns] == list(table.types())
    for column, (_, kind, unit, text, nullable) in zip(columns, table.describe(), strict=True):
        assert column.type == str(kind)
        assert column.description == (f"{text} [{unit}]" if unit else text)
        assert column.constraints.nullable is nullable
    assert said["description"].startswith(table.summary())
    assert said["owners"]


def test_a_column_comes_from_the_column_of_the_same_name_upstream() -> None:
    deps = lineage(Spend, (Ledger,)).deps_by_column
    (source,) = deps["billed_usd"]
    assert (source.asset_key, source.column_name) == (asset_key(Ledger), "billed_usd")
    assert deps["project_name"] == []


def test_a_function_keeps_its_name_and_its_inputs() -> None:
    @table_asset(Spend, group="spend", kinds={"polars"}, reads=(Ledger,))
    def spend(context, ledger):  # noqa: ANN001, ANN202, ARG001 - Dagster reads annotations
        """Say what it does."""
        return ledger

    with calm():
        made = spend(dg.DailyPartitionsDefinition("2026-11-01"))
    assert made.key == dg.AssetKey(["mart", "spend"])
    assert made.keys_by_input_name == {"ledger": dg.AssetKey(["core", "spend"])}
    assert made.required_resource_keys >= {"lake"}


def test_a_ranged_run_is_one_run_and_materialises_every_day(recorded: Recorded) -> None:
    assert recorded.ran.is_green, recorded.ran.failures
    wanted = {"2026-11-12", "2026-11-13", "2026-11-14"}
    for table in (Ledger, Spend, Restatements):
        assert recorded.instance.get_materialized_partitions(asset_key(table)) == wanted
    assert recorded.instance.get_runs_count() == 1


def test_each_day_has_its_own_rows_and_dollars(recorded: Recorded) -> None:
    ledger = recorded.house.lake.read(Ledger)
    for when in (FIRST_DAY, LAST):
        of_day = ledger.filter(day=when)
        figures = recorded.figures("core/spend", when)
        assert figures["dagster/partition_row_count"] == of_day.height
        assert figures["spend_usd_exact"] == f"{of_day['billed_usd'].sum().normalize():f}"
        assert figures["spend_usd"] == round(float(of_day["billed_usd"].sum()), 2)
        assert figures["connections"] == "tidewater"


def test_a_table_without_dollars_has_no_dollars_to_record(recorded: Recorded) -> None:
    assert "spend_usd" not in recorded.figures("mart/restatements", LAST)
    assert "spend_usd" in recorded.figures("core/spend_control", LAST)


def test_the_pages_record_their_size(recorded: Recorded) -> None:
    figures = recorded.figures("raw/openai_costs", LAST)
    read = recorded.house.newest("tidewater", LAST)
    assert figures["body_bytes"] == sum(map(len, read.bodies.values()))
    assert figures["evidence"] == str(read.path.parent)


def test_views_and_changes_of_findings_are_made_by_the_run_that_makes_what_they_show(
    recorded: Recorded,
) -> None:
    made = {
        one.event_specific_data.materialization.asset_key.to_user_string()
        for one in recorded.ran.result.all_events
        if one.event_type_value == "ASSET_MATERIALIZATION"
    }
    assert {"bi/daily", "bi/start_here", "mart/finding_changes"} <= made


def test_the_publication_says_what_through_when_and_shows_it(recorded: Recorded) -> None:
    (made,) = (
        event.event_specific_data.materialization
        for event in recorded.ran.result.all_events
        if event.is_step_materialization and event.asset_key == dg.AssetKey(["published", "duckdb"])
    )
    figures = {name: value.value for name, value in made.metadata.items()}
    assert figures["data_through"] == "2026-11-14"
    billed = recorded.house.lake.read(SpendControl)["billed_usd"].sum()
    assert figures["spend_usd"] == round(float(billed), 2)
    assert len(figures["preview"]) < 1_000
    assert figures["path"].endswith("published/openai_costs.duckdb")


def scheduled(settings: Settings, overdue: OverdueDays) -> dg.ScheduleDefinition:
    """The schedule of a code server that has days since the first one."""
    return daily_refresh(lambda: settings, HandClock(), overdue, FIRST_DAY)


def test_the_schedule_asks_for_one_ranged_run_over_the_trailing_window() -> None:
    settings = house(Path("nowhere")).settings
    schedule = scheduled(settings, lambda _settings, _now: ())
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        asked = schedule.evaluate_tick(context).run_requests
    (request,) = asked or ()
    assert request.tags[RANGE_START] == "2026-11-16"
    assert request.tags[RANGE_END] == "2026-11-23"
    assert request.run_key == "2026-11-23"


def test_the_schedule_reads_older_days_again_that_are_overdue() -> None:
    settings = house(Path("nowhere")).settings
    schedule = scheduled(settings, lambda _settings, _now: (day(13), day(15)))
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        asked = schedule.evaluate_tick(context).run_requests or ()
    assert [(one.run_key, one.tags[RANGE_START], one.tags[RANGE_END]) for one in asked] == [
        ("2026-11-23:2026-11-13", "2026-11-13", "2026-11-13"),
        ("2026-11-23", "2026-11-15", "2026-11-23"),
    ]


def test_the_schedule_asks_for_no_day_that_its_code_server_does_not_have_yet() -> None:
    settings = house(Path("nowhere")).settings
    before = FIRST_DAY - timedelta(days=1)
    schedule = scheduled(settings, lambda _settings, _now: (before, FIRST_DAY))
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        asked = schedule.evaluate_tick(context).run_requests or ()
    assert [one.tags[RANGE_START] for one in asked] == [str(FIRST_DAY), "2026-11-16"]


def test_the_schedule_asks_for_a_run_of_each_connection_where_machines_share_the_work() -> None:
    both = house(Path("nowhere"), "harbour", "ferry").settings
    settings = both.model_copy(update={"reading": Reading(run_per_connection=True)})
    schedule = scheduled(settings, lambda one, _now: owed[one.only_connections])
    owed: dict[tuple[str, ...], tuple[date, ...]] = {("harbour",): (), ("ferry",): (day(13),)}
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        asked = schedule.evaluate_tick(context).run_requests or ()
    assert [(one.run_key, one.tags[CONNECTION]) for one in asked] == [
        ("2026-11-23:harbour", "harbour"),
        ("2026-11-23:2026-11-13:ferry", "ferry"),
        ("2026-11-23:ferry", "ferry"),
    ]


def test_a_run_with_the_tag_of_a_connection_reads_that_one_only() -> None:
    both = house(Path("nowhere"), "harbour", "ferry").settings
    asked: list[str] = []

    @dg.op(required_resource_keys={"settings"})
    def read(context) -> None:  # noqa: ANN001 - Dagster refuses an annotation that is text
        asked.extend(one.name for one in context.resources.settings.asked_connections)

    graph = dg.GraphDefinition(name="reads", node_defs=[read])
    job = graph.to_job(resource_defs={"settings": settings_of_run(both, lambda one: one)})
    job.execute_in_process()
    job.execute_in_process(tags={CONNECTION: "ferry"})
    assert asked == ["harbour", "ferry", "ferry"]


def test_the_trailing_window_does_not_begin_before_the_first_day() -> None:
    settings = house(Path("nowhere")).settings
    window = trailing(settings, day(14))
    assert (window.first, window.last) == (FIRST_DAY, day(14))
    assert trailing(settings, TODAY).first == day(16)


def made_by(job: str) -> set[str]:
    with calm():
        layer = house(Path("nowhere")).defs().resolve_job_def(job).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


def test_the_money_does_not_wait_for_names_and_a_rebuild_sends_no_request() -> None:
    refresh, directory, rebuild = map(made_by, (REFRESH, DIRECTORY, REBUILD))
    assert refresh & directory == {"published/duckdb", "core/gateway_tokens"}
    assert rebuild == {name for name in refresh | directory if not name.startswith("raw/")}


def test_runs_record_no_pages_of_those_who_are_not_connected() -> None:
    def pages(job: str) -> set[str]:
        return {name for name in made_by(job) if name.startswith("raw/")}

    assert pages(REFRESH) == {"raw/openai_costs", "raw/openai_usage"}
    assert pages(DIRECTORY) == {"raw/openai_directory"}
    assert {"raw/anthropic_costs", "raw/gateway_registry"} <= pages(EVERYTHING)


def test_whatever_the_ui_materializes_is_one_run_of_the_job_of_all_assets() -> None:
    with calm():
        repository = house(Path("nowhere")).defs().get_repository_def()
        known = asset_node_snaps_from_repo(repository)
    nodes = [one for one in known if one.is_executable]
    assert {one.asset_key.to_user_string() for one in nodes} == made_by(EVERYTHING)
    assert {one.job_names[0] for one in nodes} == {EVERYTHING}  # the UI takes the first
    assert repository.get_job(EVERYTHING).backfill_policy == dg.BackfillPolicy.single_run()


def test_a_run_of_what_looks_at_all_days_makes_no_core_table() -> None:
    published = made_by(PUBLISH)
    assert {"mart/findings", "published/duckdb"} <= published
    assert not {name for name in published if name.startswith(("raw/", "core/"))}


def test_to_derive_is_to_make_all_marts_of_what_is_stored() -> None:
    derived = made_by(DERIVE)
    assert derived == {name for name in made_by(REBUILD) if not name.startswith("core/")}
    assert {"mart/spend", "mart/spend_attribution", "mart/spend_by_user"} <= derived


def test_names_are_asked_for_every_day_some_time_after_the_money() -> None:
    settings = house(Path("nowhere")).settings
    money = scheduled(settings, lambda _settings, _now: ())
    names = daily_directory()
    assert (money.job_name, names.job_name) == (REFRESH, DIRECTORY)
    minute, hour, *every_day = names.cron_schedule.split()
    assert every_day == ["*"] * 3
    first_minute, first_hour, *_ = money.cron_schedule.split()
    assert (int(hour), int(minute)) > (int(first_hour) + 1, int(first_minute))
    with dg.build_schedule_context(scheduled_execution_time=NOW) as context:
        (request,) = names.evaluate_tick(context).run_requests or ()
    assert RANGE_START not in request.tags
