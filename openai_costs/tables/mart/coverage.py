"""Which days are complete: settled, provisional or missing."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Usd, column

STATES = ("settled", "provisional", "missing")


class Coverage(Contract):
    """Which days are complete.

    One row per connection, source and UTC day from the connection's start to today, and per stored
    day from before a start that was set later; of a connection that is no longer connected, the
    stored days of its costs. Check this table before relying on a sum: a missing day is not a day
    without spend.
    """

    connection: str = column("The connection in openai_costs.toml.")
    source: str = column("What was read: costs or usage.", isin=("costs", "usage"))
    day: dt.date = column("The UTC day.", unit="UTC day")
    state: str = column(
        "settled: read after the day had settled; provisional: read before that; missing: never "
        "read, or never published because the day does not tie out.",
        isin=STATES,
    )
    rows: int = column(
        "Number of stored rows of the day; null if the day is missing.", unit="rows", nullable=True
    )
    billed_usd: Usd = column(
        "The control total; null, never 0, if the day is missing; null for usage.",
        unit="USD",
        nullable=True,
    )
    read_at: At = column(
        "When the day was read from the provider; null if it is missing.",
        unit="UTC timestamp",
        nullable=True,
    )
    is_over: bool = column(
        "Whether the day was over, in UTC, when it was read, and all of it was there, as of every "
        "settled day: the dollars of other days are of a part of the day and are compared with "
        "none. Null if it is missing.",
        nullable=True,
    )
    is_connected: bool = column(
        "Whether the connection is in openai_costs.toml now. One that is no longer connected keeps "
        "its stored days, and counts in no number about the connections of today."
    )
    reason: str = column(
        "Why a day that is not settled never will be: its provider has deleted it, or it is before "
        "a `start` that was set later, and is not read again. Null where it still may, or has.",
        nullable=True,
    )

    class Config(Contract.Config):
        """One row per connection, source and day."""

        unique = ("connection", "source", "day")
