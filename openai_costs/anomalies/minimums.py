"""What the whole organisation says of a day: what is small money, what a person costs. Pure."""

import polars as pl

from openai_costs.anomalies.series import ID, PEOPLE, level_of

ORGANISATION = "org"
DAYS = 28
MOST = 0.95


def surroundings(dense: pl.DataFrame) -> pl.DataFrame:
    """Return day, mean_usd, peers_usd: from the 28 days before each day.

    mean_usd: the organisation's mean day; without a series of the whole, the largest stands for it.
    peers_usd: median of the daily 95th percentile of what people who spent cost; null without any.
    """
    whole = dense.filter(pl.col(ID) == ORGANISATION)
    largest = (whole if whole.height else dense).group_by("day").agg(pl.col("cost").max())
    people = dense.filter((level_of(pl.col(ID)) == PEOPLE) & (pl.col("cost") > 0))
    dear = people.group_by("day").agg(dear=pl.col("cost").quantile(MOST))
    daily = largest.join(dear, on="day", how="left").sort("day")
    return daily.select(
        "day",
        mean_usd=pl.col("cost").shift(1).rolling_mean(DAYS, min_samples=1),
        peers_usd=pl.col("dear").shift(1).rolling_median(DAYS, min_samples=1),
    )


def with_minimums(days: pl.DataFrame, around: pl.DataFrame, knobs: pl.DataFrame) -> pl.DataFrame:
    """Add the knobs and minimum: the larger of minimum_usd and the share of the mean day."""
    told = days.join(around, on="day", how="left", maintain_order="left")
    told = told.join(knobs, on=ID, how="left", maintain_order="left")
    share = (pl.col("minimum_share") * pl.col("mean_usd")).fill_null(0.0)
    return told.with_columns(minimum=pl.max_horizontal("minimum_usd", share))
