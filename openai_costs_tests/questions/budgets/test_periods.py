from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.questions.budgets.periods import (
    compared_with,
    period_before,
    period_of,
    periods_through,
)
from openai_costs.settings import Budget


def budget(period: str, **said: object) -> Budget:
    return Budget.model_validate({"name": "b", "limit_usd": 1, "period": period, **said})


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        ("daily", "2026-11-24", "2026-11-24", "2026-11-24"),
        ("weekly", "2026-11-24", "2026-11-23", "2026-11-29"),
        ("weekly", "2026-11-29", "2026-11-23", "2026-11-29"),
        ("monthly", "2028-02-10", "2028-02-01", "2028-02-29"),
        ("monthly", "2026-12-31", "2026-12-01", "2026-12-31"),
        ("quarterly", "2026-11-24", "2026-10-01", "2026-12-31"),
        ("quarterly", "2026-01-01", "2026-01-01", "2026-03-31"),
        ("yearly", "2028-03-01", "2028-01-01", "2028-12-31"),
    ],
)
def test_a_day_belongs_to_the_period_of_the_calendar(
    period: str, day: str, first: str, last: str
) -> None:
    found = period_of(budget(period), date.fromisoformat(day))
    assert found == DayRange(date.fromisoformat(first), date.fromisoformat(last))


def test_a_range_is_its_own_period_and_has_none_before() -> None:
    conference = budget("range", start=date(2026, 11, 20), end=date(2026, 12, 3))
    assert period_of(conference, date(2026, 11, 25)) == DayRange(
        date(2026, 11, 20), date(2026, 12, 3)
    )
    assert period_of(conference, date(2026, 11, 19)) is None
    assert period_of(conference, date(2026, 12, 4)) is None
    assert period_before(conference, DayRange(date(2026, 11, 20), date(2026, 12, 3))) is None


def test_a_budget_that_starts_within_a_month_is_for_the_days_from_then_on() -> None:
    late = budget("monthly", start=date(2026, 11, 16))
    november = period_of(late, date(2026, 11, 20))
    assert november == DayRange(date(2026, 11, 16), date(2026, 11, 30))
    assert period_before(late, november) is None


@given(
    st.sampled_from(["daily", "weekly", "monthly", "quarterly", "yearly"]),
    st.dates(date(2020, 1, 1), date(2035, 12, 31)),
)
def test_periods_follow_one_another_without_a_gap(period: str, day: date) -> None:
    one = budget(period)
    found = period_of(one, day)
    assert found is not None
    assert found.first <= day <= found.last
    before = period_before(one, found)
    assert before is not None
    assert before.last == found.first - ONE_DAY
    assert all(period_of(one, each) == found for each in (found.first, found.last))


@pytest.mark.parametrize(
    ("said", "objection"),
    [
        ({"scope": "team"}, "needs an id, because its scope is team"),
        ({"id": "labs"}, "has an id, but counts all"),
        ({"ids": ["labs"]}, "has an id, but counts all"),
        ({"scope": "team", "id": "labs", "ids": ["desk"]}, "all of them into ids"),
        ({"scope": "team", "id": ""}, "is empty; write a name"),
        (
            {"period": "range", "start": date(2026, 1, 1)},
            "needs start and end, because its period is range",
        ),
        ({"start": date(2026, 2, 1), "end": date(2026, 1, 1)}, "ends before it starts"),
        ({"limit_usd": 0}, "greater than 0"),
        ({"thresholds_pct": [0]}, "greater than 0"),
        ({"owner": "ann@acme.example"}, "is an e-mail address"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused_with_a_reason(
    said: dict[str, Any], objection: str
) -> None:
    with pytest.raises(ValueError, match=objection):
        Budget.model_validate({"name": "b", "limit_usd": Decimal(5), **said})


def test_periods_go_back_to_a_day_and_are_two_at_least() -> None:
    through, since = date(2026, 11, 10), date(2026, 10, 20)
    firsts = {
        period: [str(one.first) for one in periods_through(budget(period), through, since)]
        for period in ("monthly", "weekly")
    }
    assert firsts["monthly"] == ["2026-10-01", "2026-11-01"]
    assert firsts["weekly"] == ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09"]
    assert len(periods_through(budget("daily"), through, through)) == 2
    assert periods_through(budget("monthly", end=date(2026, 11, 9)), through, since) == []


@pytest.mark.parametrize(
    ("said", "so_far", "compared"),
    [
        ({"period": "monthly"}, ("2026-11-01", "2026-11-10"), ("2026-10-01", "2026-10-10")),
        ({"period": "monthly"}, ("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        ({"period": "weekly"}, ("2026-11-23", "2026-11-24"), ("2026-11-16", "2026-11-17")),
        (
            {"period": "range", "start": date(2026, 11, 20), "end": date(2026, 12, 3)},
            ("2026-11-20", "2026-11-22"),
            ("2026-11-17", "2026-11-19"),
        ),
    ],
)
def test_days_are_compared_with_as_many_of_the_period_before(
    said: dict[str, Any], so_far: tuple[str, str], compared: tuple[str, str]
) -> None:
    now, before = (DayRange(*map(date.fromisoformat, days)) for days in (so_far, compared))
    assert compared_with(budget(**said), now) == before
