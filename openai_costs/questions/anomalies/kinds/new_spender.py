"""New spender: a series that costs much in its first week. Pure."""

from decimal import Decimal

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import span, subject


def _sentence(days: Days) -> str:
    newest = days[-1]
    spent = sum((day["actual_usd"] for day in days), Decimal(0))
    what = f"{subject(newest)} is new and spent {dollars(spent)} {span(days)}"
    if len(days) > 1:
        what += f", of which {dollars(newest['actual_usd'])} on the last day"
    return what + "."


KIND = Kind(
    name="new_spender",
    published_as="new_entity",
    holds=pl.col("is_high") & pl.col("is_new"),
    title="Spend of the new {who} was {usd} above expected {when}",
    sentence=_sentence,
    goes_on=True,
)
