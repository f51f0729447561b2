"""The dollars of the large tables as doubles, beside the exact ones, for the views of `bi`. Pure.

DuckDB converts a DECIMAL(38, 18) to a double more than 20 times slower than it adds it up: over a
year of many rows a view that converts takes seconds. So publication converts once. Only the
published database has the column: not the lake, and not the Parquet copies.
"""

from typing import Final

from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser

ROUNDED: Final = "billed_usd_rounded"
ABOUT: Final = "billed_usd as a double, for charts; the sums of billed_usd are exact. [USD]"
_TABLES: Final = (Spend, SpendAttribution, SpendByUser)


def has_rounded(table: type[Contract]) -> bool:
    """Return whether a published table has the column."""
    return table in _TABLES


def insertion(table: type[Contract]) -> tuple[str, str]:
    """Return SQL for the columns that a published table is filled by, and for their values."""
    names = ", ".join(table.types())
    if not has_rounded(table):
        return names, names
    return f"{names}, {ROUNDED}", f"{names}, CAST(billed_usd AS DOUBLE)"
