"""The user view: what the provider itself attributes to a user, where the ledger could not say."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column


class SpendByUser(Contract):
    """Dollars that the provider gives to users.

    One row per connection, UTC day, user and line item. Where the provider names no users, the
    dollars of the ledger are here without one. Never add it to core.spend: it is the
    same dollars in another cut.
    """

    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    user_id: str = column(
        "The user or service account; null when the provider named none.", nullable=True
    )
    line_item: str = column("The provider's label, whole and unchanged.", nullable=True)
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column("What was used: input, cached_input, output, ...", nullable=True)
    billed_usd: Usd = column("Dollars billed, before credits and taxes.", unit="USD")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("connection", "day", "user_id", "line_item")
