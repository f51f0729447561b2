"""Weekend activity: a series that spends on weekdays only spent at a weekend, or the reverse. Pure.

A day whose amount is more unusual than the activity itself is a spike.
"""

import polars as pl

from openai_costs.kernel.formatting import dollars
from openai_costs.questions.anomalies.kinds.kind import Days, Kind
from openai_costs.questions.anomalies.kinds.phrases import subject

ACTIVITY_SCORE = 6.0
"""The least score of such a day."""

SATURDAY = 5


def _sentence(days: Days) -> str:
    first, newest = days[0], days[-1]
    when = "at a weekend" if first["day"].weekday() >= SATURDAY else "on a weekday"
    since = "for the first time in eight weeks"
    spent = f"{dollars(first['actual_usd'])} on {first['day']}"
    if len(days) > 1:
        spent += f", and most recently {dollars(newest['actual_usd'])} on {newest['day']}"
    return f"{subject(newest)} spent money {when} {since}: {spent}."


KIND = Kind(
    name="awake_at_the_weekend",
    published_as="awake",
    holds=pl.col("is_high") & pl.col("is_weekend_activity") & (pl.col("score") <= ACTIVITY_SCORE),
    title="Spend of {who} outside its usual days of the week was {usd} above expected {when}",
    sentence=_sentence,
)
