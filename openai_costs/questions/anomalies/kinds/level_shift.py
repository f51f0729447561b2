"""Level shift: a rise that came within days and lasts; no single day need be unusual. Pure."""

import polars as pl

from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import against_expected, normal_day, subject


def _sentence(days: Days) -> str:
    newest = days[-1]
    rise = f"has spent more than before since {newest['since_day']}"
    return f"{subject(newest)} {rise}: {against_expected(newest)}. {normal_day(newest)}"


KIND = Kind(
    name="level_shift",
    published_as="level_shift",
    holds=pl.col("is_lasting") & pl.col("is_sudden"),
    title="Daily spend of {who} rose to a higher level: {usd} above expected {when}",
    sentence=_sentence,
    lasts=True,
    goes_on=True,
)
