"""Dagster's event log in SQLite files, which stay open.

Dagster's own opens a file for each event, asks for its tables, compiles its SQL and waits for the
disk, up to five times: that took three quarters of a run. The files are the same, so either of the
two reads what the other wrote.
Not here: which instance has it (home_instance.py), how a file begins (run_files.py).
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import dagster as dg
import sqlalchemy as db
from dagster._core.event_api import EventHandlerFn
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

from openai_costs.orchestration.run_files import begun

_STATUS = EVENT_TYPE_TO_PIPELINE_RUN_STATUS.keys()
MOST_OPEN = 8
"""Files that one process keeps open: the index of all runs, and those of the newest questions."""


class _Open(NamedTuple):
    """An open file, and its number on the disk: another one may take its place."""

    number: int
    connection: db.Connection


class EventFiles(SqliteEventLogStorage):
    """Dagster's event log in SQLite, which keeps its files open, for one thread at a time."""

    _obs: Any
    """Dagster's observer of the folder, once the UI watches a run."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._seen: set[str] = set()  # tables and columns
        super().__init__(base_dir, inst_data)
        # A thread has the file of a run and the index of all runs at once.
        self._db_lock = RLock()  # type: ignore[assignment]  # Dagster expects one at a time

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event in the files that it belongs to, in all or in none."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events of a run, all or none."""
        with self.both(events[0].run_id) as (file, index):
            rows = [self._event_to_row(one) for one in events]
            file.execute(SqlEventLogStorageTable.insert(), rows)
            indexed = [number for number, one in enumerate(events) if is_of_all_runs(one)]
            if not indexed:
                return
            ids = self.index_rows(index, [rows[number] for number in indexed])
            self.index_assets(index, [events[number] for number in indexed], ids)
            for number, event_id in zip(indexed, ids, strict=True):
                if events[number].dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(events[number], event_id)

    @staticmethod
    def next_id(index: db.Connection) -> int:
        """Return the id of the next event in the index, which no other process takes until then."""
        index.exec_driver_sql("BEGIN IMMEDIATE")
        newest = db.select(db.func.max(SqlEventLogStorageTable.c.id))
        return int(index.execute(newest).scalar() or 0) + 1

    def index_rows(self, index: db.Connection, rows: Sequence[dict[str, Any]]) -> Sequence[int]:
        """Write rows of events to the index, and return their ids there."""
        first = self.next_id(index)
        ids = range(first, first + len(rows))
        numbered = [{**row, "id": one} for row, one in zip(rows, ids, strict=True)]
        index.execute(SqlEventLogStorageTable.insert(), numbered)
        return ids

    def index_assets(
        self, index: db.Connection, events: Sequence[dg.EventLogEntry], ids: Sequence[int]
    ) -> None:
        """Write the tags of all events of assets, and the newest of each asset on its row."""
        of_assets = [one for one in zip(events, ids, strict=True) if _is_of_an_asset(one[0])]
        if of_assets:
            self._store_asset_event_tags(index, *zip(*of_assets, strict=True))
        newest = {
            (one.dagster_event_type, one.get_dagster_event().asset_key): (one, event_id)
            for one, event_id in of_assets
        }
        for event, event_id in newest.values():
            self._store_asset_event(index, event, event_id)

    def has_table(self, table_name: str) -> bool:
        """Return whether there is a table; one that was there stays."""
        if table_name not in self._seen and super().has_table(table_name):
            self._seen.add(table_name)
        return table_name in self._seen

    def _has_asset_key_col_on_connection(self, conn: db.Connection, column_name: str) -> bool:
        """Return whether the assets have a column; one that was there stays."""
        if column_name not in self._seen and super()._has_asset_key_col_on_connection(
            conn, column_name
        ):
            self._seen.add(column_name)
        return column_name in self._seen

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        with self._db_lock:
            while self._open:
                self._close(next(iter(self._open)))

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        """Hand the events of a run to the UI as they are written."""
        if not self._obs:
            self._obs = Observer()
            self._obs.start()
        watcher = _Watcher(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watcher, self._obs.schedule(watcher, self._base_dir))

    @contextmanager
    def both(self, run_id: str) -> Iterator[tuple[db.Connection, db.Connection]]:
        """Give the file of a run and the index of all runs; what fails leaves nothing in either."""
        with ExitStack() as files:
            file = files.enter_context(self._connect(run_id))
            yield file, files.enter_context(self._connect(INDEX_SHARD_NAME))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[db.Connection]:
        """Give an open file in a transaction: that of the caller, if it has begun one."""
        with self._db_lock:
            connection = self._opened(shard)
            if connection.in_transaction():
                yield connection
                return
            with connection.begin():
                yield connection

    def _opened(self, shard: str) -> db.Connection:
        file = self.path_for_shard(shard)
        kept = self._open.get(shard)
        if kept and kept.number == _number(file):
            self._open.move_to_end(shard)
            return kept.connection
        self._close(shard)
        engine = _engine(self.conn_string_for_shard(shard))
        self._initdb(engine)
        self._open[shard] = _Open(_number(file), engine.connect())
        if len(self._open) > MOST_OPEN:
            self._close(next(one for one in self._open if one not in {shard, INDEX_SHARD_NAME}))
        return self._open[shard].connection

    def _close(self, shard: str) -> None:
        with suppress(KeyError):
            closed = self._open.pop(shard).connection
            closed.close()
            closed.engine.dispose()

    def _initdb(self, engine: db.Engine, for_index_shard: bool = False) -> None:  # noqa: FBT001, FBT002 - Dagster's signature
        """Begin a file, unless it is there in Dagster's newest form."""
        if not begun(Path(str(engine.url.database))):
            super()._initdb(engine, for_index_shard)


def _is_of_an_asset(event: dg.EventLogEntry) -> bool:
    return event.dagster_event_type in ASSET_EVENTS


def is_of_all_runs(event: dg.EventLogEntry) -> bool:
    """Return what Dagster finds without knowing the run: assets, checks, and how runs end."""
    its = event.dagster_event_type
    return its in ASSET_EVENTS or its in ASSET_CHECK_EVENTS or its in _STATUS


class _Watcher(SqliteEventLogStorageWatchdog):
    """Sees the writes to an open file, which are in the log beside it for a while."""

    def __init__(self, files: EventFiles, run_id: str, *others: Any) -> None:  # noqa: ANN401 - Dagster's
        super().__init__(files, run_id, *others)
        self._patterns = [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, event: FileSystemEvent) -> None:  # noqa: ARG002 - Dagster's signature
        """Hand on what is new."""
        self._process_log()


def _number(file: str) -> int:
    """Return the number of a file on its disk; 0 where it is not there."""
    try:
        return os.stat(file).st_ino  # noqa: PTH116 - asked for each event
    except FileNotFoundError:
        return 0


def _engine(url: str) -> db.Engine:
    """Return what opens a file once, for all threads."""
    engine = db.create_engine(
        url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )

    @db.event.listens_for(engine, "connect")
    def _(connection: Any, _: object) -> None:  # noqa: ANN401 - of sqlite3
        # Written before a commit returns, and on the disk with the next checkpoint: a power cut
        # may take the last events of a run, which it ended anyway.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine
