"""Drop: a series that spent every day has stopped. Pure."""

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import span, subject


def _sentence(days: Days) -> str:
    newest = days[-1]
    expected = f"{dollars(newest['expected_usd'])} was expected on {newest['day']}"
    before = "It had spent every day for at least two weeks."
    spent = f"spent {dollars(newest['actual_usd'])} {span(days)}"
    return f"{subject(newest)} {spent}; {expected}. {before}"


KIND = Kind(
    name="drop",
    published_as="drop",
    holds=pl.col("is_stopped"),
    title="Spend of {who} stopped: {usd} below expected {when}",
    sentence=_sentence,
    is_informational=True,
)
