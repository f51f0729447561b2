"""Publishes after runs that leave the publication behind the lake: some of the assets of some days.

What counts is what the lake has and readers have not, and not how a run was started: a backfill of
daily assets, the re-execution of a failed run, one day from the UI. Not here: the jobs (jobs.py).
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.execution.backfill import BulkActionStatus

from openai_costs.kernel.days import Clock, DayRange, consecutive
from openai_costs.orchestration.jobs import PUBLISH, REBUILD, range_tags
from openai_costs.outputs.publish.assets import DATABASE
from openai_costs.outputs.publish.publication_state import unpublished
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.settings.load import Settings
from openai_costs.settings.read_again import Current
from openai_costs.sources.refused_days import days_without_tables
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake

BACKFILL = "dagster/backfill"
"""Dagster's tag of a run that belongs to a backfill: its name."""


def publication_sensor(
    current: Current,
    clock: Clock,
    jobs: Iterable[dg.JobDefinition | UnresolvedAssetJobDefinition],
    since: date,
) -> dg.SensorDefinition:
    """Build the sensor that publishes what runs left out.

    Args:
        current: Returns the settings: where the lake is, and for which connections it is rebuilt.
        clock: Returns the current time.
        jobs: PUBLISH and REBUILD are among them.
        since: The first day that runs can be of, whatever the settings say now.
    """

    @dg.run_status_sensor(
        name="publication_follows_the_lake",
        run_status=dg.DagsterRunStatus.SUCCESS,
        request_jobs=[one for one in jobs if one.name in {PUBLISH, REBUILD}],
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Make findings, database and page again after a run of daily assets that "
        "leaves them out. On, because it asks no provider.",
    )
    def follow(context: dg.RunStatusSensorContext) -> Iterator[Any]:
        if is_unpublished_after(context.dagster_run, context.instance):
            settings = current()
            days = DayRange(max(since, settings.first_day), clock().date())
            yield from requests(settings, days, context.dagster_run.run_id)

    return follow


def is_unpublished_after(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Return whether neither a run nor the backfill that it belongs to publishes.

    A backfill leaves out what depends on a run that failed, so it does not count for a run that
    was executed again.
    """
    made = run.asset_selection
    if made is None or DATABASE in made:
        return False
    backfill = instance.get_backfill(run.tags.get(BACKFILL, ""))
    if backfill is None or run.parent_run_id is not None:
        return True
    is_under_way = backfill.status is BulkActionStatus.REQUESTED
    return not (is_under_way and DATABASE in (backfill.asset_selection or ()))


def requests(settings: Settings, days: DayRange, after: str) -> Iterator[dg.RunRequest]:
    """Yield what brings the publication up to date with the lake, once after a run.

    Days whose tables are not all of one read, or of which there are pages alone, are rebuilt from
    kept pages, which also publishes; those of a connection that left the settings, or of a wrong
    clock, cannot be.

    Args:
        settings: Where the lake is, and which connections there are.
        days: Those that a run can be of.
        after: The run.
    """
    home, names = place(settings.home), {one.name for one in settings.connections}
    lake = Lake(home)
    unfinished = {*slices_in_flight(lake), *days_without_tables(settings, lake)}
    made_again = {day for name, day in unfinished if name in names and day in days}
    for some in consecutive(made_again):
        key = f"rebuild:{after}:{some}"
        yield dg.RunRequest(run_key=key, job_name=REBUILD, tags=range_tags(some))
    if not made_again and unpublished(home, lake):
        yield dg.RunRequest(run_key=f"publish:{after}", job_name=PUBLISH)
