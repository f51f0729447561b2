"""What a day is expected to cost: a level, weekends, and the habits of a weekday. Pure.

All in x = ln(cost + 1). Only days before the day are used: every statistic is shifted by one.
"""

import polars as pl

from openai_costs.questions.series import ID, lag

SEASON_DAYS = 56

LEVEL_DAYS = 10

LEVEL_HALF_LIFE = 4

LARGEST_STEP = 0.5

LARGEST_WEEKDAY_EFFECT = 0.7

SLOW_DAYS = 28

AMOUNT_DAYS = 25

WEEKS_SEEN = 8

HIGHEST_DAYS = 90


def with_baseline(days: pl.DataFrame) -> pl.DataFrame:
    """Add season, level, slow, amounts, n_on, is_usual, mu, residual and highest.

    season: median weekend x minus median working-day x of the last 8 weeks; 0 on working days.
    level: weighted mean of spending days without the season, each cut at half a unit around the
    median of the last 10, a weight halving every 4: follows, and no single day pulls it.
    slow: median of the last 28 spending days without the season.
    amount_median, amount_p95, amount_mad: median, 95th percentile and median absolute deviation of
    the last 25 spending days as they were, for series that are mostly idle; n_on: spending days so
    far.
    is_usual: the series spent on at least half of the same weekdays of the last 8 weeks.
    mu = level + season + how the same weekdays of the last 8 weeks differed from that, shrunk by
    half; residual = x - mu. highest: the most that any of the 90 days before cost, in dollars.
    """
    known = _as_known(_seasoned(days))
    same = [lag(pl.col("is_on").cast(pl.Float64), 7 * week) for week in range(1, WEEKS_SEEN + 1)]
    known = known.with_columns(
        is_usual=pl.mean_horizontal(same).fill_null(1.0) >= 0.5,  # noqa: PLR2004
        mu=pl.col("level") + pl.col("season"),
    )
    known = known.with_columns(mu=pl.col("mu") + _weekday_effect())
    return known.with_columns(residual=pl.col("x") - pl.col("mu"), highest=_highest())


def _highest() -> pl.Expr:
    return lag(pl.col("cost").rolling_max(HIGHEST_DAYS, min_samples=1).over(ID))


def _weekday_effect() -> pl.Expr:
    """Mean difference of the same weekdays, shrunk: n weeks are believed n / (n + 8)."""
    off = (
        pl.when("is_on")
        .then(pl.col("x") - pl.col("mu"))
        .clip(-LARGEST_WEEKDAY_EFFECT, LARGEST_WEEKDAY_EFFECT)
    )
    weeks = [lag(off, 7 * week) for week in range(1, WEEKS_SEEN + 1)]
    return (pl.sum_horizontal(weeks) / (_count(weeks) + WEEKS_SEEN)).fill_null(0.0)


def _count(columns: list[pl.Expr]) -> pl.Expr:
    return pl.sum_horizontal([column.is_not_null() for column in columns])


def _seasoned(days: pl.DataFrame) -> pl.DataFrame:
    spent, weekend = pl.col("is_on"), pl.col("is_weekend")
    median = {
        name: lag(pl.when(of).then("x").rolling_median(SEASON_DAYS, min_samples=1).over(ID))
        for name, of in (("_working", spent & ~weekend), ("_weekend", spent & weekend))
    }
    offset = pl.when(weekend).then(pl.col("_weekend") - pl.col("_working")).otherwise(0.0)
    days = days.with_columns(**median).with_columns(season=offset.fill_null(0.0))
    return days.drop(median)


def _as_known(days: pl.DataFrame) -> pl.DataFrame:
    """Statistics of spending days, carried to the days that follow each."""
    flat = (pl.col("x") - pl.col("season")).alias("flat")
    spending = days.filter("is_on").with_columns(flat)
    spending = spending.select(
        ID,
        "x",
        level=_followed("flat"),
        slow=_median("flat", SLOW_DAYS),
        amount_median=_median("x", AMOUNT_DAYS),
        amount_p95=pl.col("x")
        .rolling_quantile(0.95, window_size=AMOUNT_DAYS, min_samples=1)
        .over(ID),
        n_on=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID),
    )
    off = (pl.col("x") - pl.col("amount_median")).abs()
    spending = spending.with_columns(
        amount_mad=off.rolling_median(AMOUNT_DAYS, min_samples=1).over(ID)
    )
    return carried(days, spending.drop(ID, "x"), pl.col("is_on"))


def carried(days: pl.DataFrame, some: pl.DataFrame, is_among: pl.Expr) -> pl.DataFrame:
    """Add statistics of some days: every day has the latest from before it.

    Args:
        days: Every day, sorted by series and day.
        some: The statistics of the days that are among them, in the same order.
        is_among: Whether a day is.
    """
    placed = days.select(ID, place=pl.when(is_among).then(is_among.cum_sum() - 1))
    latest = placed.select(pl.col("place").forward_fill().shift(1).over(ID)).to_series()
    return days.hstack(some.select(pl.all().gather(latest)))


def _followed(name: str) -> pl.Expr:
    middle = pl.col(name).rolling_median(LEVEL_DAYS, min_samples=1)
    cut = pl.col(name).clip(middle - LARGEST_STEP, middle + LARGEST_STEP)
    return cut.ewm_mean(half_life=LEVEL_HALF_LIFE).over(ID)


def _median(name: str, days: int) -> pl.Expr:
    return pl.col(name).rolling_median(days, min_samples=1).over(ID)
