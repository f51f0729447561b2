"""What the running month will cost by its end: all, each provider, team and user. Pure.

The model is that of the budgets (forecast.py). A day that is missing costs what its weekday last
did; a day that was read and billed nothing costs nothing.
"""

from datetime import date
from typing import Final

import polars as pl

from openai_costs.kernel.days import ONE_DAY, month_of
from openai_costs.kernel.money import MONEY
from openai_costs.kernel.redaction import ADDRESS
from openai_costs.questions.budgets.forecast import DECIMALS, DOLLARS, forecast
from openai_costs.questions.budgets.periods import settled_through
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
    }
)
_KEY: Final = ("scope", "scope_id")
_COLUMN_OF: Final = {"provider": "provider", "team": "team", "user": "user_id"}
_USER_NAME: Final = pl.col("user_name").str.replace_all(ADDRESS, "${1}")
"""A name that is an e-mail address keeps what stands before the @."""


def month_end(spend: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return mart.forecast; no rows before a day is settled.

    Args:
        spend: The columns of `SPEND`: what was billed, of the connections of today.
        known: day, state: every day from the first that was read, oldest first.
    """
    through = settled_through(known)
    if through is None or spend.is_empty():
        return Forecast.no_rows()
    newest: date = known.filter(pl.col("state") != "missing")["day"].to_list()[-1]
    month = month_of(newest)
    first, last = month.first, month.last
    as_of = max(through, first - ONE_DAY)
    series = pl.concat([_series(spend, scope) for scope in SCOPES])
    rows = forecast(_without_gaps(series, known), as_of, first, last)
    inside = pl.col("day").is_between(first, as_of)
    so_far = series.group_by(ID, *_KEY).agg(
        scope_name=pl.col("name").sort_by("day").drop_nulls().last(),
        spent_usd=pl.col("cost").filter(inside).sum(),
    )
    found = so_far.join(rows, on=ID).with_columns(
        month=pl.lit(first), month_end=pl.lit(last), through_day=pl.lit(as_of), **_estimates()
    )
    typed = found.select(pl.col(one).cast(kind) for one, kind in Forecast.types().items())
    return typed.sort(*_KEY)


def _series(spend: pl.DataFrame, scope: str) -> pl.DataFrame:
    """Return series_id, scope, scope_id, name, day, cost of one scope, a row per day with spend."""
    key = pl.lit(None, pl.String) if scope not in _COLUMN_OF else pl.col(_COLUMN_OF[scope])
    name = _USER_NAME if scope == "user" else pl.lit(None, pl.String)
    keyed = spend.select("day", "billed_usd", scope=pl.lit(scope), scope_id=key, name=name)
    series = pl.concat_str("scope", pl.lit(LEVEL_SEPARATOR), pl.col("scope_id").fill_null(""))
    return (
        keyed.group_by(series.alias(ID), *_KEY, "day")
        .agg(name=pl.col("name").drop_nulls().first(), cost=pl.col("billed_usd").sum())
        .sort(ID, "day")
    )


def _without_gaps(series: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    days = series.select(ID).unique().join(known, how="cross")
    daily = days.join(series.select(ID, "day", "cost"), on=[ID, "day"], how="left").sort(ID, "day")
    read = pl.when(pl.col("state") != "missing").then(pl.col("cost").fill_null(0))
    filled = read.forward_fill().over(ID, pl.col("day").dt.weekday()).fill_null(0)
    return daily.select(ID, "day", cost=filled)


def _estimates() -> dict[str, pl.Expr]:
    """Return each estimate, rounded, and never below what was spent where that is not a credit."""
    spent = pl.col("spent_usd").cast(MONEY)
    rounded = {
        name: pl.col(of).cast(pl.Decimal(38, DECIMALS)).cast(MONEY) for of, name in DOLLARS.items()
    }
    return {name: pl.max_horizontal(one, spent) for name, one in rounded.items()}
