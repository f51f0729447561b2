"""Spike: a day that cost far more than expected, or several such days in a row. Pure."""

import polars as pl

from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import (
    against_expected,
    duration,
    normal_day,
    subject,
)


def _is_certain_level_shift() -> pl.Expr:
    """After days that add up to a level shift, another high day is part of it."""
    is_certain = (pl.col("lasting") > pl.col("sigmas")) & pl.col("is_sudden")
    return is_certain.fill_null(value=False)


def _sentence(days: Days) -> str:
    newest = days[-1]
    if len(days) == 1:
        what = f"{subject(newest)} spent {against_expected(newest)}."
    else:
        more = f"has spent more than usual {duration(days)}"
        what = f"{subject(newest)} {more}: {against_expected(newest)}."
    return f"{what} {normal_day(newest)}"


KIND = Kind(
    name="spike",
    published_as="spike",
    title="Spend of {who} was {usd} above expected {when}",
    holds=pl.col("is_high") & ~_is_certain_level_shift(),
    sentence=_sentence,
    may_recur=True,
)
