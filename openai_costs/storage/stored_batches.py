"""The stored rows of slices, a bounded number at a time, in the order they were written in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
from deltalake import DeltaTable

from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import DeltaTables, LiveFile, State
from openai_costs.storage.live_rows import (
    INSTANT,
    PLACE_TYPE,
    POSITION,
    Frame,
    collected,
    completed,
    files_with,
    scan,
    with_zones,
)
from openai_costs.storage.slice_log import KEY
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract

_SLICE = "slice"
_MOST_ROWS = 2**32
"""More than the position of a row in its slice."""


def bounded(slices: pl.DataFrame, most_rows: int) -> Iterator[pl.DataFrame]:
    """Yield slices in their order, each time as many as have that many rows together.

    Args:
        slices: The columns of SLICES.
        most_rows: Rows from which on no further slice is added.
    """
    first, held = 0, 0
    for number, rows in enumerate(slices["rows"], 1):
        held += rows
        if held > most_rows:
            yield slices[first:number]
            first, held = number, 0
    if first < slices.height:
        yield slices[first:]


def read_rows(
    table: type[Contract], files: Iterable[LiveFile], slices: pl.DataFrame, place: object
) -> pl.DataFrame:
    """Return the rows of some slices, in the order of the slices and of their rows.

    Args:
        table: The table.
        files: Its live files.
        slices: connection, day; in the order wanted.
        place: The table's folder, for a person.
    """
    types = with_zones(table.types()) | {POSITION: PLACE_TYPE}
    rows = collected(_of_days(types, files, slices), place)
    wanted = slices.select(KEY).with_row_index(_SLICE)
    known_by = KEY if wanted["connection"].n_unique() > 1 else ("day",)
    keys = rows.select(*known_by, POSITION).join(
        wanted.select(*known_by, _SLICE), on=known_by, how="left", maintain_order="left"
    )
    if keys[_SLICE].null_count():
        rows, keys = rows.filter(keys[_SLICE].is_not_null()), keys.drop_nulls(_SLICE)
    order = keys.select(pl.col(_SLICE).cast(pl.Int64) * _MOST_ROWS + pl.col(POSITION)).to_series()
    return as_contract(table, rows if order.is_sorted() else rows[order.arg_sort()])


def unordered_rows(
    table: type[Contract], files: Sequence[LiveFile], slices: pl.DataFrame
) -> pl.LazyFrame:
    """Return the rows of some slices, in any order.

    Args:
        table: The table.
        files: Its live files.
        slices: connection, day; at least one.
    """
    days = defaultdict[str, list[date]](list)
    for connection, day in slices.select(KEY).iter_rows():
        days[connection].append(day)
    parts = []
    for connection, its in days.items():
        mine = [one for one in files if one.partition["connection"] == connection]
        rows = scan(
            with_zones(table.types()), [one for one in mine if one.may_hold(min(its), max(its))]
        )
        # As a list of Python's the days would take longer to compare than the rows to read.
        parts.append(rows.filter(pl.col("day").is_in(pl.Series(its).implode())))
    return as_contract(table, pl.concat(parts))


def _of_days(
    types: Mapping[str, pl.DataType], files: Iterable[LiveFile], slices: pl.DataFrame
) -> pl.LazyFrame:
    """Return the rows of files from the first to the last day of slices, the oldest file first.

    So they are mostly in order: files are written so, and what is in order need not be sorted.
    """
    ordered = sorted(files_with(files, slices), key=lambda file: file.first or date.min)
    days = pl.col("day").is_between(min(slices["day"]), max(slices["day"]))
    return scan(types, ordered).filter(days)


def as_batch(slices: pl.DataFrame, rows: pl.DataFrame) -> Batch:
    """Return slices as a batch: the columns of SLICES, and their rows."""
    read_at, page_usd, read_number = dict[Slice, Any](), dict[Slice, Decimal](), dict[Slice, int]()
    facts = slices.select(*KEY, "read_at", "page_usd", "read_number")
    for connection, day, at, usd, number in facts.iter_rows():
        key = Slice(connection, day)
        read_at[key] = at
        if usd is not None:
            page_usd[key] = Decimal(usd)
        if number is not None:
            read_number[key] = number
    return Batch(rows, read_at, page_usd=page_usd, read_number=read_number)


def read_whole(tables: DeltaTables, table: type[Contract]) -> pl.DataFrame | None:
    """Return all rows of a table in the order in which they were written; None without a table.

    Raises:
        StorageFailed: It is damaged.
    """
    found = tables.find(path_of(table))
    return None if found is None else _rows_of(tables, table, found)


class WholeTables:
    """Tables that are replaced as a whole: the rows are kept until there is another version."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._kept: dict[str, tuple[State, pl.DataFrame]] = {}

    def read(self, table: type[Contract]) -> pl.DataFrame | None:
        """Return what `read_whole` returns; a table of slices is read anew each time."""
        name = path_of(table)
        found = self._tables.find(name)
        if found is None or found.metadata().partition_columns:
            return None if found is None else _rows_of(self._tables, table, found)
        state = self._tables.state(name, found)
        if name not in self._kept or self._kept[name][0] != state:
            self._kept[name] = (state, _rows_of(self._tables, table, found))
        return self._kept[name][1].clone()


def _rows_of(tables: DeltaTables, table: type[Contract], data: DeltaTable) -> pl.DataFrame:
    of_slices = [*KEY] if data.metadata().partition_columns else []
    types = with_zones(table.types()) | {POSITION: PLACE_TYPE}
    rows = scan(types, tables.files_in(path_of(table), data)).sort(*of_slices, POSITION)
    return as_contract(table, collected(rows, tables.root / path_of(table)))


def as_contract(table: type[Contract], stored: Frame) -> Frame:
    """Return the columns of the contract that stored rows have, and instants without a zone."""
    has = stored.collect_schema()
    types = {name: kind for name, kind in table.types().items() if name in has}
    instants = pl.col([name for name, kind in types.items() if kind == INSTANT])
    return completed(table, stored.select(list(types))).with_columns(
        instants.dt.replace_time_zone(None)
    )
