"""Billed dollars against the list price of the same quantity."""

import datetime as dt

from openai_costs.tables.contract import Contract, Quantity, Usd, column

CAUSES = (
    "agrees",
    "no_price",
    "quantity_missing",
    "contract_discount",
    "regional_uplift",
    "unknown_tier",
    "label_not_parsed",
    "above_list",
)


class PriceCheck(Contract):
    """Billed dollars against list price.

    One row per UTC day, connection, provider, host, line item, model, service tier, region,
    residency and quantity unit: billed lines of usage, without credits and taxes. expected_usd is
    quantity times the list price of the day at who invoices; null, never 0, where it is unknown.
    Use it to check the bill; it never replaces the ledger.
    """

    day: dt.date = column("The UTC day the usage was billed on.", unit="UTC day")
    connection: str = column("The connection in openai_costs.toml.")
    provider: str = column("The provider that made what was used.")
    host: str = column("Who invoices, and whose price list it is.", before="openai")
    line_item: str = column("The provider's label, complete and unchanged.", nullable=True)
    model: str = column("Model parsed from the label.", nullable=True)
    usage_type: str = column("What was used, parsed from the label.", nullable=True)
    service_tier: str = column("Service tier parsed from the label.", nullable=True)
    region: str = column(
        "Where it ran, as the provider names it; null where it does not.", nullable=True
    )
    residency: str = column(
        "Region that the project's data is restricted to; null without such a restriction.",
        nullable=True,
    )
    billed_usd: Usd = column("Dollars billed for usage, without credits and taxes.", unit="USD")
    quantity: Quantity = column(
        "The quantity that was priced, in quantity_unit; null if unknown.",
        unit="quantity_unit",
        nullable=True,
    )
    quantity_unit: str = column("Unit of quantity.", nullable=True)
    quantity_source: str = column(
        "The source of the quantity: ledger or usage.", nullable=True, isin=("ledger", "usage")
    )
    list_price_usd: Usd = column("List price of one unit.", unit="USD", nullable=True)
    expected_usd: Usd = column("quantity x list_price_usd.", unit="USD", nullable=True)
    gap_usd: Usd = column("billed_usd - expected_usd.", unit="USD", nullable=True)
    cause: str = column(
        "Why they differ, or why there is nothing to compare; regional_uplift: exactly 1.1 x list "
        "price in a project with a residency, or for work that ran in one region.",
        isin=CAUSES,
    )
    price_source: str = column("The price catalogue and its version.")

    class Config(Contract.Config):
        """Aggregated to its grain: no key occurs twice."""

        unique = (
            *("day", "connection", "provider", "host", "line_item", "model", "service_tier"),
            *("region", "residency", "quantity_unit"),
        )
