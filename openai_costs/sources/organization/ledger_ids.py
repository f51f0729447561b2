"""The ids that the ledger and the usage name, and what they cost: what a directory should know."""

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.sources.organization.kinds import Kind
from openai_costs.storage.lake import Lake

_IDS = """
    SELECT connection, {column}, min(day), max(day), CAST({usd} AS DECIMAL(38, 18))
    FROM stored WHERE {column} IS NOT NULL GROUP BY ALL
"""
_SCHEMA = pl.Schema(
    {
        "connection": pl.String(),
        "id": pl.String(),
        "first_day": pl.Date(),
        "last_day": pl.Date(),
        "billed_usd": MONEY,
    }
)


def ledger_ids(lake: Lake, kind: Kind) -> pl.DataFrame:
    """Return the ids of a kind: connection, id, first_day, last_day, billed_usd."""
    found = [pl.DataFrame(schema=_SCHEMA)]
    for table, column in kind.ledger:
        usd = "sum(billed_usd)" if "billed_usd" in table.types() else "0"
        found.append(lake.ask(table, _IDS.format(column=column, usd=usd), _SCHEMA))
    return (
        pl.concat(found)
        .group_by("connection", "id")
        .agg(pl.col("first_day").min(), pl.col("last_day").max(), pl.col("billed_usd").sum())
        .sort("connection", "id")
    )
