"""A finding with a change of its state, and the row that records it. Pure.

Not here: which change it is (lifecycle.py, ahead_of_time.py).
"""

from dataclasses import replace
from datetime import date

from openai_costs.outputs.alerts.rows import Change, Finding


def changed(
    finding: Finding, kind: str, today: date, *, is_told: bool = True
) -> tuple[Finding, Change]:
    """Return a finding with the number of its change, not acknowledged any more, and the change.

    Args:
        finding: The finding in its new state.
        kind: opened, growing, closed or muted.
        today: The current UTC day.
        is_told: Whether the change is worth a message.
    """
    new = replace(
        finding,
        change=finding.change + 1,
        told_usd=finding.impact_usd,
        acknowledged_by=None,
        acknowledged_day=None,
    )
    return new, Change(
        finding_id=new.finding_id,
        change=new.change,
        kind=kind,
        changed_day=today,
        is_told=is_told,
        severity=new.severity,
        day=new.day,
        observed=new.observed,
        expected=new.expected,
        unit=new.unit,
        impact_usd=new.impact_usd,
        because=_reason(new, kind),
        outlook=new.outlook,
    )


def unmuted(finding: Finding, state: str) -> Finding:
    """Return a finding in a state that is not muted."""
    return replace(
        finding, state=state, closed_day=None, muted_until=None, mute_reason=None, muted_by=None
    )


def _reason(finding: Finding, kind: str) -> str:
    """Return the reason of a change; who muted it, and why, is kept for good only there."""
    if kind != "muted":
        return finding.because
    muted = f"muted through {finding.muted_until} by {finding.muted_by}: {finding.mute_reason}"
    return f"{finding.because} ({muted})"
