"""The columns that every directory table shares: names, and when something was listed.

Not here: a table of its own (core/).
"""

import datetime as dt

from openai_costs.tables.contract import At, Contract, column


class Known(Contract):
    """An entry of the provider's directory, kept when it vanishes from the list.

    One row per connection and id, with its last listed values. An id
    that the ledger names but no list contains is a row too, not_listed, seen on its first and last
    day with spend. A provider without lists has no rows.
    """

    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider whose directory it is.")
    id: str = column("The provider's id.")
    name: str = column("The last known name; null if it has none.", nullable=True)
    status: str = column(
        "The provider's state, or the state that its dates imply; vanished; not_listed."
    )
    created_at: At = column(
        "When it was created; null if unknown.", unit="UTC timestamp", nullable=True
    )
    first_seen_day: dt.date = column(
        "First UTC day it was listed on; if never listed, its first day with spend.", unit="UTC day"
    )
    last_seen_day: dt.date = column(
        "Newest UTC day it was listed on; if never listed, its newest day with spend.",
        unit="UTC day",
    )
    is_current: bool = column(
        "Whether the newest complete list contains it. One that lost more than half counts once a "
        "list of another day has as few, and an empty list of users or projects never."
    )

    class Config(Contract.Config):
        """One row per connection and id."""

        unique: tuple[str, ...] = ("connection", "id")
