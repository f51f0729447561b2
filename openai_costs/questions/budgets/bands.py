"""How far forecasts of a series were off before, and so how far this one may be. Pure.

A series' bands are of its own past alone: whatever is asked for beside it, they are the same.
"""

import polars as pl

from openai_costs.questions.series import ID

FEWEST_DAYS = 21
PRIOR_ERRORS = 4.0
CERTAIN = 0.05
LARGEST_ERROR = 3.0
SMALLEST_SCALE = 0.005
FEW_DAYS = 10
"""The volatility is that of weeks: fewer days than these, added up, vary more."""
REACH = 2
"""No band reaches further than twice the highest of the last days on every day added up: a young
series has few errors of its own, and is as rarely outside as with bands that reach further."""
WIDER_YOUNG = 0.7
"""A scale of few errors is itself an estimate, as in Student's t: wider by 0.7 of itself without
any, and by less with each error of the series' own."""
BANDS = {"low80": -1.3, "high80": 1.45, "low95": -2.8, "high95": 3.1}
"""Where each band ends, in scales: 80 and 95 % of the errors of many series lie within. Their tails
are longer than those of a normal distribution, and longer above than below."""

PERIOD = ("as_of", "start", "end")
SERIES = (ID, *PERIOD)


def banded(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, as_of, start, end, rest, low80, high80, low95, high95: of the days ahead.

    An error is q = ln((actual + a) / (rest + a)), a = $1 for every day added up. A series' scale is
    the root mean square of its own past q, mixed with four errors of the size of its volatility.

    Args:
        now: series_id, as_of, start, end, skipped and ahead (days), volatility, rest,
            highest (dollars of the highest of the last days).
        before: series_id, as_of, start, end, skipped, ahead, volatility, rest, actual, seen;
            periods that have ended.
    """
    added_up = pl.col("ahead") - pl.col("skipped")
    floor = added_up.clip(1).cast(pl.Float64)
    q = ((pl.col("actual") + floor) / (pl.col("rest") + floor)).log()
    errors = before.filter((pl.col("seen") >= FEWEST_DAYS) & pl.col("actual").is_not_null())
    errors = errors.with_columns(q=q.clip(-LARGEST_ERROR, LARGEST_ERROR))
    own = errors.group_by(SERIES).agg(n=pl.len(), squares=(pl.col("q") ** 2).sum())
    told = now.join(own, on=SERIES, how="left").with_columns(pl.col("n", "squares").fill_null(0))
    young = 1 + WIDER_YOUNG / (1 + pl.col("n"))
    rest, width = pl.col("rest") + floor, _scale(floor) * young
    ends = {name: (at * width).exp() for name, at in BANDS.items()}
    most = pl.col("highest") * REACH * added_up
    reached = {name: pl.min_horizontal(rest * end - floor, most) for name, end in ends.items()}
    bands = [_held(name, end.clip(0)).alias(name) for name, end in reached.items()]
    return told.select(*SERIES, "rest", *bands)


def _scale(days: pl.Expr) -> pl.Expr:
    """Own errors and, counting as four, what the volatility promises of so many days."""
    promised = pl.col("volatility") ** 2 * (FEW_DAYS / days).clip(1.0) + CERTAIN**2
    mean = (pl.col("squares") + PRIOR_ERRORS * promised) / (pl.col("n") + PRIOR_ERRORS)
    return mean.clip(SMALLEST_SCALE**2).sqrt()


def _held(name: str, end: pl.Expr) -> pl.Expr:
    """A band holds its forecast, also where the highest of the last days is below it."""
    return (pl.min_horizontal if name.startswith("low") else pl.max_horizontal)(end, "rest")
