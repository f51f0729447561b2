from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from openai_costs.outputs.report.dimensions import Members
from openai_costs.outputs.report.forecasts import forecasts
from openai_costs.tables.mart.forecast import Forecast
from openai_costs_tests.outputs.report.bill import of, page

if TYPE_CHECKING:
    from openai_costs.outputs.report.month import Month

MEMBERS = {
    "team": Members((None, "labs"), ("~none", "labs"), ("(no team)", "labs")),
    "user": Members((None, "ana@x.org"), ("~none", "ana"), ("(no user)", "ana")),
}


@cache
def no_month() -> Month:
    return page([], "").first.month


def row(scope: str, scope_id: str | None, spent: int, *ahead: int) -> dict[str, object]:
    low, expected, high = (Decimal(one) for one in ahead)
    return {
        "scope": scope,
        "scope_id": scope_id,
        "month": date(2026, 1, 1),
        "through_day": date(2026, 1, 26),
        "month_end": date(2026, 1, 31),
        "spent_usd": Decimal(spent),
        "forecast_low_usd": low,
        "forecast_usd": expected,
        "forecast_high_usd": high,
    }


def test_a_team_a_person_and_what_has_none_have_the_average_of_the_days_that_are_left() -> None:
    parts = of(
        Forecast,
        row("all", None, 1, 2, 3, 4),
        row("team", None, 100, 100, 110, 120),
        row("user", "ana@x.org", 5, 4, 10, 15),
    )
    team, user = forecasts(no_month(), parts, MEMBERS)
    assert (team["filter"], team["daily"], team["low"]) == ({"team": "~none"}, 2, 0)
    assert (user["filter"], user["daily"], user["low"], user["high"]) == ({"user": "ana"}, 1, 0, 2)
    assert (user["first"], user["last"]) == ("2026-01-26", "2026-01-31")


def test_who_is_not_on_the_page_or_spends_no_more_has_no_forecast() -> None:
    parts = of(Forecast, row("team", "gone", 1, 2, 3, 4), row("team", "labs", 9, 9, 9, 9))
    assert forecasts(no_month(), parts, MEMBERS) == []


def test_before_a_day_of_the_month_has_settled_all_of_its_days_are_left() -> None:
    early = row("team", "labs", 0, 0, 62, 93) | {"through_day": date(2025, 12, 29)}
    (labs,) = forecasts(no_month(), of(Forecast, early), MEMBERS)
    assert (labs["first"], labs["last"]) == ("2025-12-31", "2026-01-31")
    assert (labs["daily"], labs["high"]) == (2, 3)


def test_all_dollars_have_the_forecast_of_the_first_screen() -> None:
    lines = [(day, "a", "u", "10") for day in range(1, 15)]
    this = page(lines, "s" * 14).first.month
    assert this.outlook is not None
    (whole,) = forecasts(this, Forecast.no_rows(), MEMBERS)
    assert whole["filter"] == {}
    assert whole["daily"] * 17 + 140 == this.outlook.expected / 100
