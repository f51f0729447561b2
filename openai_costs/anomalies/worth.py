"""Whether a day is worth telling: by itself, or with the unusual days before it. Pure."""

import polars as pl

from openai_costs.anomalies.series import ID

TOGETHER_DAYS = 3


def worth(days: pl.DataFrame) -> pl.DataFrame:
    """Add is_worth: the minimum of dollars is reached, and the minimum of growth.

    Unusual days in a row are one story, and small money three times is not small: of an unusual
    day the excess of the unusual days among the two before counts too.

    Args:
        days: series_id, cost, expected, minimum, minimum_growth, score, sigmas.
    """
    excess = pl.col("cost") - pl.col("expected")
    unusual = (pl.col("score") > pl.col("sigmas")).fill_null(value=False)
    story = pl.when(unusual).then(excess).otherwise(0.0)
    together = pl.when(unusual).then(story.rolling_sum(TOGETHER_DAYS, min_samples=1).over(ID))
    is_much = pl.max_horizontal(excess, together) >= pl.col("minimum")
    has_grown = pl.col("cost") >= (1 + pl.col("minimum_growth")) * pl.col("expected")
    return days.with_columns(is_worth=is_much & has_grown)
