"""Spike: a day that cost far more than expected, or several such days in a row. Pure."""

import polars as pl

from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import (
    against_expected,
    duration,
    normal_day,
    subject,
)


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
    holds=pl.col("is_high"),
    title="Spend of {who} was {usd} above expected {when}",
    sentence=_sentence,
    may_recur=True,
)
