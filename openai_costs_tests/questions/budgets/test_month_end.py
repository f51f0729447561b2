from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import month_of
from openai_costs.questions.budgets.month_end import SPEND, month_end
from openai_costs.tables.mart.forecast import Forecast

FIRST = date(2026, 10, 1)


def dollars(usd: int) -> tuple[Decimal, Decimal]:
    """What was billed, and what of it was charged."""
    return Decimal(usd), Decimal(max(usd, 0))


def spend(days: int, missing: tuple[int, ...] = ()) -> pl.DataFrame:
    """$10 a day of Ada's in team search, and $2 of no one's."""
    when = [FIRST + timedelta(days=i) for i in range(days) if i not in missing]
    rows = [("acme", day, "openai", "search", "user-ada", "Ada", *dollars(10)) for day in when]
    rows += [("acme", day, "openai", None, None, None, *dollars(2)) for day in when]
    return pl.DataFrame(rows, schema=SPEND, orient="row")


def known(days: int, missing: tuple[int, ...] = ()) -> pl.DataFrame:
    states = ["missing" if i in missing else "settled" for i in range(days)]
    when = [FIRST + timedelta(days=i) for i in range(days)]
    return pl.DataFrame({"day": when, "state": states})


def forecast_of(paid: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """The forecast of the month of the newest day."""
    settled = states.filter(state="settled")["day"].to_list()
    return month_end(paid, paid, settled, month_of(states["day"].to_list()[-1]))


def shown(rows: pl.DataFrame) -> dict[tuple[str, str | None], tuple[Decimal, int]]:
    return {
        (row["scope"], row["scope_id"]): (row["spent_usd"], round(row["forecast_usd"]))
        for row in rows.to_dicts()
    }


def test_a_steady_month_ends_where_its_days_lead_for_everyone_and_each_part() -> None:
    rows = forecast_of(spend(41), known(41))  # through 10 November
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
    rows = forecast_of(spend(41, gap), known(41, gap)).filter(scope="all")
    assert shown(rows) == {("all", None): (Decimal(108), 360)}


def on_the_first_of_november(usd: int) -> pl.DataFrame:
    """The forecast of 1 November, with 30 and 31 October provisional at so many dollars each."""
    paid = spend(32).with_columns(
        billed_usd=pl.when(pl.col("day") >= date(2026, 10, 30))
        .then(pl.lit(usd, SPEND["billed_usd"]))
        .otherwise("billed_usd")
    )
    is_open = pl.col("day") >= date(2026, 10, 30)
    states = pl.when(is_open).then(pl.lit("provisional")).otherwise("state")
    return forecast_of(paid, known(32).with_columns(state=states))


def test_dollars_of_days_that_have_not_settled_change_no_forecast() -> None:
    made = [on_the_first_of_november(usd) for usd in (0, 12, 900)]
    assert made[0].equals(made[1])
    assert made[1].equals(made[2])


def test_before_a_day_of_the_month_has_settled_it_is_forecast_from_the_newest_settled_day() -> None:
    rows = on_the_first_of_november(12)
    assert Forecast.broken_rules(rows) == []
    assert rows["through_day"].unique().to_list() == [date(2026, 10, 29)]
    assert rows["month"].unique().to_list() == [date(2026, 11, 1)]
    assert shown(rows)["all", None] == (Decimal(0), 360)


def test_a_provisional_day_between_settled_days_counts_as_its_weekday_last_did() -> None:
    third = pl.col("day") == date(2026, 11, 3)
    states = pl.when(third).then(pl.lit("provisional")).otherwise("state")
    paid = pl.when(third).then(pl.lit(900, SPEND["billed_usd"])).otherwise("billed_usd")
    rows = forecast_of(
        spend(41).with_columns(billed_usd=paid), known(41).with_columns(state=states)
    )
    assert shown(rows)["all", None] == (Decimal(108), 360)


def test_there_is_no_forecast_before_a_day_is_settled() -> None:
    provisional = known(3).with_columns(state=pl.lit("provisional"))
    assert forecast_of(spend(3), provisional).is_empty()


def test_settled_days_without_dollars_lead_to_a_month_without_dollars() -> None:
    rows = forecast_of(spend(0), known(8))
    assert Forecast.broken_rules(rows) == []
    assert shown(rows) == {("all", None): (Decimal(0), 0)}
    assert rows.select("forecast_low_usd", "forecast_high_usd").row(0) == (0, 0)
    assert rows["through_day"].to_list() == [date(2026, 10, 8)]


def test_dollars_of_a_day_that_has_not_settled_leave_the_settled_days_at_nothing() -> None:
    paid = spend(9).filter(pl.col("day") == date(2026, 10, 9))
    rows = forecast_of(paid, known(8))
    assert shown(rows)["all", None] == (Decimal(0), 0)


def credited(paid: pl.DataFrame, days: list[date], usd: int) -> pl.DataFrame:
    """The spend, with so many dollars more of Ada's on some days."""
    rows = [("acme", day, "openai", "search", "user-ada", "Ada", *dollars(usd)) for day in days]
    return pl.concat([paid, pl.DataFrame(rows, schema=SPEND, orient="row")])


def test_a_credit_on_the_first_day_of_a_ledger_is_in_the_forecast_of_all_and_of_each_part() -> None:
    young = spend(41).filter(pl.col("day") >= date(2026, 11, 2))  # through 10 November
    rows = forecast_of(credited(young, [date(2026, 11, 2)], -200), known(41))
    assert shown(rows) == {
        ("all", None): (Decimal(-92), 148),
        ("provider", "openai"): (Decimal(-92), 148),
        ("team", "search"): (Decimal(-110), 90),
        ("team", None): (Decimal(18), 58),
        ("user", "user-ada"): (Decimal(-110), 90),
        ("user", None): (Decimal(18), 58),
    }


def test_a_part_that_was_credited_and_never_spent_is_forecast_to_its_credit() -> None:
    paid = credited(spend(41).filter(pl.col("user_id").is_null()), [date(2026, 11, 2)], -50)
    rows = forecast_of(paid, known(41))
    assert shown(rows)["team", "search"] == (Decimal(-50), -50)
    of_all, *_ = rows.filter(scope="all")["spent_usd"]
    assert rows.filter(scope="team")["spent_usd"].sum() == of_all


def test_a_missing_day_a_week_after_a_credit_is_not_credited_once_more() -> None:
    gap = (40,)  # 10 November
    paid = credited(spend(42, gap), [date(2026, 11, 3)], -300)
    rows = forecast_of(paid, known(42, gap)).filter(scope="all")
    assert shown(rows) == {("all", None): (Decimal(120 - 300), 60)}
