"""How far a day usually lies from what is expected of it: the scale of a series. Pure.

Half of it is the body of the distribution, half its tail: a series that is quiet for weeks and
wild for a day is as wide as its wild days. Only residuals of earlier days are used.
"""

import polars as pl

from openai_costs.questions.anomalies.baseline import AMOUNT_DAYS, carried
from openai_costs.questions.series import ID, KEY, PRINCIPALS, lag, level_of

BODY_DAYS = 60

YOUNG_DAYS = 28

FIRST_DAYS = 7

TAIL_WEEKS = 13

FEWEST_WEEKS = 4

PRIOR, PRIOR_OF_KEYS = 0.5, 0.3
"""The scale assumed for a young series: programs spend more steadily than people."""

WILDNESS = 2.0

WIDEST = 1.6
"""At most so many times the scale: noise is no reason to overlook a day that no noise makes."""

STRICTER = 1.056

PRIOR_DAYS = 6.0

NARROWEST = 0.08

MAD_TO_SIGMA = 1.4826

TAIL_SIGMAS = 1.9
"""Where the third largest of 13 weekly maxima lies in a normal distribution, in sigmas."""

AMOUNT_PRIOR_DAYS = 4.0

FEW_AMOUNTS = 6

SIGMAS_OF_95 = 1.645

STRICTER_AMOUNTS = 1.16

ON_IDLE_WEEKENDS = 0.35
"""Who seldom spends at weekends and does is unusual at a smaller amount."""


def with_scale(days: pl.DataFrame) -> pl.DataFrame:
    """Add scale and day_scale, of usual days, and amount_scale, of idle series' spending days.

    body = 1.4826 x median |residual| of 60 days, mixed with 0.5 (keys: 0.3) while there are few;
    tail = third largest weekly maximum of 13 weeks / 1.9; scale = body and tail by half, 0.08 at
    least, for tests that add days up. day_scale = 1.056 scale x (1 + scale + 2 scale^2, at most
    1.6), for single days: the noisier a series, the longer its tail.
    """
    prior = pl.when(level_of(pl.col(ID)) == KEY).then(PRIOR_OF_KEYS).otherwise(PRIOR)
    days = _with_tails(_bodies(_judged(days))).with_columns(_prior=prior)
    body = _with_prior(pl.col("n_judged").fill_null(0).clip(0, BODY_DAYS), pl.col("body"))
    seen = pl.when(pl.col("_weeks") >= FEWEST_WEEKS).then("_weeks").otherwise(0)
    share = 0.5 * seen / TAIL_WEEKS
    tail = (pl.col("_third").clip(0) / TAIL_SIGMAS).fill_null(0.0)
    days = days.with_columns(scale=(body * (1 - share) + tail * share).clip(NARROWEST))
    scale = pl.col("scale")
    wider = (1 + scale + WILDNESS * scale**2).clip(upper_bound=WIDEST)
    return days.with_columns(day_scale=STRICTER * scale * wider, amount_scale=_amount_scale()).drop(
        "_weeks", "_third", "_prior", "judged"
    )


def _judged(days: pl.DataFrame) -> pl.DataFrame:
    counts = pl.col("is_on") & pl.col("is_usual") & (pl.col("age") >= FIRST_DAYS)
    return days.with_columns(judged=pl.when(counts).then("residual"))


def _bodies(days: pl.DataFrame) -> pl.DataFrame:
    some = days.filter(pl.col("judged").is_not_null())
    middle = pl.col("judged").abs().rolling_median(BODY_DAYS, min_samples=1).over(ID)
    counted = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over(ID)
    return carried(days, some.select(ID, "day", body=MAD_TO_SIGMA * middle, n_judged=counted))


def _with_prior(n: pl.Expr, body: pl.Expr) -> pl.Expr:
    prior = pl.when(n < YOUNG_DAYS).then(PRIOR_DAYS).otherwise(0.0)
    assumed = pl.col("_prior")
    square = (n * body.fill_null(assumed) ** 2 + prior * assumed**2) / (n + prior)
    return square.sqrt()


def _with_tails(days: pl.DataFrame) -> pl.DataFrame:
    """Add _weeks and _third: how many of the last 13 weeks there are, the third largest maximum.

    A week counts back from the day before.
    """
    weekly = pl.col("judged").fill_null(-9.0).rolling_max(7, min_samples=1).over(ID)
    days = days.with_columns(_weekly=weekly)
    maxima = [lag(pl.col("_weekly"), 1 + 7 * week) for week in range(TAIL_WEEKS)]
    days = days.with_columns(_tops=pl.concat_list(maxima).list.drop_nulls())
    tops = pl.col("_tops").list
    return days.with_columns(
        _weeks=tops.len(), _third=tops.sort(descending=True).list.get(2, null_on_oob=True)
    ).drop("_tops", "_weekly")


def _amount_scale() -> pl.Expr:
    n = pl.col("n_on").fill_null(0).clip(0, AMOUNT_DAYS)
    scatter = MAD_TO_SIGMA * pl.col("amount_mad").fill_null(1.0)
    body = ((n * scatter**2 + AMOUNT_PRIOR_DAYS) / (n + AMOUNT_PRIOR_DAYS)).sqrt()
    tail = (pl.col("amount_p95") - pl.col("amount_median")) / SIGMAS_OF_95
    scale = STRICTER_AMOUNTS * pl.max_horizontal(body, pl.when(n >= FEW_AMOUNTS).then(tail))
    is_principal = level_of(pl.col(ID)).is_in(PRINCIPALS)
    is_idle_weekend = is_principal & pl.col("is_weekend") & ~pl.col("is_usual")
    return pl.when(is_idle_weekend).then(ON_IDLE_WEEKENDS * scale).otherwise(scale)
