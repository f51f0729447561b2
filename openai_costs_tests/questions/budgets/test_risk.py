from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from openai_costs.questions.budgets.findings import risk_since

FIRST = date(2026, 11, 1)


def days(*forecasts: str | None, last: int = 30) -> list[dict[str, Any]]:
    """Rows from the sixth day on of a period with a limit of 100; the band is ten wide."""
    return [
        {
            "day": FIRST + timedelta(days=5 + number),
            "period_start": FIRST,
            "period_end": FIRST + timedelta(days=last - 1),
            "spent_usd": Decimal(50),
            "limit_usd": Decimal(100),
            "forecast_usd": None if told is None else Decimal(told),
            "forecast_high_usd": None if told is None else Decimal(told) + 10,
        }
        for number, told in enumerate(forecasts)
    ]


@pytest.mark.parametrize(
    ("forecasts", "since"),
    [
        (("90", "99"), None),
        (("90", "101", "120"), 7),
        (("101", "99", "101", "95"), 6),
        (("101", "89", "102"), 8),
        (("101", "90"), None),
        ((None, "101"), 7),
        (("101", None, "101"), 6),
        (("101", None), 6),
        (("101", "90", None), None),
    ],
    ids=[
        "below all the time",
        "since it first was above",
        "what wavers is one message",
        "an all-clear ends it",
        "over",
        "a day without a forecast says nothing",
        "nor does one in between",
        "late days are not an all-clear",
        "nor do they bring back what was over",
    ],
)
def test_a_period_is_at_risk_since(forecasts: tuple[str | None, ...], since: int | None) -> None:
    found = risk_since(days(*forecasts))
    assert found == (since and FIRST + timedelta(days=since - 1))


def test_what_is_exceeded_is_no_risk_any_more() -> None:
    (row,) = days("130")
    over = row | {"spent_usd": Decimal("100.01")}
    assert risk_since([over]) is None
    assert risk_since([row, over | {"forecast_usd": None, "forecast_high_usd": None}]) is None


def test_a_period_that_is_over_is_no_risk_any_more() -> None:
    (row,) = days("130")
    assert risk_since([row | {"period_end": row["day"]}]) is None


@pytest.mark.parametrize(
    ("length", "told"),
    [(2, 1), (6, 1), (7, 2), (14, 3), (24, 4), (29, 5), (30, 5), (90, 5), (365, 5)],
)
def test_a_forecast_is_reported_when_enough_of_the_period_is_gone(length: int, told: int) -> None:
    (row,) = days("130", last=length)
    firsts = [
        number
        for number in range(1, length + 1)
        if risk_since([row | {"day": FIRST + timedelta(days=number - 1)}])
    ]
    assert firsts[0] == told
