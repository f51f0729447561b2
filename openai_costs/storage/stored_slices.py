"""Which slices the tables hold: by the log, and by the rows where the log is not complete.

Not here: what the log is (slice_log.py), rows (stored_batches.py).
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import polars as pl
from deltalake import DeltaTable

from openai_costs.storage.delta import DeltaTables, LiveFile, State
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.live_rows import collected, scan
from openai_costs.storage.slice_log import (
    KEY,
    LOG,
    REMOVAL,
    SLICES,
    WRITTEN,
    Known,
    SliceLog,
    of_table,
    slices_of,
    unlogged,
)
from openai_costs.storage.upkeep import is_due, tidy

_OF_ROWS = {name: SLICES[name] for name in (*KEY, "read_at", "read_number")}


class StoredSlices:
    """The slices of Delta tables, each by its path such as `core/spend`."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._log = SliceLog(tables)
        self._known: dict[str, tuple[State, pl.DataFrame, pl.DataFrame]] = {}

    def of(self, name: str) -> tuple[list[LiveFile], pl.DataFrame]:
        """Return the live files of a version of a table, and its slices: the columns of WRITTEN.

        The log is read before the table: a commit in between is then one without an entry.
        """
        entries = self._log.entries(name)
        data = self._tables.find(name)
        if data is None or not data.metadata().partition_columns:
            return [], WRITTEN.to_frame()
        files = self._tables.files_in(name, data)
        state, known = self._tables.state(name, data), self._known.get(name)
        if known is None or known[0] != state or known[1] is not entries:
            self._known[name] = (state, entries, self._slices(name, data, entries))
        return files, self._known[name][-1]

    def logged(self, name: str) -> pl.DataFrame:
        """Return what the log says about a table, and about others that were there before it."""
        return self._log.entries(name)

    def note(self, name: str, written: Sequence[pl.DataFrame], before: int) -> None:
        """Log what commits to a table have replaced, and tidy up where it is time to.

        Args:
            name: The table.
            written: The columns of COMMIT and SLICES, by commit.
            before: The version of the table before the commits.
        """
        if any(slices.height for slices in written):
            log_before = self._tables.version(LOG)
            self._log.add(name, pl.concat(written))
            with suppress(StorageFailed):  # the rows are there; what was not tidied is next time
                self._tidy(name, before, log_before)

    def _tidy(self, name: str, before: int, log_before: int) -> None:
        is_time = is_due(before, self._tables.version(name))
        if is_time:
            tidy(self._tables, name)
        if is_time or self._log.is_scattered(name):
            self.fold(name)
        if is_due(log_before, self._tables.version(LOG)):
            tidy(self._tables, LOG)

    def fold(self, name: str) -> None:
        """Fold what the log has about a table into one file, and make it complete."""
        if self._tables.find(name) is not None:
            self._log.fold(name, partial(self._known_by, name))

    def keep(self, name: str, slices: pl.DataFrame) -> None:
        """Note that a table has the slices it had before commits that changed none of them.

        Args:
            name: The table; no one else may write to it.
            slices: What `of` returned before these commits, which have no entry in the log.
        """
        data = self._tables.get(name)
        self._log.fold(name, lambda _: (data, slices))

    def _known_by(self, name: str, entries: pl.DataFrame) -> Known | None:
        """Return the newest version of a table, and its slices; None where it was removed.

        Args:
            name: The table.
            entries: Its entries in the log, which were read before.
        """
        if (data := self._tables.find(name)) is None:
            return None
        return data, self._slices(name, data, entries)

    def forget(self, name: str, where: str) -> None:
        """Remove the slices from the log whose rows were removed: those that SQL is true of."""
        self._log.forget(name, where)
        self.fold(name)

    def _slices(self, name: str, data: DeltaTable, entries: pl.DataFrame) -> pl.DataFrame:
        """Return the slices of a version of a table, by its entries in the log."""
        mine = of_table(entries, data)
        if not (since := unlogged(mine, data)):
            return slices_of(mine, None)
        are_as_old = all(one == REMOVAL for one in since)
        return slices_of(mine, self._of_rows(name, data), are_as_old=are_as_old)

    def _of_rows(self, name: str, data: DeltaTable) -> pl.DataFrame:
        """Return the slices that the rows are of: KEY, rows, read_at, read_number."""
        rows = scan(_OF_ROWS, self._tables.files_in(name, data))
        read = pl.col("read_at", "read_number").max()
        found = rows.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("rows"), read)
        return collected(found, self._tables.root / name)
