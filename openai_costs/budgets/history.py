"""A series' past as it was known on several days. Pure."""

from datetime import date, timedelta

import polars as pl

ID = "series_id"
MEMORY_DAYS = 84
"""The last 12 weeks: whole weeks, so that every weekday is seen equally often."""
WEEK = 7


def every_day(spend: pl.DataFrame, until: date) -> pl.DataFrame:
    """Return a row per series and day, from its first spending to `until`; no row cost nothing.

    Args:
        spend: series_id, day, cost (Decimal or Float64).
        until: The last day that is known.
    """
    known = spend.filter(pl.col("day") <= until).select(ID, "day", pl.col("cost").cast(pl.Float64))
    first = known.filter(pl.col("cost") > 0).group_by(ID).agg(pl.col("day").min())
    days = first.select(ID, day=pl.date_ranges("day", pl.lit(until, pl.Date))).explode("day")
    joined = days.join(known, on=[ID, "day"], how="left").sort(ID, "day")
    return joined.with_columns(pl.col("cost").fill_null(0.0))


def known_on(days: pl.DataFrame, origins: list[date]) -> pl.DataFrame:
    """Return series_id, origin, lag, weekday, cost: the last 84 days before and on each origin.

    A series that began after an origin is not there.
    """
    return pl.concat([_before(days, origin) for origin in origins])


def _before(days: pl.DataFrame, origin: date) -> pl.DataFrame:
    first = origin - timedelta(days=MEMORY_DAYS - 1)
    seen = days.filter(pl.col("day").is_between(first, origin))
    return seen.select(
        ID,
        origin=pl.lit(origin, pl.Date),
        lag=(pl.lit(origin, pl.Date) - pl.col("day")).dt.total_days().cast(pl.Int32),
        weekday=pl.col("day").dt.weekday().cast(pl.Int32) - 1,
        cost="cost",
    )


def without_flukes(known: pl.DataFrame) -> pl.DataFrame:
    """Cut single days that are far above all others: what happened once is no forecast.

    The cut lies five robust sigmas above the median of ln(cost + 1) of spending days; where more
    than three days lie above it the level has changed, and nothing is cut.
    """
    at = [ID, "origin"]
    x = (pl.col("cost") + 1).log()
    spent = pl.when(pl.col("cost") > 0).then(x)
    told = known.with_columns(_x=spent, _middle=spent.median().over(at))
    scatter = (pl.col("_x") - pl.col("_middle")).abs().median().over(at)
    told = told.with_columns(_cut=pl.col("_middle") + 5 * (1.4826 * scatter).clip(0.15))
    high = pl.col("_x") > pl.col("_cut")
    few = high.sum().over(at) <= 3  # noqa: PLR2004 - told in the docstring
    enough = pl.col("_x").count().over(at) >= 10  # noqa: PLR2004 - a median of fewer says little
    cut = pl.when(high & few & enough).then(pl.col("_cut").exp() - 1).otherwise("cost")
    return told.with_columns(cost=cut).drop("_x", "_middle", "_cut")
