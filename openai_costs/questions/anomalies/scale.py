"""How far a day usually lies from what is expected of it: the scale of a series. Pure.

Part of it is the body of the distribution, part its tail: a series that is quiet for weeks and
wild for a day is as wide as its wild days. Only residuals of earlier days are used.
"""

import polars as pl

from openai_costs.questions.anomalies.baseline import AMOUNT_DAYS, carried
from openai_costs.questions.anomalies.monthly_recurrence import recurs_each_month
from openai_costs.questions.series import ID, KEY, PRINCIPALS, lag

BODY_DAYS = 120

YOUNG_DAYS = 28

FIRST_DAYS = 7

TAIL_WEEKS = 26

TAIL_QUANTILE = 0.81
"""The sixth largest of 26 weekly maxima: a few incidents in half a year do not widen a series."""

FEWEST_WEEKS = 5

NOTHING = -9.0
"""The residual of a week without a judged day: below all others."""

LOUD = 4.0
"""So many times the body, a jump that comes on the same day of each month is a job, not noise."""

TAIL_SHARE = 0.65
"""The tail says more about the next wild day than the body does, once half a year is known."""

PRIOR, PRIOR_OF_KEYS = 0.5, 0.3
"""The scale assumed for a young series: programs spend more steadily than people."""

STEADY, WILDNESS = 0.85, 4.0
"""A steady series is judged more strictly than a noisy one, whose tail is longer."""

WIDEST = 1.6
"""At most so many times the scale: noise is no reason to overlook a day that no noise makes."""

STRICTER, STRICTER_KEYS = 1.12, 1.04
"""A program's tail is shorter than a person's."""

PRIOR_DAYS = 6.0

NARROWEST = 0.08

MAD_TO_SIGMA = 1.4826

TAIL_SIGMAS = 1.9
"""About where that lies in a normal distribution, in sigmas."""

AMOUNT_PRIOR_DAYS = 4.0

FEW_AMOUNTS = 6

SIGMAS_OF_95 = 1.645

STRICTER_AMOUNTS = 1.25

ON_IDLE_WEEKENDS = 0.35
"""Who seldom spends at weekends and does is unusual at a smaller amount."""


def with_scale(days: pl.DataFrame) -> pl.DataFrame:
    """Add scale and day_scale, of usual days, and amount_scale, of idle series' spending days.

    body = 1.4826 x median |residual| of 120 days, mixed with 0.5 (keys: 0.3) while there are few;
    tail = 81st percentile of the weekly maxima of 26 weeks / 1.9; scale = 0.35 body + 0.65 tail, of
    fewer weeks a smaller share, 0.08 at least, for tests that add days up. day_scale = 1.12 (keys:
    1.04) x scale x (0.85 + 0.85 scale + 4 scale^2, at most 1.6), for single days: the noisier a
    series, the longer its tail.
    """
    prior = pl.when(pl.col("series_level") == KEY).then(PRIOR_OF_KEYS).otherwise(PRIOR)
    days = _with_tails(_bodies(_judged(days))).with_columns(_prior=prior)
    body = _with_prior(pl.col("n_judged").fill_null(0).clip(0, BODY_DAYS), pl.col("body"))
    seen = pl.when(pl.col("_weeks") >= FEWEST_WEEKS).then("_weeks").otherwise(0)
    share = TAIL_SHARE * seen / TAIL_WEEKS
    tail = (pl.col("_high_week").clip(0) / TAIL_SIGMAS).fill_null(0.0)
    days = days.with_columns(scale=(body * (1 - share) + tail * share).clip(NARROWEST))
    scale = pl.col("scale")
    wider = (STEADY * (1 + scale) + WILDNESS * scale**2).clip(upper_bound=WIDEST)
    stricter = pl.when(pl.col("series_level") == KEY).then(STRICTER_KEYS).otherwise(STRICTER)
    return days.with_columns(day_scale=stricter * scale * wider, amount_scale=_amount_scale()).drop(
        "_weeks", "_high_week", "_prior", "judged"
    )


def _judged(days: pl.DataFrame) -> pl.DataFrame:
    counts = pl.col("is_on") & pl.col("is_usual") & (pl.col("age") >= FIRST_DAYS)
    return days.with_columns(judged=pl.when(counts).then("residual"))


def _bodies(days: pl.DataFrame) -> pl.DataFrame:
    is_judged = pl.col("judged").is_not_null()
    middle = pl.col("judged").abs().rolling_median(BODY_DAYS, min_samples=1).over(ID)
    counted = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID)
    some = days.filter(is_judged).select(body=MAD_TO_SIGMA * middle, n_judged=counted)
    return carried(days, some, is_judged)


def _with_prior(n: pl.Expr, body: pl.Expr) -> pl.Expr:
    prior = pl.when(n < YOUNG_DAYS).then(PRIOR_DAYS).otherwise(0.0)
    assumed = pl.col("_prior")
    square = (n * body.fill_null(assumed) ** 2 + prior * assumed**2) / (n + prior)
    return square.sqrt()


def _with_tails(days: pl.DataFrame) -> pl.DataFrame:
    """Add _weeks, how many of the last 26 weeks there are, and _high_week, the 81st percentile.

    A jump that came on the same day of both months before is of a job, and no noise.
    A week counts back from the day before, so the weeks of a day are those of the day a week ago
    and one more: all days that are whole weeks apart share them.
    """
    is_job = (pl.col("judged") > LOUD * pl.col("body")) & recurs_each_month(pl.col("judged"))
    noise = pl.when(is_job.fill_null(value=False)).then(NOTHING).otherwise("judged")
    days = days.with_columns(_noise=noise.fill_null(NOTHING), _phase=pl.col("age") % 7)
    days = days.with_columns(_weekly=pl.col("_noise").rolling_max(7, min_samples=1).over(ID))
    high = pl.col("_weekly").rolling_quantile(
        TAIL_QUANTILE, "nearest", window_size=TAIL_WEEKS, min_samples=FEWEST_WEEKS
    )
    weeks = (pl.col("age") + 6).floordiv(7).clip(0, TAIL_WEEKS)
    days = days.with_columns(_high_week=high.over(ID, "_phase"))
    return days.with_columns(_weeks=weeks, _high_week=lag(pl.col("_high_week"))).drop(
        "_weekly", "_phase", "_noise"
    )


def _amount_scale() -> pl.Expr:
    n = pl.col("n_on").fill_null(0).clip(0, AMOUNT_DAYS)
    scatter = MAD_TO_SIGMA * pl.col("amount_mad").fill_null(1.0)
    body = ((n * scatter**2 + AMOUNT_PRIOR_DAYS) / (n + AMOUNT_PRIOR_DAYS)).sqrt()
    tail = (pl.col("amount_p95") - pl.col("amount_median")) / SIGMAS_OF_95
    scale = STRICTER_AMOUNTS * pl.max_horizontal(body, pl.when(n >= FEW_AMOUNTS).then(tail))
    is_principal = pl.col("series_level").is_in(PRINCIPALS)
    is_idle_weekend = is_principal & pl.col("is_weekend") & ~pl.col("is_usual")
    return pl.when(is_idle_weekend).then(ON_IDLE_WEEKENDS * scale).otherwise(scale)
