"""Spend by user, model and usage type, with the way each dollar found its user."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

ATTRIBUTIONS = ("direct", "key_owner", "allocated", "unattributed")


class SpendByUser(Contract):
    """Spend by user, model and usage type.

    One row per UTC day, connection, user, team, model, usage type and attribution: dollars billed,
    and how they found the user. The sum of mart.spend_attribution, which has projects and keys.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    user_id: str = column("The user or service account; null when unattributed.", nullable=True)
    user_name: str = column("Its last known name.", nullable=True)
    team: str = column(
        "The team of the key, user or project, as settings say; null where they do not.",
        nullable=True,
    )
    model: str = column("Model; null where the line item names none.", nullable=True)
    usage_type: str = column(
        "What was used; null where the line item was not understood.", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, before credits and taxes.", unit="USD")
    attribution: str = column(
        "direct: the provider names the user; key_owner: the API key's owner; allocated: by share "
        "of tokens; unattributed: nobody.",
        isin=ATTRIBUTIONS,
    )
    share_pct: Quantity = column(
        "For allocated: the row's part of all dollars of that model and usage type that were "
        "shared out by tokens that day. mart.spend_attribution has the share per pool.",
        unit="%",
        nullable=True,
    )

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "user_id", "team", "model", "usage_type", "attribution")
