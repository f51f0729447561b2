"""Settled days that the provider changed later."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column
from openai_costs.tables.core.spend import BILLED, COST_BASES, COUNTED


class Restatements(Contract):
    """Settled days that the provider changed.

    One row per connection, UTC day, read that found the change and cost basis, with the total
    before and after and the lines that differ. Computed from the stored reads of the day, so it
    can be rebuilt from raw/ alone.
    """

    connection: str = column("The connection in openai_costs.toml.")
    day: dt.date = column("The UTC day that changed.", unit="UTC day")
    seen_at: At = column("When the changed day was read.", unit="UTC timestamp")
    previous_read_at: At = column("When the replaced version was read.", unit="UTC timestamp")
    previous_usd: Usd = column("The day's total before.", unit="USD")
    current_usd: Usd = column("The day's total after.", unit="USD")
    change_usd: Usd = column("current_usd - previous_usd.", unit="USD")
    lines_changed: int = column("Number of ledger lines that differ.", unit="lines")
    cost_basis: str = column(
        "Whether the lines that changed are billed, metered or estimated.",
        isin=COST_BASES,
        before=BILLED,
    )
    what_changed: str = column("The lines with the largest changes, before and after.")

    class Config(Contract.Config):
        """One row per change."""

        unique = ("connection", "day", "seen_at", "cost_basis")

    @classmethod
    def counted(cls) -> str | None:
        """Return that a change of the bill is a change of billed rows."""
        return COUNTED
