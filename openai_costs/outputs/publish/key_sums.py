"""What each API key cost on each day: mart.spend, added up once over models and usage types.

A chart over years of many rows would add up millions of them each time it is drawn. Only the
published database has this table: not the lake, and not the Parquet copies.
Not here: the view that shows it (bi/spend.py).
"""

from collections.abc import Mapping
from typing import Final

import duckdb

from openai_costs.outputs.publish.rounded import ABOUT, ROUNDED
from openai_costs.storage.live_rows import SQL_TYPES
from openai_costs.tables.mart.spend import Spend

NAME: Final = "mart.spend_by_key"
ABOUT_TABLE: Final = (
    "mart.spend without models and usage types, for charts over years of many rows. "
    "One row per UTC day, connection, project, API key and team: dollars billed."
)
_LEFT_OUT: Final = ("model", "usage_type", "billed_usd")
_GRAIN: Final = tuple(name for name in Spend.types() if name not in _LEFT_OUT)
_SUMS: Final = "sum(billed_usd), CAST(sum(billed_usd) AS DOUBLE)"


def types() -> dict[str, str]:
    """Return the SQL type of each column."""
    named = {name: SQL_TYPES[str(Spend.types()[name])] for name in (*_GRAIN, "billed_usd")}
    return named | {ROUNDED: "DOUBLE"}


def about() -> Mapping[str, str]:
    """Return what each column holds, as mart.spend has it."""
    texts = {
        name: f"{text} [{unit}]" if unit else text for name, _, unit, text, _ in Spend.describe()
    }
    return {name: texts[name] for name in (*_GRAIN, "billed_usd")} | {ROUNDED: ABOUT}


def add_up(sql: duckdb.DuckDBPyConnection, months: set[str] | None) -> None:
    """Add up the rows of mart.spend again, month by month, which bounds the memory.

    Args:
        sql: The database that is being built, with all rows of mart.spend.
        months: Those whose rows may have changed; None for all.
    """
    if months is None:
        sql.execute(f"DELETE FROM {NAME}")  # noqa: S608 - our own names
        asked = f"SELECT DISTINCT strftime(day, '%Y-%m') FROM {Spend.full_name()}"  # noqa: S608 - our own names
        months = {month for (month,) in sql.execute(asked).fetchall()}
    grain = ", ".join(_GRAIN)
    for month in sorted(months):
        first = f"DATE '{month}-01'"
        these = f"day >= {first} AND day < {first} + INTERVAL 1 MONTH"
        sql.execute(f"DELETE FROM {NAME} WHERE {these}")  # noqa: S608 - our own names
        sql.execute(
            f"INSERT INTO {NAME} SELECT {grain}, {_SUMS} FROM {Spend.full_name()} "  # noqa: S608 - our own names
            f"WHERE {these} GROUP BY ALL ORDER BY day, connection, project_id, api_key_id, team"
        )
