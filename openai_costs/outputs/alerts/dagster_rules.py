"""The rules data.check_failed and data.run_failed: checks and runs that Dagster has as failed now.

Read from what Dagster has recorded, so that nothing has to be remembered between two evaluations.
Not here: which failures still stand (unresolved_failures.py).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.formatting import listed
from openai_costs.kernel.redaction import redacted
from openai_costs.outputs.alerts.titles import one_line
from openai_costs.outputs.alerts.unresolved_failures import (
    FailedVerdict,
    failed_runs,
    failed_verdicts,
)
from openai_costs.questions.rules import Rule
from openai_costs.settings.load import Settings
from openai_costs.sources.connections_of_assets import connections_of
from openai_costs.tables.candidate import Finding, candidates

CHECK_FAILED = Rule(
    "data.check_failed",
    title="The check {name} failed on {since}",
    next_step="Correct the cause, see docs/operations.md#checks. Then materialize the days again.",
    span="",
    quiet_days=0,
)
RUN_FAILED = Rule(
    "data.run_failed",
    title="The job {name} failed on {since}",
    next_step="Open the run in Dagster, correct the cause, and start the job again.",
    span="",
    quiet_days=0,
)
LOOKBACK = timedelta(days=30)
"""A run that failed longer ago is history, also when the job never ran again; so is a failed day
that is older: a backfill of old days must not fill inboxes."""

_SEVERITY = {"ERROR": "critical", "WARN": "warning"}
_LISTED_DAYS = 5


@dataclass(frozen=True)
class DagsterHistory:
    """What Dagster has recorded of checks and runs, and which of them to look for.

    Args:
        instance: What it has recorded.
        graph: The assets and their checks.
        jobs: The jobs.
        settings: The connections that there are, and the gateway: what failed of others is not
            asked, because nothing looks at it any more.
    """

    instance: dg.DagsterInstance
    graph: Any  # Dagster gives its asset graph no public name
    jobs: Sequence[str]
    settings: Settings

    def candidates(self, now: datetime, owner: str) -> pl.DataFrame:
        """Return a candidate for every check and job that failed, and connection that it is about.

        Args:
            now: The current instant.
            owner: The owner of findings about runs, and about assets without an owner.
        """
        failed = [*self._checks(now.date(), owner), *self._runs(now, owner)]
        if not failed:
            return Finding.no_rows()
        return candidates(pl.DataFrame(failed, infer_schema_length=None))

    def _checks(self, today: date, owner: str) -> Iterator[dict[str, Any]]:
        first_day = str(today - LOOKBACK)
        for check in sorted(self.graph.asset_check_keys):
            failed = defaultdict[str, list[FailedVerdict]](list)
            asset = check.asset_key
            its = connections_of(asset, self.settings)
            for one in failed_verdicts(self.instance, check, its, first_day):
                failed[one.connection].append(one)
            owners = self.graph.get(asset).owners if self.graph.has(asset) else ()
            for days in failed.values():
                yield _check(check, days, today, next(iter(owners), owner))

    def _runs(self, now: datetime, owner: str) -> Iterator[dict[str, Any]]:
        asked = [one.name for one in self.settings.connections]  # no run asks a gateway only
        for job in self.jobs:
            failed = failed_runs(self.instance, job, asked, now - LOOKBACK)
            newest = dict(reversed([*failed]))
            for connection, record in newest.items():
                yield self._run(job, record, now, owner) | {"connection": connection}

    def _run(self, job: str, record: dg.RunRecord, now: datetime, owner: str) -> dict[str, Any]:
        run_id = record.dagster_run.run_id
        since = datetime.fromtimestamp(record.end_time or now.timestamp(), UTC).date()
        return {
            "rule": RUN_FAILED.id,
            "severity": "critical",
            "subject_kind": "job",
            "subject_id": job,
            "because": redacted(one_line(f"Run {run_id[:8]} failed: {self._reason(run_id)}")),
            "table_name": "published.duckdb",
            "owner": owner,
            **_state(now.date(), since, 1, "runs"),
        }

    def _reason(self, run_id: str) -> str:
        """Return why the first failed step failed; where no step failed, why the run did."""
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
            for record in self.instance.get_records_for_run(run_id, of_type=kind).records:
                event = record.event_log_entry.dagster_event
                step = event.step_failure_data if event and event.is_step_failure else None
                failure = step.user_failure_data if step else None
                return (failure.description if failure else None) or _first_line(step, event)
        return "no reason was recorded"


def _check(
    check: dg.AssetCheckKey, failed: Sequence[FailedVerdict], today: date, owner: str
) -> dict[str, Any]:
    newest = max(failed, key=lambda one: one.judged_at)
    days = sorted((one.day for one in failed if one.day), reverse=True)
    where = f" for {listed(days, _LISTED_DAYS, 'day')}" if days else ""
    since = datetime.fromtimestamp(newest.judged_at, UTC).date()
    return {
        "rule": CHECK_FAILED.id,
        "severity": _SEVERITY[newest.severity.value],
        "subject_kind": "check",
        "subject_id": f"{check.asset_key.to_user_string()}:{check.name}",
        "because": redacted(one_line(f"The check failed{where}: {newest.because}")),
        "table_name": ".".join(check.asset_key.path),
        "owner": owner,
        **_state(today, since, len(failed), "days" if days else "checks"),
        "connection": newest.connection,
    }


def _first_line(step: Any, event: Any) -> str:  # noqa: ANN401 - Dagster's event data
    """Return the first line of the error at the bottom of the chain."""
    error = step.error if step else None
    while error and error.cause:
        error = error.cause
    text = error.message if error else (event.message if event else "")
    return (text or "no reason was recorded").strip().splitlines()[0]


def _state(today: date, since: date, count: int, unit: str) -> dict[str, Any]:
    """Return the columns of a condition that holds today."""
    return {
        "subject_name": None,
        "day": today,
        "since_day": min(since, today),
        "observed": count,
        "expected": 0,
        "unit": unit,
    }
