from __future__ import annotations

from datetime import date
from decimal import Decimal

from openai_costs.kernel.formatting import cents
from openai_costs.outputs.report.dimensions import Members
from openai_costs.outputs.report.forecasts import forecasts
from openai_costs.tables.mart.forecast import Forecast
from openai_costs_tests.outputs.report.bill import of, page, tables

MEMBERS = {
    "team": Members((None, "labs"), ("~none", "labs"), ("(no team)", "labs")),
    "user": Members((None, "ana@x.org"), ("~none", "ana"), ("(no user)", "ana")),
}
NO_ONE = Members((), (), ())


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
        row("team", None, 100, 100, 110, 120),
        row("user", "ana@x.org", 5, 4, 10, 15),
    )
    team, user = forecasts(parts, MEMBERS)
    assert (team["filter"], team["daily"], team["low"]) == ({"team": "~none"}, 2, 0)
    assert (user["filter"], user["daily"], user["low"], user["high"]) == ({"user": "ana"}, 1, 0, 2)
    assert (user["first"], user["last"]) == ("2026-01-26", "2026-01-31")


def test_who_is_not_on_the_page_or_spends_no_more_has_no_forecast() -> None:
    parts = of(Forecast, row("team", "gone", 1, 2, 3, 4), row("team", "labs", 9, 9, 9, 9))
    assert forecasts(parts, MEMBERS) == []


def test_before_a_day_of_the_month_has_settled_all_of_its_days_are_left() -> None:
    early = row("team", "labs", 0, 0, 62, 93) | {"through_day": date(2025, 12, 29)}
    (labs,) = forecasts(of(Forecast, early), MEMBERS)
    assert (labs["first"], labs["last"]) == ("2025-12-31", "2026-01-31")
    assert (labs["daily"], labs["high"]) == (2, 3)


def test_all_dollars_have_the_forecast_of_the_first_screen_and_its_range() -> None:
    lines = [(day, "a", user, "10") for day in range(1, 15) for user in ("u", "v")]
    parts = tables(lines, "s" * 14).forecast
    this = page(lines, "s" * 14).first.month.outlook
    assert this is not None
    whole, *_ = forecasts(parts, MEMBERS | {"provider": NO_ONE, "team": NO_ONE, "user": NO_ONE})
    assert whole["filter"] == {}
    assert whole["daily"] * 17 + 280 == this.expected / 100
    in_table = parts.filter(scope="all").select("forecast_low_usd", "forecast_high_usd").row(0)
    assert (this.low, this.high) == tuple(map(cents, in_table))
