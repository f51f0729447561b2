"""Every dollar of the ledger with the person it was attributed to, and how."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS

POOLS = ("project", "organization")


class SpendAttribution(Contract):
    """Every dollar, whose it is, and how it is known.

    One row per UTC day, connection, project, API key, user, model, usage type, attribution and
    pool. Adds up to the ledger, difference 0; dollars of 0 are left out. The ladder:
    docs/attribution.md.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    project_id: str = column(
        "The project; null when the provider named none, or named it apart from the user.",
        nullable=True,
    )
    project_name: str = column("The project's last known name.", nullable=True)
    api_key_id: str = column(
        "The API key; null for spend without a key, or where it was named apart from the user.",
        nullable=True,
    )
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
    pool: str = column(
        "Whose tokens the line was shared out by, project or organization; null if it was not.",
        nullable=True,
        isin=POOLS,
    )
    share_pct: Quantity = column(
        "With a pool: the user's share of its tokens of that model and day, nobody's included; "
        "a pool's shares add up to 100.",
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
