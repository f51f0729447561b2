"""The event log that is a list gives a run what Dagster's own log in memory gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.storage.runs import InMemoryRunStorage
from sqlalchemy import text

from openai_costs.orchestration.event_log import RunsInMemory, unrecorded
from openai_costs_tests.org import QUIET, calm

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

RUN = "11111111-2222-3333-4444-555555555555"
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]
RANGE = {
    "dagster/asset_partition_range_start": DAYS[0],
    "dagster/asset_partition_range_end": DAYS[-1],
}
CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
PLANNED = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED


def graph() -> dg.Definitions:
    """Two daily assets, one of them checked, one of all days, one that fails, and one after it."""
    days = dg.DailyPartitionsDefinition("2026-11-01", end_offset=1)
    daily: dict[str, Any] = {
        "partitions_def": days,
        "backfill_policy": dg.BackfillPolicy.single_run(),
    }
    spec = dg.AssetCheckSpec("sound", asset="ledger", partitions_def=days)

    @dg.asset(check_specs=[spec], **daily)
    def ledger(context):  # noqa: ANN001, ANN202 - Dagster reads annotations
        context.log.info("told")
        yield dg.Output(None)
        for day in DAYS:
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey("ledger"), check_name="sound", passed=True, partition=day
            )
        yield dg.Output(None, output_name=spec.get_python_identifier())

    @dg.asset(deps=[ledger], **daily)
    def spend() -> None:
        """Add up."""

    @dg.asset(deps=[spend])
    def whole() -> None:
        """Look at all days."""

    @dg.asset(deps=[whole])
    def broken() -> None:
        raise ValueError("broken")

    @dg.asset(deps=[broken])
    def after() -> None:
        """Never run."""

    assets = [ledger, spend, whole, broken, after]
    return dg.Definitions(
        assets=assets,
        jobs=[dg.define_asset_job("all", selection=dg.AssetSelection.assets(*assets))],
        resources={"io_manager": dg.mem_io_manager},
        executor=dg.in_process_executor,
    )


def events(instances: AbstractContextManager[dg.DagsterInstance]) -> list[tuple[Any, ...]]:
    """What the same run tells: of its steps and assets, and what its log has of it."""
    with calm(), instances as instance:
        job = graph().resolve_job_def("all")
        ran = job.execute_in_process(
            instance=instance, run_id=RUN, tags=RANGE, run_config=QUIET, raise_on_error=False
        )
        kept = instance.all_logs(RUN)
        checked = instance.get_records_for_run(RUN, of_type=CHECKED).records
        status = instance.get_run_by_id(RUN)
    assert status is not None
    return [
        *((one.event_type, one.step_key, one.asset_key, one.partition) for one in ran.all_events),
        *((one.user_message, one.step_key) for one in kept if not one.dagster_event),
        *(_known(one) for one in kept if one.dagster_event and one.dagster_event_type != PLANNED),
        *((one.event_type, one.asset_key, one.partition_key) for one in checked),
        *(tags(one.asset_materialization) for one in kept if one.asset_materialization),
        (status.status,),
    ]


def _known(entry: dg.EventLogEntry) -> tuple[Any, ...]:
    return entry.dagster_event_type, entry.step_key


def tags(made: dg.AssetMaterialization) -> tuple[Any, ...]:
    """The versions of an asset and of what it was made of; ids of the log are its own affair."""
    versions = {key: value for key, value in (made.tags or {}).items() if "data_version" in key}
    return (made.asset_key, made.partition, sorted(versions.items()))


def test_a_run_reports_the_same_as_under_dagsters_own_log_in_memory() -> None:
    ours = events(unrecorded())
    assert ours == events(dg.DagsterInstance.ephemeral())
    assert ("Dependencies for step after failed: ['broken']. Not executing.", "after") in ours
    assert len([one for one in ours if one[0] is CHECKED]) > len(DAYS)


def test_the_days_that_a_run_plans_are_one_event_for_each_asset() -> None:
    with calm(), unrecorded() as instance:
        job = graph().resolve_job_def("all")
        job.execute_in_process(
            instance=instance, run_id=RUN, tags=RANGE, run_config=QUIET, raise_on_error=False
        )
        planned = instance.get_records_for_run(RUN, of_type=PLANNED).records
        names = [one.asset_key.to_user_string() for one in planned if one.asset_key]
    assert sorted(names) == ["after", "broken", "ledger", "spend", "whole"]


@pytest.mark.parametrize(
    "question",
    [
        lambda instance: instance.get_materialized_partitions(dg.AssetKey("ledger")),
        lambda instance: instance.fetch_materializations(dg.AssetKey("ledger"), limit=1),
        lambda instance: instance.get_latest_materialization_event(dg.AssetKey("ledger")),
        lambda instance: instance.get_records_for_run(RUN, limit=1),
        lambda instance: instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey("ledger"), "sound"), limit=1
        ),
    ],
)
def test_what_no_run_asks_is_refused_and_not_answered_wrongly(question: Any) -> None:  # noqa: ANN401
    with unrecorded() as instance, pytest.raises(NotImplementedError, match="unrecorded run"):
        question(instance)


def tables(storage: InMemoryRunStorage) -> list[tuple[str, str]]:
    """The tables and indexes that a storage has, and how they are made."""
    with storage.connect() as sql:
        rows = sql.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        return sorted((name, " ".join(made.split())) for name, made in rows)


def test_runs_in_memory_have_the_tables_of_dagsters_own_and_no_runs_of_others() -> None:
    ours, another, theirs = RunsInMemory(), RunsInMemory(), InMemoryRunStorage()
    of_migrations = {"alembic_version", "sqlite_autoindex_alembic_version_1"}
    wanted = [one for one in tables(theirs) if one[0] not in of_migrations]
    assert tables(ours) == wanted
    ours.add_run(dg.DagsterRun(job_name="all", run_id=RUN))
    assert [len(one.get_runs()) for one in (ours, another)] == [1, 0]
    assert ours.get_run_storage_id() != another.get_run_storage_id()
