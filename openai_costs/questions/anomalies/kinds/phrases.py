"""Phrases that the sentences of several kinds share: whose, how much, for how long. Pure."""

from decimal import Decimal
from typing import Any

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import cents, counted, dollars
from openai_costs.questions.anomalies.kinds.kind import Days
from openai_costs.questions.anomalies.series_ids import series_words


def subject(day: dict[str, Any]) -> str:
    """Return whose spend it is: `User Freya Lindqvist`, `API key etl (owner: Ada)`."""
    name, owner = day["series_name"] or day["series_id"], day["owner"]
    words = series_words(day["series_kind"])
    words = words[0].upper() + words[1:]
    is_own = day["series_kind"] == "user" or owner in (name, day["series_id"])
    return f"{words} {name}" if is_own or not owner else f"{words} {name} (owner: {owner})"


def against_expected(day: dict[str, Any]) -> str:
    """Return the newest day's dollars beside the expected: `$5.00 on 2026-01-05, against ...`."""
    expected = f"against {dollars(day['expected_usd'])} expected"
    if not cents(day["expected_usd"]):
        expected = "when nothing was expected"
    return f"{dollars(day['actual_usd'])} on {day['day']}, {expected}"


def normal_day(day: dict[str, Any]) -> str:
    """Return what a single day may cost without being unusual."""
    upper = dollars(day["upper_usd"])
    if day["actual_usd"] <= day["upper_usd"]:
        return f"A single day of up to {upper} would be normal; several in a row are not."
    return f"Up to {upper} would be normal."


def duration(days: Days) -> str:
    """Return how long it lasts: `for 15 days`, or `on 3 days since 2026-01-05` with gaps."""
    first, last = days[0]["day"], days[-1]["day"]
    has_gaps = (last - first).days + 1 > len(days)
    return f"on {counted(len(days), 'day')} since {first}" if has_gaps else f"for {len(days)} days"


def span(days: Days) -> str:
    """Return the days that a sum is of: `on 2026-01-05`, or `from 2026-01-05 to 2026-01-07`."""
    return DayRange(days[0]["day"], days[-1]["day"]).span


def total_impact(days: Days) -> Decimal:
    """Return the dollars above the expected of all days; negative where it was less."""
    return sum((day["impact_usd"] for day in days), Decimal(0))
