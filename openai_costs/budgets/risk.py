"""Since when a period is on its way above its limit; told once, not each time it wavers. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from openai_costs.days import DayRange

SHARE = 6
MOST_DAYS = 5
"""A forecast is told when a sixth of the period is gone, or five days of it."""


def risk_since(days: Sequence[Mapping[str, Any]]) -> date | None:
    """Return the day since which a period is at risk; None when it is not, is exceeded or over.

    At risk from a forecast above the limit until the 80 % band lies below: a forecast that wavers
    about the limit is one message. A day without a forecast changes nothing: where days are late
    nobody knows better, and that is no all-clear.

    Args:
        days: The rows of mart.budget_status of one period, oldest first.
    """
    since: date | None = None
    for day in days:
        if day["spent_usd"] > day["limit_usd"]:
            since = None
        elif day["forecast_usd"] is None:
            continue
        elif day["forecast_high_usd"] <= day["limit_usd"]:
            since = None
        elif since is None and day["forecast_usd"] > day["limit_usd"] and _is_told(day):
            since = day["day"]
    return since if days[-1]["day"] < days[-1]["period_end"] else None


def _is_told(day: Mapping[str, Any]) -> bool:
    gone = DayRange(day["period_start"], day["day"])
    whole = DayRange(day["period_start"], day["period_end"])
    return len(gone) >= min(MOST_DAYS, max(1, len(whole) // SHARE))
