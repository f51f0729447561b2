"""The tables that cannot be made from raw pages: recorded first, and copied to the lake.

Each change of a row is an entry of the record; the Delta table in the lake is a copy of what the
entries add up to, rebuilt where it is missing or damaged. In return, the copy stands in for an
entry that is damaged. Not here: the entries (record.py).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
from deltalake.exceptions import DeltaError

from openai_costs.kernel.redaction import without_secrets
from openai_costs.storage.commits import path_of, store_whole
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import StorageFailed, WriteConflict
from openai_costs.storage.live_rows import completed
from openai_costs.storage.record import Entry, Folded, Record, Row
from openai_costs.storage.stored_batches import read_whole
from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.deleted_months import DeletedMonths
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

RECORDED: Mapping[type[Contract], tuple[str, ...]] = {
    FindingChanges: (),
    Findings: ("opened_day", "finding_id"),
    Deliveries: (),
    DeletedMonths: ("connection", "month"),
}
"""The recorded tables, and the columns that sort them: without any, rows stand as they came."""

_FROM_TEXT: Mapping[type, Callable[[str], object]] = {
    pl.Decimal: Decimal,
    pl.Date: date.fromisoformat,
    pl.Datetime: datetime.fromisoformat,
}

_OF_PERSONS: Mapping[str, str] = {"mute_reason": "", "because": " (muted through "}
"""The columns with what a person gave as a reason, and what their texts have then: entries of
earlier versions have it as it was given, and no table shows a key."""

NOTE = "record_entry"
"""In the log of a copy: the number of the newest entry that it has."""

RECENT = 10
"""Commits of a copy in which the newest note is looked for: upkeep adds some without one."""


class RecordedTables:
    """The recorded tables of a home, and their copies in the lake."""

    def __init__(self, record: Record, tables: DeltaTables) -> None:
        self._record, self._tables, self._is_frozen = record, tables, False

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Leave every table to its copy in this block, which has all that is recorded before it."""
        self.follow()
        self._is_frozen = True
        try:
            yield
        finally:
            self._is_frozen = False

    def read(self, table: type[Contract]) -> tuple[int, pl.DataFrame] | None:
        """Return the number of the newest entry and a table's rows; None where the copy counts."""
        if self._is_frozen:
            return None
        folded = self._folded(table)
        if not folded.number:
            return None
        rows = dict(folded.rows)
        if folded.damage:
            rows |= {_key_of(table, row): row for row in self._standing_in(table, folded)}
        return folded.number, _frame(table, rows)

    def replace(self, table: type[Contract], frame: pl.DataFrame, known: int | None) -> int:
        """Record how rows differ from those that are recorded; return the newest number.

        Args:
            table: The table.
            frame: All rows that it is to have.
            known: The number of the entry that the rows were computed from; None for the newest.

        Raises:
            WriteConflict: There is a newer entry.
        """
        number, before = self.read(table) or (0, table.no_rows())
        entry = _difference(table, before, frame)
        if entry.rows or entry.removed:
            number = (number if known is None else known) + 1
            self._record.append(table.table_name(), number, entry)
        self._copy(table, frame, number)
        return number

    def adopt(self) -> None:
        """Record the tables of a home in which they were in the lake alone, in one entry each."""
        for table in RECORDED:
            if not self._folded(table).number and not (rows := self._rows(table)).is_empty():
                with suppress(WriteConflict):  # another process did the same
                    self._record.append(
                        table.table_name(), 1, _difference(table, table.no_rows(), rows)
                    )

    def follow(self) -> None:
        """Rebuild the copies that differ from what is recorded, or cannot be read."""
        for table in RECORDED:
            if (recorded := self.read(table)) is not None:
                self._copy(table, recorded[1], recorded[0])

    def rewrite(self, change: Callable[[bytes], bytes | None]) -> None:
        """Change or remove lines of the entries of all tables, and make the copies follow.

        Args:
            change: Returns what stands in the place of a line; None for nothing.
        """
        self._record.rewrite(change)
        self.follow()

    def restore(self) -> list[str]:
        """Replace damaged entries by what the copies know of them; return what was wrong."""
        found: list[str] = []
        for table in RECORDED:
            folded = self._folded(table)
            known = self._standing_in(table, folded) if folded.damage else []
            for damage in folded.damage:
                self._record.restore(table.table_name(), damage, Entry(known))
                known = []
                found.append(f"{damage.file} {damage.why}")
        return found

    def damage(self) -> list[str]:
        """Return which entries cannot be used, in sentences without a full stop."""
        folded = map(self._folded, RECORDED)
        return [f"{one.file} {one.why}" for found in folded for one in found.damage]

    def _folded(self, table: type[Contract]) -> Folded:
        """Return what the entries add up to; those that only the copy knows of are missing."""
        folded = self._record.folded(table.table_name(), _key(table))
        newest = self._noted(table)
        lost = [
            self._record.missing(table.table_name(), number)
            for number in range(folded.number + 1, newest + 1)
        ]
        if not lost:
            return folded
        return folded._replace(number=newest, damage=[*folded.damage, *lost])

    def _standing_in(self, table: type[Contract], folded: Folded) -> list[Row]:
        """Return the rows of the copy that damaged entries may have held."""
        newest_damage = max(one.number for one in folded.damage)
        rows = map(_as_json, self._rows(table).iter_rows(named=True))
        return [row for row in rows if folded.numbers.get(_key_of(table, row), 0) < newest_damage]

    def _copy(self, table: type[Contract], frame: pl.DataFrame, number: int) -> None:
        stored = self._stored(table)
        if stored is None or not stored.equals(frame) or self._noted(table) < number:
            store_whole(self._tables, table, frame, notes={NOTE: str(number)})

    def _rows(self, table: type[Contract]) -> pl.DataFrame:
        """Return the rows of the copy; none where it cannot be read."""
        stored = self._stored(table)
        return table.no_rows() if stored is None else stored

    def _stored(self, table: type[Contract]) -> pl.DataFrame | None:
        """Return the copy; None where there is none, or it cannot be read."""
        try:
            return read_whole(self._tables, table)
        except StorageFailed:
            return None

    def _noted(self, table: type[Contract]) -> int:
        """Return the number of the newest entry that the copy knows of."""
        try:
            copy = self._tables.find(path_of(table))
            commits = copy.history(RECENT) if copy else []
        except (StorageFailed, DeltaError, OSError):
            return 0
        return next((int(one[NOTE]) for one in commits if NOTE in one), 0)


def _difference(table: type[Contract], before: pl.DataFrame, after: pl.DataFrame) -> Entry:
    was = {_key_of(table, row): row for row in map(_as_json, before.iter_rows(named=True))}
    now = {_key_of(table, row): row for row in map(_as_json, after.iter_rows(named=True))}
    changed = [row for key, row in now.items() if was.get(key) != row]
    gone = [dict(zip(_key(table), key, strict=True)) for key in was if key not in now]
    return Entry(changed, gone)


def _frame(table: type[Contract], rows: Mapping[tuple[Any, ...], Row]) -> pl.DataFrame:
    types = table.types()
    columns = {
        name: [_value(kind, _shown(name, row.get(name))) for row in rows.values()]
        for name, kind in types.items()
    }
    frame = completed(table, pl.DataFrame(columns, schema=types))
    return frame.sort(RECORDED[table], maintain_order=True) if RECORDED[table] else frame


def _shown(name: str, value: Any) -> object:  # noqa: ANN401 - as JSON has it
    has_reason = value is not None and name in _OF_PERSONS and _OF_PERSONS[name] in value
    return without_secrets(value) if has_reason else value


def _value(kind: pl.DataType, value: Any) -> object:  # noqa: ANN401 - as JSON has it
    read = _FROM_TEXT.get(type(kind))
    return read(value) if read and value is not None else value


def _as_json(row: Row) -> Row:
    plain: Row = msgspec.to_builtins(row)
    return plain


def _key(table: type[Contract]) -> tuple[str, ...]:
    unique = table.to_schema().unique
    return tuple(unique or ())


def _key_of(table: type[Contract], row: Row) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in _key(table))
