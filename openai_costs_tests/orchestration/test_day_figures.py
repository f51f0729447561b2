"""Figures of days that are recorded at once are those that Dagster would record one by one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from openai_costs.orchestration.day_figures import record_days
from openai_costs.orchestration.event_log import unrecorded
from openai_costs_tests.orchestration.test_event_log import DAYS, RANGE
from openai_costs_tests.org import QUIET, calm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEDGER = dg.AssetKey("ledger")
FIRST, SECOND = (
    {date.fromisoformat(day): {name: 1, "day": day} for day in DAYS[:2]} for name in "ab"
)


def one_by_one(context: dg.AssetExecutionContext, figures: Mapping[date, dict[str, Any]]) -> None:
    for day, its in figures.items():
        context.add_asset_metadata(its, asset_key=LEDGER, partition_key=str(day))


def at_once(context: dg.AssetExecutionContext, figures: Mapping[date, dict[str, Any]]) -> None:
    record_days(context, LEDGER, figures)


def materialized(record: Callable[..., None]) -> list[tuple[str | None, Mapping[str, Any]]]:
    """The day and the metadata of each materialization."""

    @dg.asset(
        partitions_def=dg.DailyPartitionsDefinition(DAYS[0], end_offset=1),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def ledger(context):  # noqa: ANN001, ANN202 - Dagster reads annotations
        context.add_asset_metadata({"of": "all days"})
        record(context, FIRST)
        record(context, {})
        record(context, SECOND)

    job = dg.define_asset_job("all", selection=[ledger])
    defs = dg.Definitions(
        assets=[ledger],
        jobs=[job],
        resources={"io_manager": dg.mem_io_manager},
        executor=dg.in_process_executor,
    )
    with calm(), unrecorded() as instance:
        ran = defs.resolve_job_def("all").execute_in_process(
            instance=instance, tags=RANGE, run_config=QUIET
        )
        made = ran.get_asset_materialization_events()
    return [(one.partition, one.materialization.metadata) for one in made]


def test_figures_are_those_of_days_that_are_recorded_one_by_one() -> None:
    found = materialized(at_once)
    assert found == materialized(one_by_one)
    assert [day for day, _ in found] == DAYS
    assert set(found[0][1]) == {"of", "a", "b", "day"}
    assert set(found[2][1]) == {"of"}
