"""Spend by project, API key, team, model and usage type, with names."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column


class Spend(Contract):
    """Spend by project, key, model and usage type.

    One row per UTC day, connection, project, API key, team, model and usage type: dollars billed.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that billed.")
    project_id: str = column("The project; null if the provider named none.", nullable=True)
    project_name: str = column("The project's last known name.", nullable=True)
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    api_key_name: str = column("The key's last known name.", nullable=True)
    team: str = column(
        "The team of these dollars, as in mart.spend_attribution: of the key, the user or the "
        "project; null where [[teams]] names none of them.",
        nullable=True,
    )
    model: str = column("Model; null if the line item names none.", nullable=True)
    usage_type: str = column(
        "What was used; null if the line item was not recognized.", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, credits and taxes of the bill included.", unit="USD")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "day",
            "connection",
            "provider",
            "project_id",
            "api_key_id",
            "team",
            "model",
            "usage_type",
        )
