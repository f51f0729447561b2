"""Series in their first week: no history to judge them by, only what others cost. Pure."""

import polars as pl

from openai_costs.anomalies.series import ID, KEY, PEOPLE, level_of

FIRST_DAYS = 7
BEGINNING_DAYS = 14
"""On the first days of the first reading everything is new, so nothing is."""
SMALL_SHARE = 0.05
"""In a small organisation a newcomer is news from this share of its mean day already."""
TIMES_PEERS = 3.0
NEWS = 60.0


def newcomers(days: pl.DataFrame, beginning: pl.Expr) -> pl.DataFrame:
    """Add is_new, newcomer (from how many dollars it is news), and score new days.

    News from newcomer_usd, or a twentieth of the organisation's mean day where that is less, and
    from twice the minimum in any case. A key is news by small days too, when they come to that:
    nothing else is known of it. People are hired all the time, so one is news only from three
    times what a dear day of the others costs.

    Args:
        days: Scored days with their minimums.
        beginning: The first day of all series.
    """
    is_new = (pl.col("age") < FIRST_DAYS) | pl.col("level").is_null()
    small = (SMALL_SHARE * pl.col("mean_usd")).fill_null(0.0)
    limit = pl.max_horizontal(pl.min_horizontal("newcomer_usd", small), 2 * pl.col("minimum"))
    as_people = pl.max_horizontal(limit, TIMES_PEERS * pl.col("peers_usd").fill_null(0.0))
    level = level_of(pl.col(ID))
    newcomer = pl.when(level == PEOPLE).then(as_people).otherwise(limit)
    told = days.with_columns(is_new=is_new, newcomer=newcomer)
    seen = (pl.col("day") - beginning).dt.total_days() >= BEGINNING_DAYS
    so_far = pl.col("cost").rolling_sum(FIRST_DAYS, min_samples=1).over(ID)
    is_much = (so_far >= pl.col("newcomer")) & (pl.col("cost") >= pl.col("minimum"))
    by_and_by = (level == KEY) & is_much
    is_news = seen & ((pl.col("cost") >= pl.col("newcomer")) | by_and_by)
    news = pl.when(is_news).then(NEWS).otherwise(0.0)
    return told.with_columns(score=pl.when("is_new").then(news).otherwise("score"))
