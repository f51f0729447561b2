"""Which failures in Dagster's history still stand: no later verdict or run is about the same.

A run may ask some connections only (orchestration/verdict_scope.py). What it found says nothing of
the others: a failure of a connection stands until it was looked at again, or left the settings.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord as Judged,
)
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus as Status,
)

from openai_costs.orchestration.jobs import asked_by
from openai_costs.orchestration.verdict_scope import Scope
from openai_costs.tables.candidate import EVERY_CONNECTION

MOST_FAILED = 10_000
"""Failed verdicts of a check that are looked through: a month of twenty connections has fewer."""

MOST_JUDGED = 1_000
"""Verdicts of a check on one day that are looked through."""

ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


class FailedVerdict(NamedTuple):
    """A verdict that still stands.

    Args:
        connection: Whose data it is about; `*` for all there is.
        day: The day; None where the check has no days.
        because: Why it failed.
        severity: How bad that is.
        judged_at: When it was given: seconds since 1970.
    """

    connection: str
    day: str | None
    because: str
    severity: dg.AssetCheckSeverity
    judged_at: float


def failed_verdicts(
    instance: dg.DagsterInstance,
    check: dg.AssetCheckKey,
    connections: Collection[str],
    first_day: str,
) -> Iterator[FailedVerdict]:
    """Yield the failed verdicts of a check that still stand, the newest of each day first.

    Args:
        instance: What Dagster has recorded.
        check: The check.
        connections: The connections that it can be about, of those that there are.
        first_day: Days before it are history.
    """
    storage = instance.event_log_storage
    failed = storage.get_asset_check_execution_history(check, MOST_FAILED, status={Status.FAILED})
    for day in dict.fromkeys(one.partition for one in failed):
        if day is None or day >= first_day:
            judged = storage.get_asset_check_execution_history(
                check,
                MOST_JUDGED,
                status={Status.FAILED, Status.SUCCEEDED},
                partition_filter=PartitionKeyFilter(key=day),
            )
            yield from _unresolved(judged, connections)


def _unresolved(
    judged: Collection[Judged], connections: Collection[str]
) -> Iterator[FailedVerdict]:
    """Yield what stands of the verdicts of a day: connections are looked at from the newest on."""
    left = {*connections}
    for one in sorted(judged, key=_judged_at, reverse=True):
        if not left:
            return
        verdict = one.evaluation
        if verdict is None:
            continue
        scope, reason = Scope.of(verdict), verdict.description or "it recorded no reason"
        failures = scope.failures if scope.connections else {EVERY_CONNECTION: reason}
        for name, because in failures.items() if not verdict.passed else ():
            if name in left or not scope.connections:
                yield FailedVerdict(name, one.partition, because, verdict.severity, _judged_at(one))
        left = left.difference(scope.connections) if scope.connections else set()


def _judged_at(one: Judged) -> float:
    return one.event.timestamp if one.event else one.create_timestamp


def failed_runs(
    instance: dg.DagsterInstance, job: str, connections: Collection[str], since: datetime
) -> Iterator[tuple[str, dg.RunRecord]]:
    """Yield the failed runs of a job that still stand: of each connection, the newest that ended.

    Args:
        instance: What Dagster has recorded.
        job: The job.
        connections: The connections that there are.
        since: Runs that ended before are history.

    Yields:
        The connection that a run asked, `*` for several, and the run.
    """
    left = {*connections}
    for one in _ended(instance, job, since, len(left) + 1):
        asked = asked_by(one.dagster_run)
        about = left.intersection(asked) if asked else left
        if about and one.dagster_run.status is dg.DagsterRunStatus.FAILURE:
            yield EVERY_CONNECTION if asked[1:] or not asked else asked[0], one
        left = left - about
        if not left:
            return


def _ended(
    instance: dg.DagsterInstance, job: str, since: datetime, at_once: int
) -> Iterator[dg.RunRecord]:
    """Yield the runs of a job that succeeded or failed, the newest first."""
    wanted = dg.RunsFilter(job_name=job, statuses=ENDED, updated_after=since)
    cursor = None
    while found := instance.get_run_records(wanted, limit=at_once, cursor=cursor):
        yield from found
        cursor = found[-1].dagster_run.run_id
