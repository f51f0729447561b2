"""What the running month will cost by its end: all, each provider, team and user. Pure.

The model is that of the budgets (forecast.py), and it knows settled days only: any other day costs
what its weekday last did. A day that settled and billed nothing costs nothing.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.money import MONEY
from openai_costs.kernel.redaction import ADDRESS
from openai_costs.questions.budgets.forecast import DOLLARS, forecasts
from openai_costs.questions.budgets.scopes import OF_PEOPLE
from openai_costs.questions.series import ID, LEVEL_SEPARATOR
from openai_costs.tables.mart.forecast import SCOPES, Forecast

SPEND: Final = pl.Schema(
    {
        "connection": pl.String(),
        "day": pl.Date(),
        "provider": pl.String(),
        "team": pl.String(),
        "user_id": pl.String(),
        "user_name": pl.String(),
        "billed_usd": MONEY,
        "charged_usd": MONEY,
    }
)
"""Dollars by day and whose they are, and those of them that were charged: without credits."""
_KEY: Final = ("scope", "scope_id")
_COLUMN_OF: Final = {"provider": "provider", "team": "team", "user": "user_id"}
_USER_NAME: Final = pl.col("user_name").str.replace_all(ADDRESS, "${1}")
"""A name that is an e-mail address keeps what stands before the @."""


def month_end(
    spend: pl.DataFrame, people: pl.DataFrame, settled: Sequence[date], month: DayRange
) -> pl.DataFrame:
    """Return mart.forecast; no rows before a day is settled.

    Each part is of the table that a budget of its scope counts, so that both have one forecast.

    Args:
        spend: The columns of `SPEND`: what was billed, of the connections of today.
        people: The same by team and user.
        settled: The days that have settled at all of them, oldest first; none is after the month.
        month: The running month.
    """
    if not settled:
        return Forecast.no_rows()
    series = pl.concat(_series(people if scope in OF_PEOPLE else spend, scope) for scope in SCOPES)
    if series.is_empty():  # days that settled and billed nothing
        series = _series(_nothing(settled[-1]), "all")
    named = series.group_by(ID, *_KEY).agg(
        scope_name=pl.col("name").sort_by("day").drop_nulls().last()
    )
    known = named.join(from_settled_days(series, settled, month), on=ID)
    found = known.filter(_has_row()).with_columns(
        month=pl.lit(month.first),
        month_end=pl.lit(month.last),
        through_day=pl.lit(settled[-1]),
        **{name: pl.col(name).fill_null(pl.col("spent_usd")) for name in DOLLARS.values()},
    )
    typed = found.select(pl.col(one).cast(kind) for one, kind in Forecast.types().items())
    return typed.sort(*_KEY)


def from_settled_days(
    series: pl.DataFrame, settled: Sequence[date], month: DayRange
) -> pl.DataFrame:
    """Return spent_usd and the forecast of each series for a month, as of the newest settled day.

    That day may lie before the month: the days between are no part of it.

    Args:
        series: series_id, day, billed_usd, charged_usd, a row per series and day with spend.
        settled: The settled days, oldest first, at least one; none is after the month.
        month: The month.

    Returns:
        series_id, spent_usd (on settled days of the month), and the columns of `DOLLARS`: null of
        what never spent on a settled day.
    """
    days = pl.DataFrame({"day": [*DayRange(settled[0], settled[-1])]})
    is_settled = pl.col("day").is_in(list(settled))
    spine = series.select(ID).unique().join(days.with_columns(is_settled=is_settled), how="cross")
    dollars = series.select(ID, "day", "billed_usd", cost="charged_usd")
    daily = spine.join(dollars, on=[ID, "day"], how="left").sort(ID, "day")
    is_counted = pl.col("is_settled") & pl.col("day").is_between(month.first, month.last)
    usd = pl.col("billed_usd").filter(is_counted).sum()
    spent = daily.group_by(ID).agg(spent_usd=usd)
    asked = spent.with_columns(as_of=settled[-1], start=month.first, end=month.last)
    ahead = forecasts(daily, asked).select(ID, *DOLLARS.values())
    return spent.join(ahead, on=ID, how="left")


def _has_row() -> pl.Expr:
    """All has a row also where nothing was ever spent, a part where it spent or was credited."""
    is_known = pl.col("forecast_usd").is_not_null() | (pl.col("spent_usd") != 0)
    return (pl.col("scope") == "all") | is_known


def _series(spend: pl.DataFrame, scope: str) -> pl.DataFrame:
    """Return series_id, scope, scope_id, name, day, billed_usd, charged_usd of one scope."""
    key = pl.lit(None, pl.String) if scope not in _COLUMN_OF else pl.col(_COLUMN_OF[scope])
    name = _USER_NAME if scope == "user" else pl.lit(None, pl.String)
    dollars = pl.col("billed_usd", "charged_usd")
    keyed = spend.select("day", dollars, scope=pl.lit(scope), scope_id=key, name=name)
    series = pl.concat_str("scope", pl.lit(LEVEL_SEPARATOR), pl.col("scope_id").fill_null(""))
    return (
        keyed.group_by(series.alias(ID), *_KEY, "day")
        .agg(dollars.sum(), name=pl.col("name").drop_nulls().first())
        .sort(ID, "day")
    )


def _nothing(day: date) -> pl.DataFrame:
    """Return the columns of `SPEND`: no dollars of a day, of no one."""
    row = dict.fromkeys(SPEND) | {"day": day, "billed_usd": Decimal(0), "charged_usd": Decimal(0)}
    return pl.DataFrame([row], schema=SPEND)
