"""How far a day usually lies from what is expected of it. Pure.

Half of it is the body of the distribution, half its tail: a series that is quiet for weeks and
wild for a day is as wide as its wild days. Only residuals of earlier days are used.
"""

import polars as pl

from openai_costs.anomalies.series import ID, KEY, level_of, past
from openai_costs.anomalies.shape import carried

BODY_DAYS = 60
YOUNG_DAYS = 28
FIRST_DAYS = 7
TAIL_WEEKS = 13
FEWEST_WEEKS = 4
PRIOR, PRIOR_OF_KEYS = 0.5, 0.3
"""Spread assumed of a young series: what a program spends is steadier than what a person does."""
WILDNESS = 2.0
PRIOR_DAYS = 6.0
NARROWEST = 0.08
MAD_TO_SIGMA = 1.4826
TAIL_SIGMAS = 1.9
"""Where the third largest of 13 weekly maxima lies in a normal distribution, in sigmas."""
AMOUNT_PRIOR_DAYS = 4.0
AMOUNT_DAYS = 25
FEW_AMOUNTS = 6
SIGMAS_OF_95 = 1.645


def spread(days: pl.DataFrame) -> pl.DataFrame:
    """Add calm and spread, of usual days, and amount_spread, of idle series' spending days.

    body = 1.4826 x median |residual| of 60 days, mixed with 0.5 (keys: 0.3) while there are few;
    tail = third largest weekly maximum of 13 weeks / 1.9; s = body and tail by half, 0.08 at
    least. calm = s (1 + s), for tests that add days up; spread = s (1 + s + 2 s^2), for single
    days: the noisier a series, the longer its tail compared with a normal one.
    """
    prior = pl.when(level_of(pl.col(ID)) == KEY).then(PRIOR_OF_KEYS).otherwise(PRIOR)
    told = _with_tails(_bodies(_judged(days))).with_columns(_prior=prior)
    body = _with_prior(pl.col("n_judged").fill_null(0).clip(0, BODY_DAYS), pl.col("body"))
    seen = pl.when(pl.col("_weeks") >= FEWEST_WEEKS).then("_weeks").otherwise(0)
    share = 0.5 * seen / TAIL_WEEKS
    tail = (pl.col("_third").clip(0) / TAIL_SIGMAS).fill_null(0.0)
    told = told.with_columns(_s=(body * (1 - share) + tail * share).clip(NARROWEST))
    s = pl.col("_s")
    return told.with_columns(
        calm=s * (1 + s),
        spread=s * (1 + s + WILDNESS * s**2),
        amount_spread=_amount_spread(),
    ).drop("_s", "_weeks", "_third", "_prior", "judged")


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
    told = days.with_columns(_weekly=weekly)
    maxima = [past(pl.col("_weekly"), 1 + 7 * week) for week in range(TAIL_WEEKS)]
    told = told.with_columns(_tops=pl.concat_list(maxima).list.drop_nulls())
    tops = pl.col("_tops").list
    return told.with_columns(
        _weeks=tops.len(), _third=tops.sort(descending=True).list.get(2, null_on_oob=True)
    ).drop("_tops", "_weekly")


def _amount_spread() -> pl.Expr:
    n = pl.col("n_on").fill_null(0).clip(0, AMOUNT_DAYS)
    scatter = MAD_TO_SIGMA * pl.col("scatter").fill_null(1.0)
    body = ((n * scatter**2 + AMOUNT_PRIOR_DAYS) / (n + AMOUNT_PRIOR_DAYS)).sqrt()
    tail = (pl.col("high") - pl.col("middle")) / SIGMAS_OF_95
    return pl.max_horizontal(body, pl.when(n >= FEW_AMOUNTS).then(tail))
