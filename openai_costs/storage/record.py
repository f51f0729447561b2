"""The record: what cannot be rebuilt, as numbered files that are added and never changed.

`record/<table>/<number>.json`: a line about the entry (its number, a digest of the lines below),
and a line for each row, as JSON; a row of a later entry takes the place of an earlier one with the
same key. An entry is written only under a number that is not there yet, on a disk as on an object
store, so that of two writers who read the same state one is refused. Not here: what the rows mean
(recorded_tables.py, outputs/alerts/mutes.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from upath import UPath

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.files import (
    SET_ASIDE,
    create_file,
    replace_file,
    set_file_aside,
)
from openai_costs.storage.object_stores import refuse_unsafe_store

FOLDER = "record"
_NAME = re.compile(r"(\d{8})\.json")

Row = Mapping[str, Any]
"""A row as JSON has it: amounts, days and instants are text."""

KeyOf = tuple[str, ...]
"""The names of the columns that distinguish rows."""


class Entry(NamedTuple):
    """What one writer added.

    Args:
        rows: New rows, and rows in the place of earlier ones.
        removed: The keys of rows that are no longer there.
    """

    rows: Sequence[Row] = ()
    removed: Sequence[Row] = ()


class Damage(NamedTuple):
    """An entry that cannot be used.

    Args:
        number: Its number.
        file: Its file.
        why: What is wrong with it.
    """

    number: int
    file: UPath
    why: str


class Folded(NamedTuple):
    """The rows of a table after all entries.

    Args:
        number: The number of the newest entry; 0 where there is none.
        rows: The newest row of each key, in the order in which the keys appeared.
        numbers: The number of the entry that each of these rows is from.
        damage: The entries that could not be used: what they held is missing in the rows.
    """

    number: int
    rows: Mapping[tuple[Any, ...], Row]
    numbers: Mapping[tuple[Any, ...], int]
    damage: Sequence[Damage]


class _Head(msgspec.Struct, frozen=True):
    table: str
    entry: int
    writer: str
    sha256: str


class Record:
    """The record of a home."""

    def __init__(self, home: UPath) -> None:
        self.root = home / FOLDER
        self._read: dict[tuple[str, int], Entry] = {}

    def tables(self) -> list[str]:
        """Return the names of the tables that have entries."""
        return sorted(one.name for one in self._listed(self.root) if one.is_dir())

    def folded(self, table: str, key: KeyOf) -> Folded:
        """Return the rows of a table after all of its entries that can be used."""
        rows: dict[tuple[Any, ...], Row] = {}
        numbers: dict[tuple[Any, ...], int] = {}
        damage, number = list[Damage](), 0
        for number, entry in self._entries(table):
            if isinstance(entry, Damage):
                damage.append(entry)
                continue
            for row in entry.removed:
                rows.pop(_key(row, key), None)
            for row in entry.rows:
                rows[_key(row, key)] = row
                numbers[_key(row, key)] = number
        return Folded(number, rows, numbers, damage)

    def append(self, table: str, number: int, entry: Entry) -> None:
        """Add an entry under its number.

        Args:
            table: The table.
            number: One more than the number of the newest entry that the writer knows.
            entry: What is added.

        Raises:
            WriteConflict: Another writer has added an entry since.
            StoreUnsafe: The store would let two writers add the same number.
        """
        refuse_unsafe_store(self.root)
        file = self._file(table, number)
        content = _written(table, number, entry)
        if not create_file(file, content) and file.read_bytes() != content:
            raise WriteConflict(f"{FOLDER}/{table}")
        self._read[table, number] = entry

    def restore(self, table: str, damage: Damage, entry: Entry) -> None:
        """Set a damaged entry aside, and write what is known of it from elsewhere in its place."""
        if damage.file.exists():
            set_file_aside(damage.file, self.root.parent / SET_ASIDE / FOLDER / table)
        self.append(table, damage.number, entry)

    def rewrite(self, change: Callable[[bytes], bytes | None]) -> None:
        """Change or remove lines of entries, in all tables: for what must not be known any more.

        The head of an entry that was sound has the digest of its new lines; a damaged one stays so.

        Args:
            change: Returns what stands in the place of a line; None for nothing.
        """
        self._read.clear()
        for table in self.tables():
            for file in self._listed(self.root / table):
                head, _, lines = file.read_bytes().partition(b"\n")
                changed = (change(line) for line in lines.splitlines())
                after = b"".join(line + b"\n" for line in changed if line is not None)
                if after != lines:
                    replace_file(file, _headed(head, lines, after))

    def missing(self, table: str, number: int) -> Damage:
        """Return the damage of an entry that is known to have been written, and is not there."""
        return Damage(number, self._file(table, number), "is missing")

    def _entries(self, table: str) -> Iterator[tuple[int, Entry | Damage]]:
        """Yield the entries in order; a number that is missing below the newest is damage too."""
        found = (_NAME.fullmatch(file.name) for file in self._listed(self.root / table))
        newest = max((int(one[1]) for one in found if one), default=0)
        for number in range(1, newest + 1):
            if (table, number) in self._read:
                yield number, self._read[table, number]
                continue
            entry = self._opened(table, number)
            if isinstance(entry, Entry):
                self._read[table, number] = entry
            yield number, entry

    def _opened(self, table: str, number: int) -> Entry | Damage:
        file = self._file(table, number)
        try:
            head, _, lines = file.read_bytes().partition(b"\n")
            about = msgspec.json.decode(head, type=_Head)
            if about.sha256 != sha256(lines).hexdigest():
                return Damage(number, file, "has changed: its digest differs")
            if (about.table, about.entry) != (table, number):
                return Damage(number, file, f"is a copy of {about.table}, entry {about.entry}")
            rows = [msgspec.json.decode(line) for line in lines.splitlines()]
        except (FileNotFoundError, IsADirectoryError):
            return Damage(number, file, "is missing")
        except UNREADABLE as damage:
            return Damage(number, file, f"is damaged ({damage})")
        gone = [row["removed"] for row in rows if "removed" in row]
        return Entry([row for row in rows if "removed" not in row], gone)

    def _file(self, table: str, number: int) -> UPath:
        return self.root / table / f"{number:08}.json"

    def _listed(self, folder: UPath) -> list[UPath]:
        return list(folder.iterdir()) if folder.is_dir() else []


def _written(table: str, number: int, entry: Entry) -> bytes:
    """Return the content of an entry: the writer's mark makes it unlike any other."""
    gone = ({"removed": row} for row in entry.removed)
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in (*entry.rows, *gone))
    head = _Head(table, number, uuid4().hex, sha256(lines).hexdigest())
    return msgspec.json.encode(head) + b"\n" + lines


def _headed(head: bytes, before: bytes, after: bytes) -> bytes:
    """Return an entry with other lines."""
    with suppress(*UNREADABLE):
        about = msgspec.json.decode(head, type=_Head)
        if about.sha256 == sha256(before).hexdigest():
            about = msgspec.structs.replace(about, sha256=sha256(after).hexdigest())
            head = msgspec.json.encode(about)
    return head + b"\n" + after


def _key(row: Row, key: Iterable[str]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in key)
