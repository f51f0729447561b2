"""Every dollar of the ledger with the user it was attributed to, and the rule."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS

POOLS = ("project", "organization")


class SpendAttribution(Contract):
    """Every dollar with its user and attribution.

    One row per UTC day, connection, project, API key, user, model, usage type, attribution and
    pool. Adds up to the ledger, difference 0; lines of $0 are left out. The methods are in
    docs/attribution.md.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    project_id: str = column(
        "The project; null if the provider named none, or reported it separately from the user.",
        nullable=True,
    )
    project_name: str = column("The project's last known name.", nullable=True)
    api_key_id: str = column(
        "The API key; null for spend without a key, or if reported separately from the user.",
        nullable=True,
    )
    user_id: str = column("The user or service account; null if unattributed.", nullable=True)
    user_name: str = column("The user's last known name.", nullable=True)
    team: str = column(
        "The team of these dollars: of the key, or else the user, or else the project, as "
        "[[teams]] defines it; null if none applies.",
        nullable=True,
    )
    model: str = column("Model; null if the line item names none.", nullable=True)
    usage_type: str = column(
        "What was used; null if the line item was not recognized.", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, credits and taxes of the bill included.", unit="USD")
    attribution: str = column(
        "direct: the provider names the user; key_owner: the user owns the API key; allocated: by "
        "the user's share of tokens; unattributed: no user is known.",
        isin=ATTRIBUTIONS,
    )
    pool: str = column(
        "Whose tokens the line was allocated by, project or organization; null if it was not.",
        nullable=True,
        isin=POOLS,
    )
    share_pct: Quantity = column(
        "With a pool: the user's share of the pool's tokens of that model and day, including "
        "tokens without a user; the shares of a pool add up to 100.",
        unit="%",
        nullable=True,
    )

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "day",
            "connection",
            "provider",
            "project_id",
            "api_key_id",
            "user_id",
            "model",
            "usage_type",
            "attribution",
            "pool",
        )
