"""Series as the detector wants them: a row for every day from the first spending on. Pure."""

import polars as pl

ID = "series_id"
PEOPLE, KEY = "user", "key"
WHO = (PEOPLE, KEY)
"""The levels at which somebody spends; all others are sums over them."""
LEVELS_APART = ":"
"""What stands between the level and the name in a series_id: `user:ada`, `key:k-1`."""


def level_of(series_id: pl.Expr) -> pl.Expr:
    """Return the level that a series_id names: all of it where it names no level (`org`)."""
    return series_id.str.split_exact(LEVELS_APART, 1).struct.field("field_0")


def every_day(spend: pl.DataFrame) -> pl.DataFrame:
    """Return a row per series and day, from its first spending to the frame's last day.

    A day without a row cost nothing. Days before the first spending say nothing and are left out.

    Args:
        spend: series_id, day, cost (Decimal or Float64); one row per series and day at most.

    Returns:
        series_id, day, cost (Float64), sorted by series and day.
    """
    told = spend.select(ID, "day", pl.col("cost").cast(pl.Float64))
    first = told.filter(pl.col("cost") > 0).group_by(ID).agg(pl.col("day").min())
    last = told["day"].max()
    days = first.select(ID, day=pl.date_ranges("day", pl.lit(last, pl.Date))).explode("day")
    joined = days.join(told, on=[ID, "day"], how="left").sort(ID, "day")
    return joined.with_columns(pl.col("cost").fill_null(0.0))


def described(dense: pl.DataFrame) -> pl.DataFrame:
    """Add what later steps ask of a day.

    x = ln(cost + 1): spend is multiplicative, and a dollar is where noise begins. is_on: it spent.
    is_weekend. age: days since the first. day_of_month and days_left, to the end of the month.
    """
    day = pl.col("day")
    return dense.with_columns(
        x=(pl.col("cost").clip(0) + 1).log(),
        is_on=pl.col("cost") > 0,
        is_weekend=day.dt.weekday() > 5,  # noqa: PLR2004 - Saturday is 6 in Polars
        age=pl.int_range(pl.len(), dtype=pl.Int32).over(ID),
        day_of_month=day.dt.day().cast(pl.Int32),
        days_left=(day.dt.month_end() - day).dt.total_days().cast(pl.Int32),
    )


def past(expression: pl.Expr, days: int = 1) -> pl.Expr:
    """Return what the expression was that many days before, in its own series."""
    return expression.shift(days).over(ID)
