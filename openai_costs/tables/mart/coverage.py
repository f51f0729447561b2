"""Which days can be believed: settled, provisional or missing."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column

STATES = ("settled", "provisional", "missing")


class Coverage(Contract):
    """Which days can be believed.

    One row per connection, source and UTC day from the connection's start to today. Ask this
    table before believing a sum: a missing day is not a day without spend.
    """

    connection: str = column("The connection of openai_costs.toml.")
    source: str = column("What was read: costs or usage.", isin=("costs", "usage"))
    day: dt.date = column("The UTC day.", unit="UTC day")
    state: str = column(
        "settled: read after the day stopped moving; provisional: before; missing: never read.",
        isin=STATES,
    )
    rows: int = column("Stored rows of the day; null when missing.", unit="rows", nullable=True)
    billed_usd: Usd = column(
        "The control total; null when missing, never 0, and for usage.", unit="USD", nullable=True
    )
    read_at: At = column(
        "When the provider was asked; null when missing.", unit="UTC timestamp", nullable=True
    )

    class Config(Contract.Config):
        """One row per connection, source and day."""

        unique = ("connection", "source", "day")
