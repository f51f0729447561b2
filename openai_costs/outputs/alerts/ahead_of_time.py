"""Findings of days that have not come: what a run under a clock ahead left behind. Pure.

Such a finding ends, and what still holds begins again with a message of its own. Not here: what day
it is (confirmed_time.py).
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from openai_costs.kernel.days import ONE_DAY
from openai_costs.outputs.alerts.changed import changed, unmuted
from openai_costs.outputs.alerts.lifecycle import Decision
from openai_costs.outputs.alerts.rows import AHEAD, Finding

WHY = "It was judged by a clock that was ahead, of days that had not come."


def brought_back(known: Iterable[Finding], today: date) -> Decision:
    """Return the findings without days that have not come, and the changes that this makes.

    Args:
        known: The findings so far.
        today: The current UTC day.
    """
    done = Decision()
    for one in known:
        if not one.change and _last_day(one) > today + AHEAD:  # recorded as long past: it is not
            continue
        finding = one
        if one.day > today + AHEAD and one.state != "closed":
            ended = replace(unmuted(one, "closed"), closed_day=today, because=WHY)
            finding, change = changed(ended, "closed", today, is_told=one.state != "muted")
            done.changes.append(change)
        done.findings.append(_dated(finding, today))
    return done


def _dated(one: Finding, today: date) -> Finding:
    """Return a finding as of yesterday alone, where it is of a day that has not come.

    What still holds today begins again, since the day that it is judged from now.
    """
    if _last_day(one) <= today + AHEAD:
        return one
    closed_day = min(one.closed_day, today) if one.closed_day else None
    dated = replace(one, opened_day=min(one.opened_day, today), closed_day=closed_day)
    yesterday = today - ONE_DAY
    return dated if one.day <= today else replace(dated, day=yesterday, since_day=yesterday)


def findings_ahead(findings: Iterable[Finding], today: date) -> list[str]:
    """Return the ids of the findings with a day that has not come."""
    return [one.finding_id for one in findings if _last_day(one) > today + AHEAD]


def _last_day(one: Finding) -> date:
    return max(one.day, one.opened_day, one.closed_day or one.day)
