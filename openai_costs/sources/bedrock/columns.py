"""The columns of CUR 2.0, and which rows are Bedrock's. Pure.

`product` is a map and holds the name of the service; an export of chosen columns may have
`product_product_name` in its place. IAM principals are there where the export includes caller
identities.
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2.html
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from openai_costs.sources.bedrock.usage_types import SERVICE
from openai_costs.sources.exports.dialects import Dialect

_SERVICE: Final = ("product_product_name", "line_item_product_code")
_TAGS: Final = ("tags", "resource_tags")


def _derived(table: pl.DataFrame) -> Mapping[str, pl.Expr]:
    """Return the service, which is nested or a column, and the first tags that are not empty."""
    heads = set(table.columns)
    there = [one for one in _SERVICE if one in heads]
    tags = [pl.when(pl.col(one) != "{}").then(one) for one in _TAGS if one in heads]
    found = {"tags": pl.coalesce(tags)} if tags else {}
    if "product" in heads:
        named = pl.col("product").str.json_path_match("$.product_name")
        return found | {"service": pl.coalesce(named, *there)}
    return found | ({"service": pl.coalesce(there)} if there else {})


CUR: Final = Dialect(
    name="CUR 2.0",
    columns={
        "account": ("bill_payer_account_id",),
        "sub_account": ("line_item_usage_account_id",),
        "month": ("bill_billing_period_start_date",),
        "starts": ("line_item_usage_start_date",),
        "category": ("line_item_line_item_type",),
        "billed": ("line_item_unblended_cost",),
        "listed": ("pricing_public_on_demand_cost",),
        "currency": ("line_item_currency_code",),
        "vendor": (),
        "invoicer": ("bill_invoicing_entity",),
        "service": _SERVICE,
        "label": ("line_item_usage_type", "line_item_line_item_description"),
        "region": ("product_region_code", "product_region"),
        "quantity": ("line_item_usage_amount",),
        "unit": ("pricing_unit",),
        "principal": ("line_item_iam_principal",),
        "tags": _TAGS,
    },
    marks=("line_item_unblended_cost",),
    written={},
    categories={
        "usage": "usage",
        "discountedusage": "usage",
        "savingsplancoveredusage": "usage",
        "savingsplannegation": "adjustment",
        "savingsplanupfrontfee": "purchase",
        "savingsplanrecurringfee": "purchase",
        "rifee": "purchase",
        "fee": "purchase",
        "credit": "credit",
        "refund": "adjustment",
        "bundleddiscount": "adjustment",
        "edpdiscount": "adjustment",
        "privateratediscount": "adjustment",
        "distributordiscount": "adjustment",
        "tax": "tax",
    },
    other="adjustment",
    derived=_derived,
)

IS_BEDROCK: Final = pl.col("service").str.contains(f"(?i){SERVICE.pattern}")
"""Which rows are taken: `Amazon Bedrock`, and the editions of models in the marketplace."""
