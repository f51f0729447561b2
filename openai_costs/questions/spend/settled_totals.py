"""How much the total of a settled day has changed since: little, much, or all of it is gone. Pure.

Not here: the lines that changed (restatements.py).
"""

from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import cents, dollars, signed_dollars_of
from openai_costs.questions.spend.control_totals import SLICE

Size = Literal["small", "large", "very large"]

LARGE_PCT = Decimal(10)
"""A larger change of a settled day is a warning, ..."""

VERY_LARGE_PCT = Decimal(25)
"""... and one beyond this an error: do not rely on the day before it is explained."""

IMMATERIAL_USD = Decimal(1)
"""A change of fewer dollars is small, whatever its share."""


class Change(NamedTuple):
    """The newest change of a settled day's total.

    Args:
        connection: The connection.
        day: The UTC day.
        seen_at: When the change was read, as text.
        previous_usd: The total before.
        current_usd: The total after.
        is_restored: Whether the day had this total before an earlier change.
    """

    connection: str
    day: date
    seen_at: str
    previous_usd: Decimal
    current_usd: Decimal
    is_restored: bool

    @property
    def size(self) -> Size:
        """Whether the change is small, large or very large; a day that lost all is very large."""
        change = abs(self.current_usd - self.previous_usd)
        if self.is_restored or not change:
            return "small"
        if not self.current_usd:
            return "very large"
        if change < IMMATERIAL_USD:
            return "small"
        if not self.previous_usd:
            return "large"
        share = 100 * change / abs(self.previous_usd)
        if share > VERY_LARGE_PCT:
            return "very large"
        return "large" if share > LARGE_PCT else "small"

    def __str__(self) -> str:
        """Say the change in one sentence, with what may explain it."""
        before, after = dollars(self.previous_usd), dollars(self.current_usd)
        by = signed_dollars_of(cents(self.current_usd) - cents(self.previous_usd))
        text = (
            f"The settled spend of connection {self.connection} on {self.day} changed from "
            f"{before} to {after} ({by}) with the read of {self.seen_at} UTC"
        )
        if not self.current_usd:
            return (
                f"{text}. The provider may have reversed the charges, or the key may read "
                "another organization: run openai-costs doctor."
            )
        return f"{text}. mart.restatements lists the lines that changed."


def changes(restatements: pl.DataFrame) -> list[Change]:
    """Return the newest change of each day in mart.restatements, by day and connection."""
    found = []
    for _, rows in restatements.sort("seen_at").group_by(*SLICE, maintain_order=True):
        *earlier, newest = rows.iter_rows(named=True)
        totals = [row["previous_usd"] for row in earlier]
        found.append(
            Change(
                newest["connection"],
                newest["day"],
                f"{newest['seen_at']:%Y-%m-%d %H:%M}",
                newest["previous_usd"],
                newest["current_usd"],
                newest["current_usd"] in totals,
            )
        )
    return sorted(found, key=lambda one: (str(one.day), one.connection))
