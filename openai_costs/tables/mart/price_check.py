"""What was billed, beside what the list price of the same quantity would have been."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

CAUSES = (
    "agrees",
    "no_price",
    "quantity_missing",
    "contract_discount",
    "unknown_tier",
    "label_not_parsed",
    "above_list",
)


class PriceCheck(Contract):
    """Billed dollars beside list price.

    One row per UTC day, connection, line item and quantity unit. expected_usd is quantity x dated
    list price; null where it cannot be known, never 0. An estimate to judge the bill by: the
    ledger stays the truth.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection of openai_costs.toml.")
    provider: str = column("The provider that billed.")
    line_item: str = column("The provider's label, whole and unchanged.", nullable=True)
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column("What was used, parsed from the label.", nullable=True)
    service_tier: str = column("Service tier parsed from the label.", nullable=True)
    billed_usd: Usd = column("Dollars billed, before credits and taxes.", unit="USD")
    quantity: Quantity = column(
        "How much was priced, in quantity_unit; null when unknown.",
        unit="quantity_unit",
        nullable=True,
    )
    quantity_unit: str = column("Unit of quantity.", nullable=True)
    quantity_source: str = column(
        "Where the quantity is from: ledger or usage.", nullable=True, isin=("ledger", "usage")
    )
    list_price_usd: Usd = column("List price of one unit.", unit="USD", nullable=True)
    expected_usd: Usd = column("quantity x list_price_usd.", unit="USD", nullable=True)
    gap_usd: Usd = column("billed_usd - expected_usd.", unit="USD", nullable=True)
    cause: str = column("Why they differ, or why there is nothing to compare.", isin=CAUSES)
    price_source: str = column("The price catalogue and its version.")

    class Config(Contract.Config):
        """Aggregated by its grain: no key twice."""

        unique = ("day", "connection", "line_item", "quantity_unit")
