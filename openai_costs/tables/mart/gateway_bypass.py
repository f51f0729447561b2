"""Spend that went round the gateway, by day and API key."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Quantity, Usd, column

REASONS = ("unregistered", "unmetered", "service_account", "deleted_key", "without_key")


class GatewayBypass(Contract):
    """Spend that went round the gateway.

    One row per UTC day, connection and API key whose spend the gateway does not account for.
    `billed_usd` is all the key billed on the day, `at_risk_usd` the part the gateway did not see.
    """

    day: dt.date = column("The UTC day of the spend.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    key_name: str = column("The key's last known name.", nullable=True)
    owner: str = column("Name of the user or service account that owns it.", nullable=True)
    owner_id: str = column("Its id.", nullable=True)
    owner_type: str = column("user or service_account.", nullable=True)
    project_id: str = column("The project; null when the provider named none.", nullable=True)
    project_name: str = column("The project's last known name.", nullable=True)
    billed_usd: Usd = column("Dollars billed to the key on the day.", unit="USD")
    metered_usd: Usd = column(
        "Dollars the gateway metered for it; null when it is not registered.",
        unit="USD",
        nullable=True,
    )
    at_risk_usd: Usd = column("Dollars billed that the gateway did not meter.", unit="USD")
    capture_rate: Quantity = column(
        "metered_usd / billed_usd; null when nothing was billed or it is not registered.",
        unit="ratio",
        nullable=True,
    )
    tokens: int = column(
        "Input and output tokens of the key on the day; null when usage was not read.",
        unit="tokens",
        nullable=True,
    )
    first_seen_day: dt.date = column(
        "First UTC day the key was listed or billed.", unit="UTC day", nullable=True
    )
    last_used_at: At = column(
        "When the provider says it was last used.", unit="UTC timestamp", nullable=True
    )
    new_since_day: dt.date = column(
        "Since when it goes round: the day after its last token was listed, else the day it was "
        "made or first seen; null for a key that is registered.",
        unit="UTC day",
        nullable=True,
    )
    reason: str = column(
        "unregistered: no gateway token names it; service_account: the same, of a robot; "
        "deleted_key: the same, and the key is gone since; unmetered: registered, but the gateway "
        "metered far less than was billed; without_key: spend that names no key.",
        isin=REASONS,
    )
    confidence: str = column(
        "How the registration is known: high, medium, low (a project or the key's ends only), none."
    )
    is_allowed: bool = column("Whether the allow-list in settings covers it on this day.")
    allowed_because: str = column("The reason the allow-list gives.", nullable=True)
    because: str = column("The sentence a person reads.")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "project_id", "api_key_id")
