"""Spend that bypassed the gateway, by day and API key."""

import datetime as dt

from openai_costs.tables.contract import At, Contract, Quantity, Usd, column

REASONS = (
    *("unregistered", "unmetered", "service_account"),
    *("deleted_key", "archived_project", "without_key"),
)


class GatewayBypass(Contract):
    """Spend that bypassed the gateway.

    One row per UTC day, connection and API key whose spend the gateway does not account for.
    `billed_usd` is what the key was billed on the day, `at_risk_usd` the part the gateway did not
    meter.
    """

    day: dt.date = column("The UTC day of the spend.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    key_name: str = column("The key's last known name.", nullable=True)
    owner: str = column("The name of the user or service account that owns the key.", nullable=True)
    owner_id: str = column("The owner's id.", nullable=True)
    owner_type: str = column("user or service_account.", nullable=True)
    project_id: str = column("The project; null if the provider named none.", nullable=True)
    project_name: str = column("The project's last known name.", nullable=True)
    billed_usd: Usd = column("Dollars billed to the key on the day.", unit="USD")
    metered_usd: Usd = column(
        "Dollars the gateway metered for the key; null if the key is not registered.",
        unit="USD",
        nullable=True,
    )
    at_risk_usd: Usd = column(
        "Dollars billed that the gateway did not meter: all of them, or for a registered key the "
        "tokens it did not meter, at the bill's price, added up over models.",
        unit="USD",
    )
    at_risk_tokens: int = column(
        "The tokens of at_risk_usd; null where they are not known.", unit="tokens", nullable=True
    )
    at_risk_models: str = column(
        "JSON list: at_risk_usd by model, the largest first. Dollars are strings."
    )
    capture_rate: Quantity = column(
        "metered_usd / billed_usd; null if nothing was billed or the key is not registered.",
        unit="ratio",
        nullable=True,
    )
    tokens: int = column(
        "Input and output tokens of the key on the day; null if usage was not read.",
        unit="tokens",
        nullable=True,
    )
    first_seen_day: dt.date = column(
        "First UTC day the key was listed or billed.", unit="UTC day", nullable=True
    )
    last_used_at: At = column(
        "When the key was last used, as the provider reports it; of a key that was used after the "
        "day, the day's last second.",
        unit="UTC timestamp",
        nullable=True,
    )
    new_since_day: dt.date = column(
        "First day of the bypass: the day after the key's last token was listed, or else the day "
        "the key was created or first seen; null for a registered key.",
        unit="UTC day",
        nullable=True,
    )
    reason: str = column(
        "unregistered: no gateway token names the key; service_account: the same, for a service "
        "account's key; deleted_key: the same, and the key has since been deleted; "
        "archived_project: the same, and its project has since been archived; unmetered: "
        "registered, but the gateway metered far less than was billed; without_key: the spend "
        "names no key.",
        isin=REASONS,
    )
    confidence: str = column(
        "How reliable the registration is: high, medium, low (only a project or the key's last "
        "characters are known) or none."
    )
    is_allowed: bool = column("Whether the allow-list in the settings covers the key on this day.")
    allowed_because: str = column("The reason given in the allow-list.", nullable=True)
    because: str = column("The reason, in a sentence with numbers.")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = ("day", "connection", "project_id", "api_key_id")
