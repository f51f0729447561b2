from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import range_tags
from openai_costs.orchestration.table_assets import LakeIOManager
from openai_costs.settings.load import Settings
from openai_costs.sources.assets import daily_assets
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.org import Ran, calm
from openai_costs_tests.sources.openai.usage.wire import ENDPOINTS, Wire, result
from openai_costs_tests.sources.openai.wire import DAY, after

DAYS = DayRange(DAY, after(2))
NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
EVERY_ENDPOINT = {
    (endpoint.dataset, day): [result(endpoint.dataset)]
    for endpoint in USAGE_ENDPOINTS
    for day in DAYS
}
FORBIDDEN = dict.fromkeys(ENDPOINTS, (403, "", "Missing scopes: api.usage.read"))


class Desk:
    def __init__(self, home: Path) -> None:
        self.home = UPath(home)
        self.lake = Lake(self.home)

    def ran(self, wire: Wire, **connection: object) -> Ran:
        """Materialise the pages of three days, and core.usage from them."""
        said = {"name": "acme", "base_url": "sample://literal", "start": DAY}
        here = Settings(
            home=str(self.home),
            config_file=Path("none"),
            connections=(OpenAIConnection.model_validate(said | connection),),
        )
        archive = Archive(self.home)
        resources: dict[str, Any] = {
            "clock": lambda: NOW,
            "reach": Reach(lambda _: wire),
            "archive": archive,
            "settings": here,
            "lake": self.lake,
            "lake_io": LakeIOManager(self.lake),
        }
        days = dg.DailyPartitionsDefinition(str(DAY))
        with calm(), unrecorded() as instance:
            result = dg.materialize(
                [build(days) for build in daily_assets()],
                instance=instance,
                resources=resources,
                selection=["raw/openai_usage", "core/usage"],
                tags=range_tags(DAYS),
                raise_on_error=False,
            )
        return Ran(result)

    def days(self) -> set[date]:
        return self.lake.days(Usage, "acme")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_eleven_endpoints_become_one_table(desk: Desk):
    ran = desk.ran(Wire(EVERY_ENDPOINT))
    assert ran.is_green
    assert ran.objections == []
    frame = desk.lake.read(Usage)
    assert set(frame.select("endpoint", "day").iter_rows()) == set(EVERY_ENDPOINT)


def test_a_day_without_usage_is_replaced_by_nothing(desk: Desk):
    desk.ran(Wire(EVERY_ENDPOINT))
    assert desk.ran(Wire()).is_green
    assert desk.days() == {*DAYS}
    assert desk.lake.read(Usage).is_empty()


def test_reading_again_gives_the_same_table(desk: Desk):
    desk.ran(Wire(EVERY_ENDPOINT))
    before = desk.lake.read(Usage)
    desk.ran(Wire(EVERY_ENDPOINT))
    assert desk.lake.read(Usage).equals(before)


def test_a_key_without_the_scope_is_a_red_check_and_a_run_that_goes_on(desk: Desk):
    ran = desk.ran(Wire(refusals=FORBIDDEN))
    assert ran.is_green
    assert desk.days() == set()
    assert {(one.asset, one.check, one.severity) for one in ran.objections} == {
        ("raw/openai_usage", "read_complete", "ERROR")
    }
    assert all("api.usage.read" in one.because for one in ran.objections)


def test_a_scope_that_was_taken_away_leaves_the_table_as_it_was(desk: Desk):
    desk.ran(Wire(EVERY_ENDPOINT))
    desk.ran(Wire(refusals=FORBIDDEN))
    assert desk.lake.read(Usage).height == len(EVERY_ENDPOINT)


def test_an_outage_is_a_red_check_and_a_run_that_goes_on(desk: Desk):
    with stamina.set_testing(True, attempts=1):
        ran = desk.ran(Wire(refusals={"images": (503, "", "later")}))
    assert ran.is_green
    assert [one.check for one in ran.objections] == ["read_complete"] * 3


def test_an_endpoint_that_is_not_given_is_named_on_the_table(desk: Desk):
    ran = desk.ran(Wire(EVERY_ENDPOINT, refusals={"decisions": (404, "", "Not for you.")}))
    assert ran.is_green
    assert set(desk.lake.read(Usage)["endpoint"]) == {*ENDPOINTS} - {"decisions"}
    assert {(one.asset, one.check, one.severity) for one in ran.objections} == {
        ("core/usage", "known_fields", "WARN")
    }
    assert all("decisions" in one.because for one in ran.objections)
    assert all("Not for you." in one.because for one in ran.objections)


@pytest.mark.parametrize("bad_days", [1, 3])
def test_a_page_that_cannot_be_believed_is_red_leaves_its_day_and_ends_no_step(
    desk: Desk, bad_days: int
):
    contradiction = [result(input_tokens=3, input_cached_tokens=4)]
    poisoned = {("completions", after(age)): contradiction for age in range(bad_days)}
    ran = desk.ran(Wire(EVERY_ENDPOINT | poisoned))
    assert ran.is_green
    assert desk.days() == {*DAYS} - {after(age) for age in range(bad_days)}
    said = ran.of("core/usage", "contract")
    assert [one.passed for one in said.values()] == [False] * bad_days + [True] * (3 - bad_days)
    because = said[str(DAY)].because
    assert "input_tokens is 3, while its parts add up to 4 (input_cached_tokens 4)" in because


def test_a_connection_with_costs_only_is_never_asked_and_the_fact_says_so(desk: Desk):
    wire = Wire(EVERY_ENDPOINT)
    ran = desk.ran(wire, access="costs_only")
    assert wire.asked == []
    assert ran.is_green
    said = ran.of("raw/openai_usage", "read_complete")[str(DAY)]
    assert (said.passed, said.because) == (
        True,
        "acme: not requested, because access is costs_only.",
    )


def test_each_day_records_its_rows_and_connections(desk: Desk):
    ran = desk.ran(Wire(EVERY_ENDPOINT))
    rows = {
        one.partition: one.metadata["dagster/partition_row_count"].value
        for event in ran.result.all_events
        if event.is_step_materialization
        for one in (event.event_specific_data.materialization,)  # type: ignore[union-attr]
        if one.asset_key == dg.AssetKey(["core", "usage"])
    }
    assert rows == {str(day): len(ENDPOINTS) for day in DAYS}
