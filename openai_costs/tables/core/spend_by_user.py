"""The user view: dollars by user as the provider reports them, where the ledger has no users."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column


class SpendByUser(Contract):
    """Dollars that the provider reports by user.

    One row per connection, UTC day, user and line item. Where the provider names no users, the
    ledger's dollars are here without one. Never add it to core.spend: these are the same dollars
    in another breakdown.
    """

    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    user_id: str = column(
        "The user or service account; null if the provider named none.", nullable=True
    )
    line_item: str = column(
        "The provider's label, complete and unchanged; made of its words where it has none.",
        nullable=True,
    )
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column("What was used: input, cached_input, output, ...", nullable=True)
    billed_usd: Usd = column("Dollars billed, credits and taxes of the bill included.", unit="USD")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "connection",
            "day",
            "user_id",
            "line_item",
            "provider",
            "model",
            "usage_type",
        )
