"""What a connection spent, and which of its days are judged. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from openai_costs.anomalies.spend_series import Seen

CONTEXT_DAYS = 200
"""What the newest day is judged by."""
JUDGED_DAYS = 100
"""The newest settled days, which are judged whenever the table is made."""


@dataclass(frozen=True)
class History:
    """What a connection spent.

    Args:
        provider: Who bills it.
        days: The known days of the history, those that are judged and those before.
        calendar: Every day from the first to the last, and what stands in for unknown ones.
        seen: Its series.
    """

    provider: str
    days: set[date]
    calendar: pl.DataFrame
    seen: Seen

    @property
    def judged(self) -> set[date]:
        """The known days that are judged."""
        first = max(self.days) - timedelta(days=JUDGED_DAYS - 1)
        return {day for day in self.days if day >= first}
