"""Spend by project, key, model and usage type, with names."""

import datetime as dt

from openai_costs.tables.contract import Contract, Usd, column


class Spend(Contract):
    """Spend by project, key, model and usage type.

    One row per UTC day, connection, project, API key, model and usage type: dollars billed.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    project_id: str = column("The project; null when the provider named none.", nullable=True)
    project_name: str = column("The project's last known name.", nullable=True)
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    api_key_name: str = column("The key's last known name.", nullable=True)
    team: str = column(
        "The team of the key, its owner or the project, as settings say; null where they do not.",
        nullable=True,
    )
    model: str = column("Model; null where the line item names none.", nullable=True)
    usage_type: str = column(
        "What was used; null where the line item was not understood.", nullable=True
    )
    billed_usd: Usd = column("Dollars billed, before credits and taxes.", unit="USD")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "project_id", "api_key_id", "model", "usage_type")
