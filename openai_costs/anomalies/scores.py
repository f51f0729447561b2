"""How unusual a single day is, in spreads: spending days, idle series, weekends. Pure."""

import polars as pl

from openai_costs.anomalies.monthly import recurs
from openai_costs.anomalies.series import ID
from openai_costs.anomalies.shape import SEASON_DAYS

AWAKE = 6.0
"""The score of a day on which a series is awake that has never been so."""
SETTLED_DAYS = 28
MOSTLY = 0.6
ORDINARY_AMOUNT = -0.7
WORTH_ASKING = 2.5
FORGIVEN = 1.0


def scored(days: pl.DataFrame) -> pl.DataFrame:
    """Add score, is_awake (the weekend rule) and is_monthly.

    A usual day: residual / spread. A day on which the series is usually idle: how far the amount
    lies above those of its spending days; idle as usual: 0.
    """
    usual = pl.col("is_usual")
    amount = (pl.col("x") - pl.col("middle")) / pl.col("amount_spread")
    plain = (
        pl.when(usual)
        .then(pl.col("residual") / pl.col("spread"))
        .when("is_on")
        .then(amount)
        .otherwise(0.0)
    )
    jump = pl.when(usual).then("residual").otherwise(pl.col("x") - pl.col("middle"))
    told = days.with_columns(score=plain, jump=jump, is_awake=_awake())
    monthly = recurs(pl.col("jump")) & ~pl.col("is_awake") & (pl.col("score") > WORTH_ASKING)
    told = told.with_columns(is_monthly=monthly.fill_null(value=False))
    awake = pl.when("is_awake").then(pl.max_horizontal("score", pl.lit(AWAKE)))
    told = told.with_columns(score=awake.otherwise("score"))
    return told.with_columns(score=pl.when("is_monthly").then(FORGIVEN).otherwise("score"))


def _awake() -> pl.Expr:
    """Never at weekends (or never on working days) in 8 weeks, mostly on the others, and now.

    The day before does not count: a Sunday after a Saturday is the same weekend.
    """
    weekend, on = pl.col("is_weekend"), pl.col("is_on").cast(pl.Float64)
    at = {of: _share(on, weekend == of) for of in (True, False)}
    same = pl.when(weekend).then(at[True]).otherwise(at[False])
    other = pl.when(weekend).then(at[False]).otherwise(at[True])
    is_new = (same == 0) & (other >= MOSTLY) & (pl.col("age") >= SETTLED_DAYS)
    is_much = pl.col("x") >= pl.col("middle") + ORDINARY_AMOUNT
    return (pl.col("is_on") & ~pl.col("is_usual") & is_new & is_much).fill_null(value=False)


def _share(on: pl.Expr, of: pl.Expr) -> pl.Expr:
    return pl.when(of).then(on).rolling_mean(SEASON_DAYS, min_samples=1).shift(2).over(ID)
