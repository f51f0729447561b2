"""How each budget's period will have ended, as it was seen on each of the newest days. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

import polars as pl

from openai_costs.budgets.forecast import forecast
from openai_costs.budgets.history import ID, WEEK
from openai_costs.money import MONEY

DOLLARS = {
    "forecast": "forecast_usd",
    "low80": "forecast_low_usd",
    "high80": "forecast_high_usd",
    "low95": "forecast_low95_usd",
    "high95": "forecast_high95_usd",
}
DECIMALS = 4
"""A forecast is an estimate, and must not look exact."""
SCHEMA = pl.Schema(
    {"budget": pl.String(), "day": pl.Date()} | dict.fromkeys(DOLLARS.values(), MONEY)
)


class Look(NamedTuple):
    """A look at the end of a period.

    Args:
        day: The last day that is known.
        first: The first day of the period.
        last: Its last day.
        budget: Whose period it is.
    """

    day: date
    first: date
    last: date
    budget: str


def endings(looks: Iterable[Look], spent: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return budget, day and the forecast with its bands; no row of what never spent.

    Budgets that are looked at alike are forecast together: their bands learn from each other.

    Args:
        looks: What to forecast.
        spent: day, billed_usd of each budget, every day of its past.
    """
    alike = groupby(sorted(looks), key=lambda look: look[:3])
    found = [_together(list(some), spent) for _, some in alike]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found])


def believed(daily: pl.DataFrame) -> pl.DataFrame:
    """Return the past that forecasts learn from: a missing day is as its weekday was before.

    Args:
        daily: day, state, billed_usd: every day; null when it is missing.
    """
    usd = pl.col("billed_usd")
    return daily.select("day", usd.fill_null(usd.shift(WEEK)).fill_null(0))


def _together(looks: Sequence[Look], spent: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    day, first, last, _ = looks[0]
    names = [look.budget for look in looks]
    series = pl.concat(
        spent[name].select(pl.lit(name).alias(ID), "day", cost="billed_usd") for name in names
    )
    told = forecast(series, day, first, last)
    estimate = pl.Decimal(38, DECIMALS)
    dollars = {column: pl.col(name).cast(estimate).cast(MONEY) for name, column in DOLLARS.items()}
    return told.select(budget=ID, day=pl.lit(day), **dollars)
