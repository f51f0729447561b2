"""Delta Lake tables through delta-rs: opened, replaced by atomic commits, and their live files.

Files are found by the log, never by a glob of the folder: it also holds files that are no longer
part of the table, and a name in it is encoded (docs/adr/0012).
Not here: what changes a table (delta_operations.py), contracts and slices (lake.py), how files
become rows (live_rows.py).
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from time import sleep
from typing import TypeVar
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from upath import UPath

from openai_costs.storage.delta_faults import StorageFailed, as_ours
from openai_costs.storage.files import is_local
from openai_costs.storage.object_stores import refuse_unsafe_store, store_options
from openai_costs.storage.sealing import seal

PROPERTIES: Mapping[str, str | None] = {
    # The log repeats the smallest and the largest value of a column with statistics, so neither
    # ids of people nor money have any. `day` is what reading and replacing some days prunes by.
    "delta.dataSkippingStatsColumns": "day",
    # A reader that listed the files before a commit finds them for two days.
    "delta.deletedFileRetentionDuration": "interval 2 days",
    "delta.logRetentionDuration": "interval 7 days",
    "delta.checkpointInterval": "20",
}
ATTEMPTS = 100
LONGEST_WAIT = 0.1
"""A commit that another writer was ahead of is tried again: at most so often, in seconds apart."""

T = TypeVar("T")

State = tuple[str, int, int]
"""What rows that are kept in memory are of: a table's id and version, and how often it was opened.

A lake that was put back from a backup makes versions of the same number again, with other rows.
"""


@dataclass(frozen=True)
class LiveFile:
    """A data file of a version of a table.

    Args:
        path: Where it is.
        partition: The values of the partition columns, which are not in the file.
        first: The first day in it; None where the log does not know.
        last: The last day in it.
        size: Its size in bytes; -1 where that is not known.
    """

    path: UPath
    partition: Mapping[str, str]
    first: date | None
    last: date | None
    size: int = -1

    def may_hold(self, first: date, last: date) -> bool:
        """Return whether it can hold rows of the days from `first` to `last`."""
        return self.first is None or self.last is None or (self.first <= last >= first <= self.last)


class DeltaTables:
    """The Delta tables below a folder, each by its path in it, such as `core/spend`."""

    def __init__(self, root: UPath) -> None:
        self.root = root
        self._is_local = is_local(root)
        self._opened: dict[str, tuple[DeltaTable, int, object]] = {}
        self._openings: Counter[str] = Counter()
        self._files: dict[str, tuple[State, list[LiveFile]]] = {}
        self._shown: set[str] | None = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Show every table as it is at its first use in this block, whatever others commit."""
        self._shown = set()
        try:
            yield
        finally:
            self._shown = None

    def close(self) -> None:
        """Have every table opened anew at its next use: its log may have been damaged since."""
        self._opened.clear()

    def find(self, name: str) -> DeltaTable | None:
        """Return a table in its newest version; None where there is none.

        Raises:
            StorageFailed: It is damaged, or the store does not answer.
        """
        table, version, identity = self._opened.get(name, (None, -1, None))
        if self._shown is not None and name in self._shown:
            return table
        with as_ours(f"{self.root}/{name}"):
            if table is None or identity != self._identity(name, version):
                table = self._open(name)
                self._openings[name] += 1
            elif self._may_be_newer(name, table):
                table.update_incremental()
        if self._shown is not None:
            self._shown.add(name)
        if table is None:
            self._opened.pop(name, None)
            return None
        self._opened[name] = (table, table.version(), self._identity(name, table.version()))
        return table

    def get(self, name: str) -> DeltaTable:
        """Return a table that must be there, in its newest version."""
        if (table := self.find(name)) is None:
            raise StorageFailed(self.root / name, "there is no such table")
        return table

    def version(self, name: str) -> int:
        """Return the newest version of a table; -1 where there is none."""
        table = self.find(name)
        return -1 if table is None else table.version()

    def live_files(self, name: str) -> list[LiveFile]:
        """Return the files of a table's newest version, sorted by partition and day."""
        table = self.find(name)
        return [] if table is None else self.files_in(name, table)

    def files_in(self, name: str, table: DeltaTable) -> list[LiveFile]:
        """Return the files of a table in the version it was opened in."""
        state = self.state(name, table)
        if name not in self._files or self._files[name][0] != state:
            self._files[name] = (state, self._listed(name, table))
        return self._files[name][1]

    def opened(self, name: str) -> State:
        """Return the state of a table as it was last found, or as the last commit here made it."""
        return self.state(name, self._opened[name][0])

    def state(self, name: str, table: DeltaTable) -> State:
        """Return what distinguishes this state of a table from others that were shown."""
        return str(table.metadata().id), table.version(), self._openings[name]

    def commit_digest(self, name: str, version: int) -> str:
        """Return the SHA-256 of what the log of a table says about a commit; empty without it."""
        with suppress(FileNotFoundError):
            commit = self.root / name / "_delta_log" / f"{version:020}.json"
            return sha256(commit.read_bytes()).hexdigest()
        return ""

    def _listed(self, name: str, table: DeltaTable) -> list[LiveFile]:
        folder = self.root / name
        with as_ours(folder):
            actions = pl.DataFrame(table.get_add_actions(flatten=True))
        found = [_live_file(folder, one) for one in actions.iter_rows(named=True)]
        return sorted(found, key=_in_order)

    def create(self, name: str, make: Callable[[UPath], None]) -> bool:
        """Have a table made in its folder, unless it is there; return whether it was made."""
        if self.find(name) is not None:
            return False
        refuse_unsafe_store(self.root)
        try:
            with as_ours(self.root / name):
                make(self.root / name)
        except (StorageFailed, CommitFailedError):
            if self.find(name) is None:
                raise
            return False  # another process was ahead
        seal(self.root / name, [0])
        return True

    def commit(self, name: str, attempt: Callable[[DeltaTable], T]) -> T:
        """Commit to the newest version of a table, again and again while others are ahead.

        Raises:
            StorageFailed: Nothing was committed.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                with as_ours(self.root / name):
                    table = self.get(name)
                    before, done = table.version(), attempt(table)
                seal(self.root / name, range(before + 1, table.version() + 1))
            except CommitFailedError as conflict:
                if not left:
                    raise StorageFailed(self.root / name, str(conflict)) from None
            else:
                return done
            sleep(random.uniform(0, LONGEST_WAIT))  # noqa: S311 - so that they do not meet again
        raise AssertionError(name)

    def _open(self, name: str) -> DeltaTable | None:
        folder = f"{self.root}/{name}"
        if self._is_local and not os.path.isdir(f"{folder}/_delta_log"):  # noqa: PTH112 - asked often
            return None
        try:
            return DeltaTable(folder, storage_options=store_options(self.root))
        except TableNotFoundError:
            return None

    def _identity(self, name: str, version: int) -> object:
        """Return what differs where a folder was removed and another table made in its place.

        Of the version that was found, not of one that this process has made of it since: nothing is
        opened anew after a commit of our own.
        """
        if not self._is_local:
            return name
        try:
            found = os.stat(self._commit_file(name, version))  # noqa: PTH116 - asked often
        except OSError:
            return object()  # shortened away, or removed: it is opened anew
        return found.st_ino, found.st_mtime_ns

    def _may_be_newer(self, name: str, table: DeltaTable) -> bool:
        """Return whether there can be a newer version: on a disk, one name answers that."""
        following = self._commit_file(name, table.version() + 1)
        return not self._is_local or os.path.exists(following)  # noqa: PTH110 - asked often

    def _commit_file(self, name: str, version: int) -> str:
        return f"{self.root}/{name}/_delta_log/{version:020}.json"


def _live_file(folder: UPath, action: Mapping[str, object]) -> LiveFile:
    partition = {
        column.removeprefix("partition."): str(value)
        for column, value in action.items()
        if column.startswith("partition.")
    }
    ends = (action.get("min.day"), action.get("max.day"))
    first, last = (day if isinstance(day, date) else None for day in ends)
    path, size = folder / unquote(str(action["path"])), int(str(action["size_bytes"]))
    return LiveFile(path, partition, first, last, size)


def _in_order(file: LiveFile) -> tuple[object, ...]:
    return sorted(file.partition.items()), file.first or date.min, str(file.path)
