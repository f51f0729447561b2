"""Slow leak: a rise of a little more every day or so, which no single day gives away. Pure."""

import polars as pl

from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import against_expected, normal_day, subject


def _sentence(days: Days) -> str:
    newest = days[-1]
    rise = f"has spent a little more every few days, noticeably since {newest['since_day']}"
    return f"{subject(newest)} {rise}: {against_expected(newest)}. {normal_day(newest)}"


KIND = Kind(
    name="slow_leak",
    published_as="leak",
    holds=pl.col("is_lasting"),
    title="Daily spend of {who} rose slowly: {usd} above expected {when}",
    sentence=_sentence,
    lasts=True,
    goes_on=True,
)
