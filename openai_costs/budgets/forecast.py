"""What a period will have cost by its end, with bands from each series' own past errors. Pure.

Forecasts are floats: they say what dollars are likely, they are never booked.
"""

from datetime import date, timedelta

import polars as pl

from openai_costs.budgets.bands import BANDS, banded
from openai_costs.budgets.history import ID, every_day, known_on
from openai_costs.budgets.outlook import outlook

PAST = 20
APART = 7
"""Past forecasts are a week apart, for the same number of days ahead, and all have ended."""
SERIES_AT_ONCE = 500


def forecast(spend: pl.DataFrame, as_of: date, start: date, end: date) -> pl.DataFrame:
    """Return series_id, forecast, low80, high80, low95, high95, sorted by series_id.

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
    so_far = days.group_by(ID).agg(so_far=inside.sum())
    ahead = (end - as_of).days
    if ahead <= 0 or days.is_empty():
        return _certain(so_far)
    first = as_of - timedelta(days=ahead)
    origins = [as_of, *(first - timedelta(days=APART * back) for back in range(PAST))]
    told = pl.concat([_looked(some, origins, ahead) for some in _batches(days)])
    now = told.filter(pl.col("origin") == as_of).join(so_far, on=ID)
    return banded(now, told.filter(pl.col("origin") <= first), ahead)


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


def _looked(days: pl.DataFrame, origins: list[date], ahead: int) -> pl.DataFrame:
    """Return series_id, origin, volatility, rest, seen (days before), actual (null: not ended)."""
    told = outlook(known_on(days, origins), ahead)
    running = days.select(
        ID,
        "day",
        total=pl.col("cost").cum_sum().over(ID),
        seen=pl.int_range(1, pl.len() + 1).over(ID),
    )
    then = running.rename({"day": "origin"})
    later = running.select(ID, origin=pl.col("day").dt.offset_by(f"-{ahead}d"), later="total")
    told = told.join(then, on=[ID, "origin"]).join(later, on=[ID, "origin"], how="left")
    return told.with_columns(actual=pl.col("later") - pl.col("total")).drop("later", "total")
