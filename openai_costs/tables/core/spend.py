"""The ledger: what was billed, in the finest grouping the organisation's API accepts."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column


class Spend(Contract):
    """The ledger: dollars billed, line by line.

    One row per connection, UTC day, ledger grouping and line item. A null dimension means the
    provider named none: the dollars are unattributed, never dropped. A dimension that is not in
    `grouping` was not asked for and is null in every row of that day.
    """

    connection: str = column("The connection (organisation or account) of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    organization_id: str = column("The provider's organisation id, from settings.", nullable=True)
    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    project_id: str = column("The project; null when the provider named none.", nullable=True)
    user_id: str = column("The user or service account the provider names.", nullable=True)
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    line_item: str = column("The provider's label, whole and unchanged.", nullable=True)
    surface: str = column("Product surface parsed from the label: api, evals, ...", nullable=True)
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column("What was used: input, cached_input, output, ...", nullable=True)
    service_tier: str = column(
        "Service tier parsed from the label: standard, priority, ...", nullable=True
    )
    modality: str = column("text, audio or image, parsed from the label.", nullable=True)
    is_long_context: bool = column("Whether the label says long context.", nullable=True)
    billed_usd: Usd = column("Dollars billed, before credits and taxes.", unit="USD")
    quantity: Quantity = column(
        "How much was used, in quantity_unit.", unit="quantity_unit", nullable=True
    )
    quantity_unit: str = column(
        "Unit of quantity; thousands of tokens are stored as tokens.", nullable=True
    )
    grouping: str = column("The dimensions the day was read with, comma-joined.")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = (
            "connection",
            "day",
            "project_id",
            "user_id",
            "api_key_id",
            "line_item",
            "quantity_unit",
        )
