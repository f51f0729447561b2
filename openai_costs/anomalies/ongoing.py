"""What lasts goes on until it is over: no holes in a rise where single days are lower. Pure."""

import polars as pl

from openai_costs.anomalies.series import ID

OVER_DAYS = 3
"""Days in a row that are no longer above the old level end it: a weekend does not."""


def ongoing(days: pl.DataFrame) -> pl.DataFrame:
    """Return the days with is_lasting also where what was found goes on.

    To begin, a rise must be beyond doubt and much money in five days, or high. To go on, it need
    only stay above the old level (still): the doubt was settled on its first day.

    Args:
        days: series_id, is_lasting, is_high, still; every day, sorted by series and day.
    """
    begins = pl.col("is_lasting") | pl.col("is_high")
    still = pl.col("still").is_not_null()
    seen = (begins | still).cast(pl.Int8).rolling_max(OVER_DAYS, min_samples=1).over(ID)
    state = pl.when(begins).then(statement=True).when(seen == 0).then(statement=False)
    is_open = state.forward_fill().over(ID).fill_null(value=False)
    return days.with_columns(is_lasting=pl.col("is_lasting") | (is_open & still))
