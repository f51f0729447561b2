"""Findings of days that have not come: they end, and what still holds begins again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openai_costs.outputs.alerts.ahead_of_time import brought_back, findings_ahead
from openai_costs.outputs.alerts.lifecycle import decide
from openai_costs.outputs.alerts.rows import AHEAD
from openai_costs.settings import Alerts
from openai_costs_tests.outputs.alerts.fixtures import (
    LATE,
    candidate,
    day,
    finding,
    judged,
    through,
)

TODAY = day(23)
AFTER = 60
"""The day by a clock that was ahead."""


def late(first: int, last: int, **other: object) -> dict[str, object]:
    return {"first": first, "last": last, "rule": LATE.id, "severity": "critical", **other}


def test_a_finding_of_a_day_that_has_not_come_ends_today() -> None:
    ahead = finding(**late(25, AFTER, opened_day=day(AFTER), state="open"))
    done = brought_back([ahead], TODAY)
    (found,) = done.findings
    assert (found.state, found.closed_day, found.opened_day) == ("closed", TODAY, TODAY)
    assert max(found.day, found.since_day) < TODAY
    assert [(one.kind, one.is_told, one.changed_day) for one in done.changes] == [
        ("closed", True, TODAY)
    ]
    assert "clock" in done.changes[0].because
    again = brought_back(done.findings, TODAY)
    assert (again.findings, again.changes) == (done.findings, [])


def test_a_muted_one_ends_without_a_message() -> None:
    ahead = finding(**late(25, AFTER, opened_day=day(AFTER), state="muted"))
    assert [one.is_told for one in brought_back([ahead], TODAY).changes] == [False]


@pytest.mark.parametrize("days", [0, AHEAD.days])
def test_a_finding_of_today_or_of_few_days_on_stays_as_it_is(days: int) -> None:
    known = [finding(**late(20, 23 + days, opened_day=TODAY + timedelta(days=days)))]
    done = brought_back(known, TODAY)
    assert (done.findings, done.changes) == (known, [])
    assert findings_ahead(known, TODAY) == []


def test_what_still_holds_begins_again_with_a_message_of_its_own() -> None:
    ahead = finding(**late(25, AFTER, opened_day=day(AFTER), state="open", change=1))
    known = brought_back([ahead], TODAY).findings
    gap = candidate(**late(20, 23))
    decision = decide(known, [gap], judged(23, rule=LATE), Alerts(), TODAY)
    assert [(one.kind, one.is_told) for one in decision.changes] == [("opened", True)]
    (found,) = decision.findings
    assert (found.state, found.day, found.since_day) == ("open", TODAY, day(20))


def test_what_a_clock_ahead_took_for_long_past_is_opened() -> None:
    closed = finding(20, 22, state="closed", change=0, opened_day=day(AFTER), closed_day=day(AFTER))
    known = brought_back([closed], TODAY).findings
    decision = decide(known, [candidate(20, 22)], through(22), Alerts(), TODAY)
    assert [(one.kind, one.is_told) for one in decision.changes] == [("opened", True)]


def test_what_a_clock_ahead_closed_is_closed_as_of_today() -> None:
    closed = finding(18, 19, state="closed", closed_day=day(AFTER))
    done = brought_back([closed], TODAY)
    assert (done.findings[0].closed_day, done.changes) == (TODAY, [])
    assert done.findings[0].day == closed.day


def test_findings_with_any_day_that_has_not_come_are_named() -> None:
    known = [
        finding(finding_id="a", opened_day=day(AFTER)),
        finding(finding_id="b", closed_day=day(AFTER), state="closed"),
        finding(finding_id="c"),
    ]
    assert findings_ahead(known, TODAY) == ["a", "b"]
