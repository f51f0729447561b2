"""What each API key cost on each day: mart.spend, added up once over models and usage types.

A chart over years of many rows would add up millions of them each time it is drawn. Only the
published database has this table: not the lake, and not the Parquet copies.
Not here: when it is filled (filling.py), the view that shows it (bi/spend.py).
"""

from typing import Final

from openai_costs.outputs.publish.rounded import ROUNDED
from openai_costs.tables.mart.spend import Spend

NAME: Final = "mart.spend_by_key"
ABOUT: Final = (
    "mart.spend without models and usage types, for charts over years of many rows. "
    "One row per UTC day, connection, project, API key and team: dollars billed."
)
_GRAIN: Final = tuple(
    name for name in Spend.types() if name not in {"model", "usage_type", "billed_usd"}
)
COLUMNS: Final = (*_GRAIN, "billed_usd", ROUNDED)
"""Its columns: some of mart.spend as it is published."""


def insertion(where: str) -> str:
    """Return SQL that adds up some rows of mart.spend into the table."""
    return (
        f"INSERT INTO {NAME} SELECT {', '.join(_GRAIN)}, sum(billed_usd), "  # noqa: S608 - our own names
        f"CAST(sum(billed_usd) AS DOUBLE) FROM {Spend.full_name()} WHERE {where} "
        "GROUP BY ALL ORDER BY day, connection, project_id, api_key_id, team"
    )
