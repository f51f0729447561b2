"""How far forecasts of a series were off before, and so how far this one may be. Pure."""

import polars as pl

from openai_costs.questions.series import ID

PEOPLE = "user:"
FEWEST_DAYS = 21
PRIOR_ERRORS = 4.0
CERTAIN = 0.05
FEW_ERRORS = 40.0
LARGEST_ERROR = 3.0
SMALLEST_SCALE = 0.005
REACH = 2
"""No band reaches further than twice the highest of the last days on every day added up: a young
series has few errors of its own, and is as rarely outside as with bands that reach further."""
PRIOR_RATIO = 1.0
WIDER_YOUNG = 0.7
"""A scale of few errors is itself an estimate, as in Student's t: wider by 0.7 of itself without
any, and by less with each error of the series' own."""
BANDS = {
    "low80": (0.09, -1.3),
    "high80": (0.91, 1.4),
    "low95": (0.006, -3.2),
    "high95": (0.994, 3.6),
}
"""Quantile of the errors, a little outside 80 and 95 % because quantiles are estimates too, and
what is taken, in scales, while there are few."""


PERIOD = ("as_of", "start", "end")
"""What is forecast as of the same day for the same period shares the errors of the past."""
GROUP = (*PERIOD, "group")
SERIES = (ID, *PERIOD)


def banded(now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, as_of, start, end, forecast, low80, high80, low95, high95.

    An error is q = ln((actual + a) / (rest + a)), a = $1 for every day added up. A series' scale is
    the root mean square of its own past q, mixed with four errors of the size that its volatility
    has with others. Quantiles of q / scale are those of all series of the group (people, others).

    Args:
        now: series_id, as_of, start, end, skipped and ahead (days), volatility, rest, so_far,
            highest (dollars of the highest of the last days).
        before: series_id, as_of, start, end, skipped, ahead, volatility, rest, actual, seen;
            periods that have ended.
    """
    added_up = pl.col("ahead") - pl.col("skipped")
    floor = added_up.clip(1).cast(pl.Float64)
    q = ((pl.col("actual") + floor) / (pl.col("rest") + floor)).log()
    errors = before.filter((pl.col("seen") >= FEWEST_DAYS) & pl.col("actual").is_not_null())
    errors = errors.with_columns(group=_group(), q=q.clip(-LARGEST_ERROR, LARGEST_ERROR))
    errors = errors.with_columns(usual=_usual(pl.col("volatility")))
    scale = _scale(now.with_columns(group=_group()), errors)
    quantiles = _quantiles(
        errors.join(scale.select(*SERIES, "promised", "n", "squares"), on=SERIES)
    )
    told = scale.join(quantiles, on=GROUP, how="left")
    young = 1 + WIDER_YOUNG / (1 + pl.col("n"))
    rest, width = pl.col("rest") + floor, pl.col("scale") * young
    ends = {name: (_at(name) * width).exp() for name in BANDS}
    most = pl.col("highest") * REACH * added_up
    reached = {name: pl.min_horizontal(rest * end - floor, most) for name, end in ends.items()}
    bands = [_held(name, end.clip(0)).alias(name) for name, end in reached.items()]
    told = told.select(*SERIES, "so_far", *bands, forecast="rest")
    return told.select(*SERIES, *(pl.col(name) + pl.col("so_far") for name in ("forecast", *BANDS)))


def _group() -> pl.Expr:
    return pl.col(ID).str.starts_with(PEOPLE)


def _usual(volatility: pl.Expr) -> pl.Expr:
    return (volatility**2 + CERTAIN**2).sqrt()


def _scale(now: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """Add scale: own errors and, counting as four, what the volatility promises."""
    ratio = errors.group_by(GROUP).agg(
        ratio=((pl.col("q") / pl.col("usual")) ** 2).median() / 0.455
    )
    own = errors.group_by(SERIES).agg(n=pl.len(), squares=(pl.col("q") ** 2).sum())
    told = now.join(ratio, on=GROUP, how="left").join(own, on=SERIES, how="left")
    promised = pl.col("ratio").fill_null(PRIOR_RATIO) * _usual(pl.col("volatility")) ** 2
    told = told.with_columns(
        promised=promised, n=pl.col("n").fill_null(0), squares=pl.col("squares").fill_null(0.0)
    )
    return told.with_columns(scale=_mixed(pl.col("squares"), pl.col("n")))


def _mixed(squares: pl.Expr, n: pl.Expr) -> pl.Expr:
    mean = (squares + PRIOR_ERRORS * pl.col("promised")) / (n + PRIOR_ERRORS)
    return mean.clip(SMALLEST_SCALE**2).sqrt()


def _quantiles(errors: pl.DataFrame) -> pl.DataFrame:
    """Quantiles of q in scales of the other errors of the series: it did not know this one."""
    z = pl.col("q") / _mixed(pl.col("squares") - pl.col("q") ** 2, pl.col("n") - 1)
    at = [z.quantile(quantile).alias(f"_{name}") for name, (quantile, _) in BANDS.items()]
    return errors.group_by(GROUP).agg(*at, many=pl.len())


def _held(name: str, end: pl.Expr) -> pl.Expr:
    """A band holds its forecast: where all of a group grew, past errors lie on one side of it."""
    return (pl.min_horizontal if name.startswith("low") else pl.max_horizontal)(end, "rest")


def _at(name: str) -> pl.Expr:
    """The quantile of the group, mixed with the default while the group has few errors."""
    share = pl.col("many").fill_null(0) / (pl.col("many").fill_null(0) + FEW_ERRORS)
    default = BANDS[name][1]
    return share * pl.col(f"_{name}").fill_null(default) + (1 - share) * default
