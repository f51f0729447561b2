"""Every dollar of the ledger with the person it was attributed to, and how."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS

POOLS = ("project", "organization")


class SpendAttribution(Contract):
    """Every dollar, whose it is, and how it is known.

    One row per UTC day, connection, project, API key, user, model, usage type, attribution and
    pool. Adds up to the ledger, difference 0. docs/attribution.md has the ladder.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("Who billed: openai.")
    project_id: str = column("The project; null when the provider named none.", nullable=True)
    project_name: str = column("The project's last known name.", nullable=True)
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    user_id: str = column("The user or service account; null when unattributed.", nullable=True)
    user_name: str = column("Its last known name.", nullable=True)
    team: str = column("The team, where settings give one.", nullable=True)
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
    pool: str = column(
        "For allocated: whose tokens the share is of, project or organization.",
        nullable=True,
        isin=POOLS,
    )
    share_pct: Quantity = column(
        "For allocated: the user's share of the pool's tokens of that model and day.",
        unit="%",
        nullable=True,
    )

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = (
            "day",
            "connection",
            "project_id",
            "api_key_id",
            "user_id",
            "model",
            "usage_type",
            "attribution",
            "pool",
        )
