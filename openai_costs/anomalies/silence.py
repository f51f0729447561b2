"""Steady series that stop. Pure."""

import polars as pl

from openai_costs.anomalies.series import ID

STEADY_SPREADS = 16.0
"""A series whose usual day is this many spreads above nothing never just has a day off."""
LIVELY_SPREADS = 5.0
STEADY_DAYS = 14
LIVELY_DAYS = 28
LIVELY_SILENCE = 3
LATEST = 5


def silent(days: pl.DataFrame) -> pl.DataFrame:
    """Add is_silent: a series without a silent day in its streak of spending days has stopped.

    A steady one (mu / calm >= 16, a streak of 14 days) is noticed on the first silent day, a lively
    one (5, and 28 days) on the third. Told for five days; then the silence is the new normal.
    """
    on, age = pl.col("is_on"), pl.col("age")
    told = days.with_columns(
        _last_on=pl.when(on).then(age).forward_fill().over(ID).fill_null(-1),
        _streak=_streak(),
    ).with_columns(silent_days=age - pl.col("_last_on"))
    depth = pl.col("mu") / pl.col("calm")
    steady = (depth >= STEADY_SPREADS) & (pl.col("_streak") >= STEADY_DAYS)
    lively = (depth >= LIVELY_SPREADS) & (pl.col("_streak") >= LIVELY_DAYS)
    stopped = steady | (lively & (pl.col("silent_days") >= LIVELY_SILENCE))
    is_silent = ~on & (pl.col("silent_days") <= LATEST) & stopped.fill_null(value=False)
    return told.with_columns(is_silent=is_silent).drop("_last_on", "_streak")


def _streak() -> pl.Expr:
    """Spending days in a row up to the last spending day, however long the silence since."""
    on, age = pl.col("is_on"), pl.col("age")
    last_off = pl.when(~on).then(age).forward_fill().over(ID).fill_null(-1)
    return pl.when(on).then(age - last_off).forward_fill().over(ID)
