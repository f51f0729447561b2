"""Records what an evaluation changed: mart.finding_changes first, then mart.findings.

A process that dies in between loses no change and repeats none: the next evaluation restores the
finding from its newest change. Both functions are for a caller that holds the table
(`Lake.alone(Findings)`), and evaluates while it holds it: an evaluation from before the wait would
not know what others recorded or muted in the meantime.
"""

from dataclasses import replace
from datetime import date

import polars as pl

from openai_costs.outputs.alerts.ahead_of_time import brought_back
from openai_costs.outputs.alerts.confirmed_time import newest_read_at
from openai_costs.outputs.alerts.evaluation import Evaluation
from openai_costs.outputs.alerts.lifecycle import Decision, decide
from openai_costs.outputs.alerts.rows import (
    Candidate,
    Change,
    Finding,
    changes_frame,
    findings_frame,
    rows,
)
from openai_costs.settings import Alerts
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

_STATE_AFTER = {"opened": "open", "growing": "growing", "closed": "closed", "muted": "muted"}


def record(lake: Lake, evaluation: Evaluation, alerts: Alerts, today: date) -> None:
    """Record the changes, and replace the findings where anything differs."""
    before = lake.read(Findings)
    after = recorded(lake, evaluation, alerts, today)
    if not after.equals(before):
        lake.replace_whole(Findings, after)


def recorded(lake: Lake, evaluation: Evaluation, alerts: Alerts, today: date) -> pl.DataFrame:
    """Record the changes, and return mart.findings as the caller must store it.

    Args:
        lake: Where findings and their changes are.
        evaluation: The candidates, and the days that were judged.
        alerts: The mutes, and when a change is worth a message.
        today: The current UTC day.
    """
    changes = rows(Change, lake.read(FindingChanges))
    known = _known(rows(Finding, lake.read(Findings)), changes)
    candidates = rows(Candidate, evaluation.candidates)
    newest = newest_read_at(lake)
    is_of_now = newest is None or newest.date() <= today
    back = brought_back(known, today) if is_of_now else Decision(known)
    decision = decide(back.findings, candidates, evaluation.judged, alerts, today)
    numbers = {(one.finding_id, one.change) for one in changes}
    changed = [*back.changes, *decision.changes]
    new = [one for one in changed if (one.finding_id, one.change) not in numbers]
    if new:
        lake.replace_whole(FindingChanges, changes_frame([*changes, *new]))
    return findings_frame(decision.findings)


def _known(findings: list[Finding], changes: list[Change]) -> list[Finding]:
    newest = {one.finding_id: one for one in changes}
    return [_restored(one, newest.get(one.finding_id)) for one in findings]


def _restored(finding: Finding, newest: Change | None) -> Finding:
    """Return a finding with a change that was recorded before its process died."""
    if newest is None or newest.change <= finding.change:
        return finding
    return replace(
        finding,
        change=newest.change,
        state=_STATE_AFTER[newest.kind],
        told_usd=newest.impact_usd,
        severity=newest.severity,
        day=newest.day,
        closed_day=newest.changed_day if newest.kind == "closed" else None,
        acknowledged_by=None,
        acknowledged_day=None,
    )
