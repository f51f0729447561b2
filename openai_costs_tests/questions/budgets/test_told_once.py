"""A period looked at day after day, through the life that every finding has."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.outputs.alerts.judged_days import JudgedDays
from openai_costs.outputs.alerts.lifecycle import decide
from openai_costs.outputs.alerts.rows import Candidate, Change, Finding, rows
from openai_costs.questions.budgets.findings import QUESTIONS, budget_candidates, risk_since
from openai_costs.questions.budgets.status import FORECAST_DAYS
from openai_costs.settings import Alerts
from openai_costs_tests.questions.budgets.ledger import FIRST, budget, counted, forecast_on, status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOVEMBER = [date(2026, 11, day) for day in (5, 6, 13, 14, 20, 21, 26, 30)]
DECEMBER = [date(2026, 12, 1), date(2026, 12, 4)]
ALERTS = Alerts(growing_factor=Decimal(100))
"""Growth is a matter of the life cycle; here it would only be in the way."""
CREDITED = date(2026, 11, 20)


@cache
def seen_on(day: date, limit: str, credit: str) -> tuple[Candidate, ...]:
    """The candidates of a day; the same whenever it is evaluated."""
    one = budget(limit, thresholds_pct=[50, 80])
    other = {CREDITED: credit} if credit and day >= CREDITED else {}
    return tuple(rows(Candidate, budget_candidates(status(one, counted(day, other=other)), [one])))


def reported(
    days: Iterable[date], limit: str = "250", credit: str = ""
) -> list[tuple[date, str, str, str]]:
    """The changes of November that are sent: day, rule, subject, kind."""
    changes: list[tuple[date, str, str, str]] = []
    for day, known, made in lived(days, limit, credit):
        subjects = {one.finding_id: (one.rule, one.subject_id) for one in known}
        sent = [one for one in made if one.is_told]
        changes += [(day, *subjects[one.finding_id], one.kind) for one in sent]
    return [one for one in changes if "2026-11-01" in one[2]]


def known_after(days: Iterable[date], limit: str, credit: str) -> list[Finding]:
    """The findings after the last of some days."""
    return [known for _, known, _ in lived(days, limit, credit)][-1]


def lived(
    days: Iterable[date], limit: str, credit: str
) -> Iterator[tuple[date, list[Finding], list[Change]]]:
    """Each day, the findings after it, and what it changed."""
    known: list[Finding] = []
    for day in days:
        rules = {rule.id: rule for one in QUESTIONS for rule in one.rules}
        judged = {(rule, "*"): set(DayRange(FIRST, day)) for rule in rules}
        look = decide(
            known,
            seen_on(day, limit, credit),
            JudgedDays(rules, judged),
            ALERTS,
            day,
        )
        known = look.findings
        yield day, known, look.changes


def told(days: Iterable[date]) -> Counter[tuple[str, str, str]]:
    """How often each change was reported, when these days were evaluated as they settled."""
    return Counter((rule, subject, kind) for _, rule, subject, kind in reported(days))


EVERYTHING_ONCE = Counter(  # the end of the forecast is not: the exceeded limit took its place
    {
        ("budgets.forecast_exceeds", "all/2026-11-01", "opened"): 1,
        ("budgets.threshold", "all/2026-11-01/50%", "opened"): 1,
        ("budgets.threshold", "all/2026-11-01/80%", "opened"): 1,
        ("budgets.exceeded", "all/2026-11-01", "opened"): 1,
        ("budgets.exceeded", "all/2026-11-01", "closed"): 1,
    }
)


def test_everything_is_reported_once_a_period_and_closed_when_the_next_is_judged() -> None:
    assert told([*NOVEMBER, *DECEMBER]) == EVERYTHING_ONCE


def test_a_credit_closes_what_was_exceeded_on_its_day() -> None:
    days = DayRange(date(2026, 11, 15), date(2026, 11, 22))
    with forecast_on(1):
        changes = reported(days, "175", "-90")
    exceeded = [(day.day, kind) for day, rule, _, kind in changes if rule == "budgets.exceeded"]
    assert exceeded == [(18, "opened"), (20, "closed")]


@pytest.mark.parametrize(
    ("credit", "since"),
    [("-90", date(2026, 11, 27)), ("-25", date(2026, 11, 21))],
    ids=["a week later", "within the days that are one incident"],
)
def test_a_share_that_holds_again_after_a_credit_is_not_a_message_and_says_since_when(
    credit: str, since: date
) -> None:
    days = DayRange(date(2026, 11, 15), since)
    with forecast_on(1):
        changes = reported(days, "340", credit)
        now = [one for one in known_after(days, "340", credit) if one.state == "open"]
    passed = [(day.day, kind) for day, rule, _, kind in changes if rule == "budgets.threshold"]
    assert passed == [(17, "opened")]
    ((share, since_day, because),) = (
        (one.subject_id, one.since_day, one.because)
        for one in now
        if one.rule == "budgets.threshold" and "2026-11-01" in one.subject_id
    )
    assert (share, since_day) == ("all/2026-11-01/50%", since)
    assert f" on {since}, " in because


def test_a_period_first_seen_above_its_limit_is_one_message() -> None:
    changes = reported([date(2026, 11, 28)])
    assert [(rule, kind) for _, rule, _, kind in changes] == [("budgets.exceeded", "opened")]


def test_an_evaluation_that_is_repeated_or_late_reports_nothing_twice() -> None:
    days = [day for day in NOVEMBER if day.day in {5, 14, 21, 30}]
    assert told([day for one in (*days, DECEMBER[-1]) for day in (one, one)]) == EVERYTHING_ONCE


def test_a_forecast_that_wavers_below_the_limit_for_weeks_is_one_message_in_a_month() -> None:
    """Above it on the fifth, within the band until the twenty-second, then above again."""
    limit = Decimal(300)
    first, spent = date(2026, 11, 1), Decimal(5)
    rows = [
        {
            "day": first + timedelta(days=number),
            "period_start": first,
            "period_end": date(2026, 11, 30),
            "spent_usd": spent,
            "limit_usd": limit,
            "forecast_usd": Decimal(301 if number in {4, 21} else 297),
            "forecast_high_usd": Decimal(310),
        }
        for number in range(22)
    ]
    assert FORECAST_DAYS >= 31
    assert {risk_since(rows[-FORECAST_DAYS:][:count]) for count in range(5, 23)} == {
        date(2026, 11, 5)
    }
