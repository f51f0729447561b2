"""What one kept read lists for one table: entries as rows, and which lists were complete. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from openai_costs.sources.organization.kinds import Kind
from openai_costs.storage.archive import KeptRead
from openai_costs.tables.entity import Known

DERIVED_COLUMNS = frozenset(
    {"connection", "provider", "first_seen_day", "last_seen_day", "is_current"}
)
"""Columns that no entry holds: they follow from the reads."""

LIST = "list"


@dataclass(frozen=True)
class Listing:
    """What one read lists.

    Args:
        at: When it was read, UTC without a zone.
        day: The UTC day it is of.
        rows: `list` and the columns that entries hold.
        complete: The lists that were read to their end, also empty ones. A list that is not there
            any more and has a dot in its name (`api_keys.proj_x`) is empty from then on.
        absent: The lists that the provider did not give: nothing is known of them.
        remark: What is new to us; empty when nothing is.
    """

    at: datetime
    day: date
    rows: pl.DataFrame
    complete: frozenset[str]
    absent: frozenset[str]
    remark: str = ""


ReadListing = Callable[[Kind, KeptRead], Listing]
"""Returns what a read lists for a table; raises PageRefused where an entry cannot be used."""


def entry_columns(table: type[Known]) -> dict[str, pl.DataType]:
    """Return the columns that entries hold."""
    return {name: kind for name, kind in table.types().items() if name not in DERIVED_COLUMNS}
