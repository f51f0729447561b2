"""The control total: what the provider bills for a day as a whole, read apart from its lines."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column


class SpendControl(Contract):
    """The total that every table must add up to.

    One row per connection and UTC day: its ungrouped total or, if the provider has none, the sum of
    its ledger's pages. A day without spend has a row with 0; a day that was never read
    has no row. Metered and estimated dollars have totals of their own, never added to it.
    """

    connection: str = column("The connection in openai_costs.toml.")
    day: dt.date = column("The UTC day.", unit="UTC day")
    billed_usd: Usd = column("The total of the day's billed rows.", unit="USD")
    metered_usd: Usd = column(
        "The total of its metered rows; null if it has none.", unit="USD", nullable=True
    )
    estimated_usd: Usd = column(
        "The total of its estimated rows; null if it has none.", unit="USD", nullable=True
    )
    is_settled: bool = column("Whether the day had settled when it was read.")
    is_over: bool = column(
        "Whether the day was over, in UTC, both when it was read and when the vendor wrote what "
        "was read, and all of it was there; null in rows that are older than this column.",
        nullable=True,
    )
    read_at: At = column("When the day was read from the provider.", unit="UTC timestamp")

    class Config(Contract.Config):
        """One row per connection and day."""

        unique = ("connection", "day")
