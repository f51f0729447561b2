from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.questions.budgets.month_end import SPEND, month_end
from openai_costs.tables.mart.forecast import Forecast

FIRST = date(2026, 10, 1)


def spend(days: int, missing: tuple[int, ...] = ()) -> pl.DataFrame:
    """$10 a day of Ada's in team search, and $2 of no one's."""
    when = [FIRST + timedelta(days=i) for i in range(days) if i not in missing]
    rows = [("acme", day, "openai", "search", "user-ada", "Ada", Decimal(10)) for day in when]
    rows += [("acme", day, "openai", None, None, None, Decimal(2)) for day in when]
    return pl.DataFrame(rows, schema=SPEND, orient="row")


def known(days: int, missing: tuple[int, ...] = ()) -> pl.DataFrame:
    states = ["missing" if i in missing else "settled" for i in range(days)]
    when = [FIRST + timedelta(days=i) for i in range(days)]
    return pl.DataFrame({"day": when, "state": states})


def shown(rows: pl.DataFrame) -> dict[tuple[str, str | None], tuple[Decimal, int]]:
    return {
        (row["scope"], row["scope_id"]): (row["spent_usd"], round(row["forecast_usd"]))
        for row in rows.to_dicts()
    }


def test_a_steady_month_ends_where_its_days_lead_for_everyone_and_each_part() -> None:
    rows = month_end(spend(41), known(41))  # through 10 November
    assert Forecast.broken_rules(rows) == []
    assert shown(rows) == {
        ("all", None): (Decimal(120), 360),
        ("provider", "openai"): (Decimal(120), 360),
        ("team", "search"): (Decimal(100), 300),
        ("team", None): (Decimal(20), 60),
        ("user", "user-ada"): (Decimal(100), 300),
        ("user", None): (Decimal(20), 60),
    }
    assert rows.filter(scope="user")["scope_name"].drop_nulls().to_list() == ["Ada"]
    assert rows["month_end"].unique().to_list() == [date(2026, 11, 30)]


def test_a_missing_day_costs_what_its_weekday_last_did_and_is_not_in_what_was_spent() -> None:
    gap = (35,)
    rows = month_end(spend(41, gap), known(41, gap)).filter(scope="all")
    assert shown(rows) == {("all", None): (Decimal(108), 360)}


def test_there_is_no_forecast_before_a_day_is_settled() -> None:
    provisional = known(3).with_columns(state=pl.lit("provisional"))
    assert month_end(spend(3), provisional).is_empty()
