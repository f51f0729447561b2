"""What a row of core.spend holds where its provider says nothing else: an invoice in dollars.

Pure.
"""

import polars as pl

from openai_costs.settings.connection import Connection
from openai_costs.tables.core.spend import BILLED, USAGE, Spend


def invoiced(rows: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    """Return core.spend rows of usage that the provider itself invoices in dollars.

    Args:
        rows: The columns that the provider fills; each of the others is null, or as above.
        connection: Whose rows they are.
    """
    types = Spend.types()
    known = {
        "provider": connection.provider,
        "host": connection.provider,
        "cost_basis": BILLED,
        "charge_category": USAGE,
    }
    missing = {name: known.get(name) for name in types if name not in rows.columns}
    filled = rows.with_columns(pl.lit(it, types[name]).alias(name) for name, it in missing.items())
    return filled.select(list(types))
