"""The control total: what the provider bills for the day as a whole, apart from its lines."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column


class SpendControl(Contract):
    """The total that every table must add up to.

    One row per connection and UTC day: its ungrouped total; where the provider has none, what the
    pages of its ledger add up to. A day without spend has a row with 0; a day that was never read
    has no row.
    """

    connection: str = column("The connection of openai_costs.toml.")
    day: dt.date = column("The UTC day.", unit="UTC day")
    billed_usd: Usd = column("The total of the day.", unit="USD")
    is_settled: bool = column(
        "Whether the read came late enough for the day to have stopped moving."
    )
    read_at: At = column("When the provider was asked.", unit="UTC timestamp")

    class Config(Contract.Config):
        """One row per connection and day."""

        unique = ("connection", "day")
