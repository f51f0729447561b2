"""A period looked at day after day, through the life that every finding has."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from openai_costs.kernel.days import DayRange
from openai_costs.outputs.alerts.judged_days import JudgedDays
from openai_costs.outputs.alerts.lifecycle import decide
from openai_costs.outputs.alerts.rows import Candidate, Finding, rows
from openai_costs.questions.budgets.findings import QUESTION, found, risk_since
from openai_costs.questions.budgets.status import LOOKED_DAYS
from openai_costs.settings import Alerts
from openai_costs_tests.questions.budgets.ledger import FIRST, budget, counted, status

if TYPE_CHECKING:
    from collections.abc import Iterable

NOVEMBER = [date(2026, 11, day) for day in (4, 5, 6, 12, 13, 14, 19, 20, 21, 25, 26, 27, 30)]
DECEMBER = DayRange(date(2026, 12, 1), date(2026, 12, 4))
ALERTS = Alerts(growing_factor=Decimal(100))
"""Growth is a matter of the life cycle; here it would only be in the way."""


@cache
def candidates(day: date) -> tuple[Candidate, ...]:
    """What is found on a day; the same whenever it is looked at."""
    one = budget("250", thresholds_pct=[50, 80])
    return tuple(rows(Candidate, found(status(one, counted(day)), [one])))


def told(days: Iterable[date]) -> Counter[tuple[str, str, str]]:
    """How often what was told, when these days were looked at, each when it had settled."""
    known: list[Finding] = []
    said: Counter[tuple[str, str, str]] = Counter()
    for day in days:
        judged = {(rule.id, "*"): set(DayRange(FIRST, day)) for rule in QUESTION.rules}
        look = decide(
            known,
            candidates(day),
            JudgedDays({rule.id: rule for rule in QUESTION.rules}, judged),
            ALERTS,
            day,
        )
        known = look.findings
        subjects = {one.finding_id: (one.rule, one.subject_id) for one in known}
        said.update((*subjects[change.finding_id], change.kind) for change in look.changes)
    return Counter({key: n for key, n in said.items() if "2026-11-01" in key[1]})


EVERYTHING_ONCE = Counter(
    {
        ("budgets.forecast_exceeds", "all/2026-11-01", "opened"): 1,
        ("budgets.forecast_exceeds", "all/2026-11-01", "closed"): 1,
        ("budgets.threshold", "all/2026-11-01/50%", "opened"): 1,
        ("budgets.threshold", "all/2026-11-01/50%", "closed"): 1,
        ("budgets.threshold", "all/2026-11-01/80%", "opened"): 1,
        ("budgets.threshold", "all/2026-11-01/80%", "closed"): 1,
        ("budgets.exceeded", "all/2026-11-01", "opened"): 1,
        ("budgets.exceeded", "all/2026-11-01", "closed"): 1,
    }
)


def test_everything_is_told_once_a_period_and_over_when_the_next_is_judged() -> None:
    assert told([*NOVEMBER, *DECEMBER]) == EVERYTHING_ONCE


def test_a_look_that_is_repeated_or_comes_late_tells_nothing_twice() -> None:
    days = [day for day in NOVEMBER if day.day in {5, 14, 21, 30}]
    assert told([day for one in (*days, DECEMBER.last) for day in (one, one)]) == EVERYTHING_ONCE


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
    assert LOOKED_DAYS >= 31
    assert {risk_since(rows[-LOOKED_DAYS:][:count]) for count in range(5, 23)} == {
        date(2026, 11, 5)
    }
