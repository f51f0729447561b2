"""The columns that every directory table shares: what a thing is called, and when it was seen.

Not here: a table of its own (core/).
"""

import datetime as dt

from openai_costs.tables.contract import At, Contract, column


class Known(Contract):
    """A thing the directory lists, kept when it vanishes from the list.

    One row per connection and id, with the values it was last listed with. An id that the ledger
    names and no list knows is a row too, not_listed, seen on the first and last day it had a bill.
    """

    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("Whose directory it is: openai.")
    id: str = column("The provider's id.")
    name: str = column("The last known name; null where it has none.", nullable=True)
    status: str = column(
        "The provider's state, or the one that follows from dates; vanished; not_listed."
    )
    created_at: At = column("When it was made.", unit="UTC timestamp", nullable=True)
    first_seen_day: dt.date = column(
        "First UTC day it was listed on; when not listed, of its bill.", unit="UTC day"
    )
    last_seen_day: dt.date = column(
        "Newest UTC day it was listed on; when not listed, of its bill.", unit="UTC day"
    )
    is_current: bool = column("Whether the newest complete list it belongs to has it.")

    class Config(Contract.Config):
        """One row per connection and id."""

        unique: tuple[str, ...] = ("connection", "id")
