"""Closed days that the provider changed afterwards."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column


class Restatements(Contract):
    """Settled days that the provider changed.

    One row per connection, UTC day and read that found the change: from, to, what. Computed from
    the kept reads of the day, so it can be rebuilt from raw/ alone.
    """

    connection: str = column("The connection of openai_costs.toml.")
    day: dt.date = column("The UTC day that changed.", unit="UTC day")
    seen_at: At = column("When the changed answer was read.", unit="UTC timestamp")
    previous_read_at: At = column("When the answer it replaces was read.", unit="UTC timestamp")
    previous_usd: Usd = column("The day's total before.", unit="USD")
    current_usd: Usd = column("The day's total after.", unit="USD")
    change_usd: Usd = column("current_usd less previous_usd.", unit="USD")
    lines_changed: int = column("How many ledger lines differ.", unit="lines")
    what_changed: str = column("The lines with the largest change, from and to.")

    class Config(Contract.Config):
        """One row per change."""

        unique = ("connection", "day", "seen_at")
