"""Which rows a lake shows: those that sums of dollars are of, or all. Pure.

Which are counted is the contract's to say (`Contract.counted`). That every reader of the lake sees
these alone, unless it asks for all, is decided here, in one place (docs/adr/0013).
"""

from dataclasses import dataclass, replace

import polars as pl

from openai_costs.storage.live_rows import Frame
from openai_costs.storage.slices import Batch
from openai_costs.tables.contract import Contract


@dataclass(frozen=True)
class Shown:
    """The rows that are shown: the counted ones.

    Args:
        all_rows: Whether all are shown.
    """

    all_rows: bool = False

    def frame(self, table: type[Contract], rows: Frame) -> Frame:
        """Return the shown rows of a table's frame."""
        where = self._where(table)
        return rows if where is None else rows.filter(pl.sql_expr(where))

    def batch(self, table: type[Contract], stored: Batch) -> Batch:
        """Return the shown rows of a batch; one that lacks some says so, as it may not be kept."""
        if self._where(table) is None:
            return stored
        return replace(stored, frame=self.frame(table, stored.frame), is_counted=True)

    def relation(self, table: type[Contract], rows: str) -> str:
        """Return the shown rows of a table or a subquery, as an SQL subquery."""
        where = self._where(table)
        return rows if where is None else f"(SELECT * FROM {rows} WHERE {where})"  # noqa: S608 - our own words

    def _where(self, table: type[Contract]) -> str | None:
        return None if self.all_rows else table.counted()
