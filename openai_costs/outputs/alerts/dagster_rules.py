"""The rules data.check_failed and data.run_failed: what Dagster's own record says is red now.

Looks at the newest verdict of every check and partition and at the newest finished run of every
job, so that nothing has to be remembered between two looks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.redaction import redacted
from openai_costs.outputs.alerts.message import one_line
from openai_costs.questions.rules import Rule
from openai_costs.tables.candidate import EVERY_CONNECTION, Finding, candidates

CHECK_FAILED = Rule("data.check_failed", quiet_days=0)
RUN_FAILED = Rule("data.run_failed", quiet_days=0)
LOOK_BACK = timedelta(days=30)
"""A run that failed longer ago is history, also when nobody ran the job again; so is a red day
that is older: a backfill of old days must not fill inboxes."""

_SEVERITY = {"ERROR": "critical", "WARN": "warning"}
_NAMED = 5


@dataclass(frozen=True)
class Record:
    """Dagster's record, and what there is to look for in it."""

    instance: dg.DagsterInstance
    graph: Any  # Dagster gives its asset graph no public name
    jobs: Sequence[str]

    def red(self, now: datetime, owner: str) -> pl.DataFrame:
        """Return a candidate for every check and every job that is red.

        Args:
            now: The current instant.
            owner: Who is told where an asset has no owner, and of runs.
        """
        found = [*self._checks(now.date(), owner), *self._runs(now, owner)]
        return candidates(pl.DataFrame(found, infer_schema_length=None)) if found else _nothing()

    def _checks(self, today: date, owner: str) -> Iterator[dict[str, Any]]:
        keys = sorted(self.graph.asset_check_keys)
        storage = self.instance.event_log_storage
        red: dict[dg.AssetCheckKey, list[Any]] = {}
        for one in storage.get_asset_check_partition_info(keys):
            is_news = not one.partition_key or one.partition_key >= str(today - LOOK_BACK)
            if is_news and one.latest_execution_status.value == "FAILED":
                red.setdefault(one.check_key, []).append(one)
        for key, partitions in red.items():
            owners = self.graph.get(key.asset_key).owners if self.graph.has(key.asset_key) else ()
            yield self._check(key, partitions, today, next(iter(owners), owner))

    def _check(
        self, key: dg.AssetCheckKey, red: Sequence[Any], today: date, owner: str
    ) -> dict[str, Any]:
        status = {one.latest_execution_status for one in red}
        days = sorted(one.partition_key for one in red if one.partition_key)
        history = self.instance.event_log_storage.get_asset_check_execution_history(
            key, limit=len(red) + 10, status=status
        )
        of_these = (one for one in history if not days or one.partition in days)
        newest: Any = next(of_these, history[0])
        verdict = newest.event.dagster_event.asset_check_evaluation_data
        said = verdict.description or "it did not pass"
        where = f" for {_some(days)}" if days else ""
        since = datetime.fromtimestamp(newest.create_timestamp, UTC).date()
        return {
            "rule": CHECK_FAILED.id,
            "severity": _SEVERITY[verdict.severity.value],
            "subject_kind": "check",
            "subject_id": f"{key.asset_key.to_user_string()}:{key.name}",
            "because": redacted(one_line(f"The check is red{where}: {said}")),
            "table_name": ".".join(key.asset_key.path),
            "owner": owner,
            **_state(today, since, len(days) or 1, "days" if days else "checks"),
        }

    def _runs(self, now: datetime, owner: str) -> Iterator[dict[str, Any]]:
        over = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
        for job in self.jobs:
            asked = dg.RunsFilter(job_name=job, statuses=over, updated_after=now - LOOK_BACK)
            for record in self.instance.get_run_records(asked, limit=1):
                run = record.dagster_run
                if run.status is dg.DagsterRunStatus.FAILURE:
                    said = " ".join(dict.fromkeys(self._reasons(run.run_id)))
                    since = datetime.fromtimestamp(record.end_time or now.timestamp(), UTC).date()
                    yield {
                        "rule": RUN_FAILED.id,
                        "severity": "critical",
                        "subject_kind": "job",
                        "subject_id": job,
                        "because": redacted(one_line(f"Run {run.run_id[:8]} failed: {said}")),
                        "table_name": "published.duckdb",
                        "owner": owner,
                        **_state(now.date(), since, 1, "runs"),
                    }

    def _reasons(self, run_id: str) -> Iterator[str]:
        """Yield what the failed steps said; where no step failed, what the run itself said."""
        for kind in (dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE):
            for record in self.instance.get_records_for_run(run_id, of_type=kind).records:
                event = record.event_log_entry.dagster_event
                told = event.step_failure_data if event and event.is_step_failure else None
                failure = told.user_failure_data if told else None
                yield (failure.description if failure else None) or _first_line(told, event)
                return


def _first_line(told: Any, event: Any) -> str:  # noqa: ANN401 - Dagster's event data
    """Return the first line of what went wrong at the bottom of it."""
    error = told.error if told else None
    while error and error.cause:
        error = error.cause
    said = error.message if error else (event.message if event else "")
    return (said or "no reason was recorded").strip().splitlines()[0]


def _state(today: date, since: date, count: int, unit: str) -> dict[str, Any]:
    """Return the fields of a condition that holds now."""
    return {
        "subject_name": None,
        "connection": EVERY_CONNECTION,
        "day": today,
        "since_day": min(since, today),
        "observed": count,
        "expected": 0,
        "unit": unit,
    }


def _some(days: Iterable[str]) -> str:
    named = list(days)
    more = f" and {len(named) - _NAMED} more days" if len(named) > _NAMED else ""
    return ", ".join(named[-_NAMED:]) + more


def _nothing() -> pl.DataFrame:
    return Finding.no_rows()
