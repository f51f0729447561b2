"""The ledger: what was billed, in the finest grouping that the API accepts."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

BILLED = "billed"
"""The cost basis of dollars that the provider invoices."""
METERED = "metered"
"""Of dollars that a meter counted, such as a proxy's: another bill has them too."""
ESTIMATED = "estimated"
"""Of dollars that the provider does not state: a quantity times a rate of the settings."""
UNBILLED = (METERED, ESTIMATED)
"""The cost bases of dollars that no sum counts."""
COST_BASES = (BILLED, *UNBILLED)
COUNTED = f"cost_basis = '{BILLED}'"
"""Which rows every sum of dollars is of (docs/adr/0013): the one place that says so, in SQL."""

USAGE = "usage"
"""The charge category of what was used."""
CHARGE_CATEGORIES = (USAGE, "purchase", "credit", "tax", "adjustment")


class Spend(Contract):
    """The ledger: dollars billed, line by line.

    One row per connection, UTC day, ledger grouping and line item. A null dimension means that
    the provider named none: the dollars are unattributed, never dropped. A dimension that is not in
    `grouping` was not requested and is null in every row of that day. A sum of dollars is of the
    rows with `cost_basis` billed, unless it says otherwise.
    """

    connection: str = column("The connection (organization or account) in openai_costs.toml.")
    provider: str = column("The provider that made what was used.")
    host: str = column(
        "Who invoices: the provider itself, or the cloud that resells it.", before="openai"
    )
    organization_id: str = column(
        "The organization that is billed, as the pages name it.", nullable=True
    )
    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    project_id: str = column("The project; null if the provider named none.", nullable=True)
    user_id: str = column("The user or service account the provider names.", nullable=True)
    api_key_id: str = column("The API key; null for spend without a key.", nullable=True)
    line_item: str = column(
        "The provider's label, complete and unchanged; made of its words where it has none.",
        nullable=True,
    )
    surface: str = column("Product surface parsed from the label: api, evals, ...", nullable=True)
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column(
        "What was used, in one vocabulary for all providers: input, cached_input, output, ...",
        nullable=True,
    )
    service_tier: str = column(
        "Service tier parsed from the label: standard, priority, ...", nullable=True
    )
    modality: str = column("text, audio or image, parsed from the label.", nullable=True)
    is_long_context: bool = column("Whether the label says long context.", nullable=True)
    product: str = column(
        "The provider's product: claude_code, chat, ...; null where it names none.", nullable=True
    )
    region: str = column(
        "Where it ran, as the provider names it; null where it does not.", nullable=True
    )
    cost_basis: str = column(
        "billed (invoiced), metered (a proxy's count) or estimated (from a rate): sums of dollars "
        "are of billed rows, and the others are never added to them.",
        isin=COST_BASES,
        before=BILLED,
    )
    charge_category: str = column(
        "usage, purchase, credit, tax or adjustment.",
        isin=CHARGE_CATEGORIES,
        before=USAGE,
    )
    billed_usd: Usd = column(
        "Dollars billed; a credit or a tax is a row of its own, as charge_category says, and in "
        "every sum. In a row that is metered or estimated, the "
        "dollars of that meter or estimate.",
        unit="USD",
    )
    list_usd: Usd = column(
        "The same at list price, before discounts; null where the provider does not say.",
        unit="USD",
        nullable=True,
    )
    currency: str = column("The currency of the invoice where it is not USD.", nullable=True)
    amount: Usd = column(
        "The amount in that currency; null for USD.", unit="currency", nullable=True
    )
    quantity: Quantity = column(
        "How much was used, in quantity_unit.", unit="quantity_unit", nullable=True
    )
    quantity_unit: str = column(
        "Unit of quantity; thousands of tokens are stored as tokens.", nullable=True
    )
    tags: str = column("The provider's own tags, as JSON; null if none.", nullable=True)
    grouping: str = column("The dimensions that the day was read by, separated by commas.")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            "connection",
            "day",
            "project_id",
            "user_id",
            "api_key_id",
            "line_item",
            "quantity_unit",
            "host",
            "product",
            "service_tier",
            "region",
            "is_long_context",
            "cost_basis",
            "charge_category",
        )

    @classmethod
    def counted(cls) -> str | None:
        """Return that sums are of billed rows."""
        return COUNTED
