"""What a period will have cost by its end, with bands from each series' own past errors. Pure.

Forecasts are floats: they say what dollars are likely, they are never booked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.budgets.bands import BANDS, banded
from openai_costs.questions.budgets.forecast_model import (
    known_on,
    outlook,
    without_credits,
)
from openai_costs.questions.series import ID, every_day

PAST = 20

APART = 7
"""Past forecasts are a week apart, for the same number of days ahead, and all have ended."""

RECENT = 90
"""Days among which the highest limits how far a band reaches."""

SERIES_AT_ONCE = 500


def forecast(spend: pl.DataFrame, as_of: date, start: date, end: date) -> pl.DataFrame:
    """Return series_id, forecast, low80, high80, low95, high95, sorted by series_id.

    Credits and refunds count in what was spent so far, and nowhere else: neither the days ahead nor
    the errors of past forecasts have any.

    Args:
        spend: series_id, day, cost (dollars, Decimal or Float64); a day without a row cost nothing.
        as_of: The last day that is known; later rows are ignored.
        start: The first day of the period; as_of is the day before at the earliest.
        end: Its last day.

    Raises:
        ValueError: The period begins later than the day after as_of.
    """
    if as_of < start - timedelta(days=1):
        raise ValueError(
            f"Nothing is known of {start} on {as_of}: a forecast begins with its period."
        )
    days = every_day(spend, as_of)
    inside = pl.col("cost").filter(pl.col("day").is_between(start, end))
    recent = pl.col("cost").filter(pl.col("day") > as_of - timedelta(days=RECENT))
    so_far = days.group_by(ID).agg(so_far=inside.sum(), highest=recent.max().fill_null(0.0))
    ahead = (end - as_of).days
    if ahead <= 0 or days.is_empty():
        return _certain(so_far)
    first = as_of - timedelta(days=ahead)
    origins = [as_of, *(first - timedelta(days=APART * back) for back in range(PAST))]
    rows = pl.concat(
        [_forecasts_at(some, origins, ahead) for some in _batches(without_credits(days))]
    )
    now = rows.filter(pl.col("origin") == as_of).join(so_far, on=ID)
    return banded(now, rows.filter(pl.col("origin") <= first), ahead)


def _certain(so_far: pl.DataFrame) -> pl.DataFrame:
    """A period that has ended cost what it cost."""
    names = ("forecast", *BANDS)
    return so_far.select(ID, *(pl.col("so_far").alias(name) for name in names)).sort(ID)


def _batches(days: pl.DataFrame) -> list[pl.DataFrame]:
    ids = days[ID].unique().sort()
    return [
        days.join(ids.slice(first, SERIES_AT_ONCE).to_frame(), on=ID, how="semi")
        for first in range(0, ids.len(), SERIES_AT_ONCE)
    ]


def _forecasts_at(days: pl.DataFrame, origins: list[date], ahead: int) -> pl.DataFrame:
    """Return series_id, origin, volatility, rest, seen (days before), actual (null: not ended)."""
    rows = outlook(known_on(days, origins), ahead)
    running = days.select(
        ID,
        "day",
        total=pl.col("cost").cum_sum().over(ID),
        seen=pl.int_range(1, pl.len() + 1).over(ID),
    )
    then = running.rename({"day": "origin"})
    later = running.select(ID, origin=pl.col("day").dt.offset_by(f"-{ahead}d"), later="total")
    rows = rows.join(then, on=[ID, "origin"]).join(later, on=[ID, "origin"], how="left")
    return rows.with_columns(actual=pl.col("later") - pl.col("total")).drop("later", "total")


# The cost of each budget's period by its end, as forecast on each of the newest days.

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


class Origin(NamedTuple):
    """A day from which the end of a period is forecast.

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


def period_forecasts(origins: Iterable[Origin], spent: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return budget, day and the forecast with its bands; no row for what never spent.

    Budgets with the same day and period are forecast together: they share errors of the past.

    Args:
        origins: What to forecast.
        spent: day, billed_usd of each budget, every day of its past.
    """
    alike = groupby(sorted(origins), key=lambda one: one[:3])
    forecasts = [_together(list(some), spent) for _, some in alike]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *forecasts])


def without_gaps(daily: pl.DataFrame) -> pl.DataFrame:
    """Return the past that forecasts learn from: a missing day costs what its weekday last did.

    Args:
        daily: day, state, billed_usd: every day; null when it is missing.
    """
    usd = pl.col("billed_usd")
    return daily.select("day", usd.forward_fill().over(pl.col("day").dt.weekday()).fill_null(0))


def _together(origins: Sequence[Origin], spent: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    day, first, last, _ = origins[0]
    names = [one.budget for one in origins]
    series = pl.concat(
        spent[name].select(pl.lit(name).alias(ID), "day", cost="billed_usd") for name in names
    )
    rows = forecast(series, day, first, last)
    estimate = pl.Decimal(38, DECIMALS)
    dollars = {column: pl.col(name).cast(estimate).cast(MONEY) for name, column in DOLLARS.items()}
    return rows.select(budget=ID, day=pl.lit(day), **dollars)
