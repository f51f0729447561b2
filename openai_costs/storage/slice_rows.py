"""The rows of slices: read from files once, and handed on from memory where they are known.

A table that was just written is read next, by one mart after the other. What was written or read
is kept for as long as the table has that version, within a limit. Not here: which slices there are
(stored_slices.py), how files are read (stored_batches.py).
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import DeltaTables, LiveFile, State
from openai_costs.storage.live_rows import completed
from openai_costs.storage.slice_log import KEY
from openai_costs.storage.slices import Batch
from openai_costs.storage.stored_batches import as_batch, bounded, read_rows, unordered_rows
from openai_costs.tables.contract import Contract

MOST_BYTES = 128 * 1024**2
"""What is kept of all tables together; the one that was used least lately goes first."""

Key = tuple[str, date]


class _Kept(NamedTuple):
    """Rows of a version of a table, slice by slice.

    Args:
        state: The version.
        rows: The rows; those of a slice that was replaced since may be among them.
        places: Where in them the rows of a slice are, by its KEY.
    """

    state: State
    rows: pl.DataFrame
    places: Mapping[Key, range]

    def some(self, keys: Iterable[Key]) -> pl.DataFrame | None:
        """Return the rows of some slices in their order; None where one is not kept."""
        runs: list[range] = []
        for key in keys:
            if (place := self.places.get(key)) is None:
                return None
            if runs and runs[-1].stop == place.start:
                place = range(runs.pop().start, place.stop)
            runs.append(place)
        return pl.concat([self.rows[:0], *(self.rows[run.start : run.stop] for run in runs)])


class SliceRows:
    """The rows of the slices of a lake's tables."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._kept: OrderedDict[type[Contract], _Kept] = OrderedDict()

    def batches(
        self, table: type[Contract], files: Iterable[LiveFile], slices: pl.DataFrame, most_rows: int
    ) -> Iterator[Batch]:
        """Yield slices of the version of a table that is open.

        Args:
            table: The table.
            files: The live files of that version.
            slices: The columns of SLICES, and the `place` of their days; sorted by connection and
                place.
            most_rows: Rows from which on a slice is in the next batch.
        """
        name = path_of(table)
        state = self._tables.opened(name)
        for some in bounded(slices, most_rows):
            if (found := self._known(table, state, some)) is None:
                found = read_rows(table, files, some, self._tables.root / name)
                self._keep(table, state, some, found)
            yield as_batch(some, found)

    def unordered(
        self, table: type[Contract], files: Sequence[LiveFile], slices: pl.DataFrame
    ) -> pl.LazyFrame:
        """Return the rows of slices of the version of a table that is open, in any order.

        What is read is not kept: a query about it reads some columns, in no order.

        Args:
            table: The table.
            files: The live files of that version.
            slices: The columns of SLICES.
        """
        if slices.is_empty():
            return table.no_rows().lazy()
        known = self._known(table, self._tables.opened(path_of(table)), slices)
        return unordered_rows(table, files, slices) if known is None else known.lazy()

    def written(self, table: type[Contract], slices: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Keep what the last commit to a table has replaced.

        Args:
            table: The table.
            slices: The columns of SLICES.
            rows: Their rows; those of one slice are in its order.
        """
        if slices.is_empty():
            return  # there was no commit
        table_id, version, openings = state = self._tables.opened(path_of(table))
        before = self._kept.get(table)
        if before is not None and before.state == (table_id, version - 1, openings):
            self._kept[table] = before._replace(state=state)  # no one else has changed anything
        in_order = completed(table, rows).sort(KEY, maintain_order=True)
        self._keep(table, state, slices.sort(KEY), in_order)

    def _known(
        self, table: type[Contract], state: State, slices: pl.DataFrame
    ) -> pl.DataFrame | None:
        kept = self._kept.get(table)
        if kept is None or kept.state != state:
            return None
        self._kept.move_to_end(table)
        return kept.some(_keys(slices))

    def _keep(
        self, table: type[Contract], state: State, slices: pl.DataFrame, rows: pl.DataFrame
    ) -> None:
        """Keep slices of a version, sorted as their rows are, beside others of that version."""
        before = self._kept.pop(table, None)
        if before is None or before.state != state:
            before = _Kept(state, rows[:0], {})
        places, stop = dict(before.places), before.rows.height
        for key, height in zip(_keys(slices), slices["rows"], strict=True):
            places[key] = range(stop, stop := stop + height)
        self._kept[table] = _Kept(state, pl.concat([before.rows, rows]), places)
        while sum(one.rows.estimated_size() for one in self._kept.values()) > MOST_BYTES:
            self._kept.popitem(last=False)


def _keys(slices: pl.DataFrame) -> Iterator[Key]:
    return slices.select(KEY).iter_rows()
