"""Two organizations, each read by runs of its own (`run_per_connection`); a key was revoked."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import polars as pl
import pytest
from dagster._core.instance import InstanceRef

from openai_costs.cli.backfill import Headless
from openai_costs.cli.dev import STATE
from openai_costs.cli.graphs import is_page
from openai_costs.cli.run_output import RunFailedError
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REFRESH
from openai_costs.outputs.alerts.dagster_rules import DagsterHistory
from openai_costs.outputs.publish.verification import verify
from openai_costs.sample.api.options import WireOptions
from openai_costs.sources.provider import Reach
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import (
    LEDGER,
    MONEY,
    NOW,
    TODAY,
    House,
    Ran,
    calm,
    day,
    house,
    only_money,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH: Final = ("harbour", "ferry")
READ: Final = "raw/openai_costs"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with calm(), dg.DagsterInstance.ephemeral() as one:
        yield one


@pytest.fixture
def two(tmp_path: Path) -> House:
    """The key of ferry was revoked."""
    made = house(tmp_path / "home", *BOTH)
    made.serve("ferry", options=WireOptions(admin_keys=frozenset()))
    return made


def of_one(two: House, instance: dg.DagsterInstance, name: str) -> Ran:
    return two.run(day(22), TODAY, instance=instance, only=LEDGER, asks=[name])


def alarms(
    two: House, instance: dg.DagsterInstance, connections: tuple[str, ...] = BOTH
) -> dict[str, dict[str, Any]]:
    with calm():
        graph = two.defs().resolve_asset_graph()
    ours = tuple(one for one in two.connections if one.name in connections)
    settings = two.settings.model_copy(update={"connections": ours})
    found = DagsterHistory(instance, graph, ["refresh"], settings).candidates(NOW, "team:finops")
    return {one["subject_id"]: one for one in found.to_dicts()}


def test_a_green_run_of_one_connection_leaves_the_alarm_about_another(
    two: House, instance: dg.DagsterInstance
) -> None:
    """Both alarms were gone after it: a revoked key was silent until data was late."""
    assert not of_one(two, instance, "ferry").is_green
    assert of_one(two, instance, "harbour").is_green
    found = alarms(two, instance)
    assert {name: one["connection"] for name, one in found.items()} == {
        f"{READ}:read_complete": "ferry",
        "refresh": "ferry",
    }
    two.serve("ferry")
    assert of_one(two, instance, "ferry").is_green
    assert alarms(two, instance) == {}


def test_a_green_verdict_says_which_connections_were_read(
    two: House, instance: dg.DagsterInstance
) -> None:
    ran = of_one(two, instance, "harbour")
    texts = {one.because for one in ran.of(READ, "read_complete").values()}
    assert texts == {"Every connection that this run asked was read to its end. It asked harbour."}


def test_a_connection_that_leaves_the_settings_takes_its_alarm_along(
    two: House, instance: dg.DagsterInstance
) -> None:
    of_one(two, instance, "ferry")
    assert alarms(two, instance, ("harbour",)) == {}


def test_commands_that_read_one_connection_each_are_kept_apart_as_well(two: House) -> None:
    """A command that read one connection ended the alarm about that of another."""
    reach = Reach(lambda one: two.transports[one.name])
    for name in ("ferry", "harbour"):
        headless = Headless(two.settings.only(name), str, two.clock, reach)
        with calm(), suppress(RunFailedError):
            headless.run(REFRESH, DayRange(day(22), TODAY), is_page)
    state = InstanceRef.from_dir(str(Path(two.home) / STATE))
    with calm(), dg.DagsterInstance.from_ref(state) as recorded:
        found = alarms(two, recorded)
    assert {name: one["connection"] for name, one in found.items()} == {
        f"{READ}:read_complete": "ferry",
        "raw/openai_usage:read_complete": "ferry",
        "refresh": "ferry",
    }


def test_what_a_damaged_table_lost_of_other_connections_is_rebuilt_too(tmp_path: Path) -> None:
    """Their rows were gone: readers got the dollars of one connection, and a tie-out of nothing."""
    two = house(tmp_path / "home", *BOTH)
    assert two.run(day(20), TODAY, only=MONEY).is_green
    before, first = two.lake.read(SpendControl), day(20)
    assert set(before["connection"]) == set(BOTH)
    newest = max((Path(two.home) / "lake/core/spend_control/_delta_log").glob("0*.json"))
    newest.write_bytes(newest.read_bytes()[:40])
    lines: list[str] = []
    reach = Reach(lambda one: two.transports[one.name])
    headless = Headless(two.settings.only("ferry"), lines.append, two.clock, reach)
    with calm(), only_money():
        headless.backfill(DayRange(TODAY, TODAY))
    assert f"{first} to {TODAY}: no request, from kept pages of harbour, ferry" in lines
    settled = pl.col("day") <= day(21)
    assert two.lake.read(SpendControl).filter(settled).equals(before.filter(settled))
    assert verify(two.settings, lambda _: None).holds
