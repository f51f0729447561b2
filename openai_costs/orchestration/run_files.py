"""The SQLite files in which Dagster keeps runs and their events: begun as copies of empty ones.

Dagster begins a file by loading all its migrations, and loads them again to see that a file needs
none: longer than a small run takes to be written. An empty file of events stays beside the others.
Not here: what is written to them (recording.py).
"""

import sqlite3
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import dagster as dg
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.runs.migration import (
    OPTIONAL_DATA_MIGRATIONS,
    REQUIRED_DATA_MIGRATIONS,
)
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.sql import get_alembic_config
from dagster._core.storage.sqlite import create_db_conn_string
from sqlalchemy import MetaData, create_engine, text

from openai_costs.storage.files import place, replace_file

RUNS = "runs"
EMPTY = f"empty-{dg.__version__}"
"""A file of events without events, as this version of Dagster begins one."""


def run_storage(folder: Path) -> SqliteRunStorage:
    """Open the file of all runs in a folder, or begin it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{RUNS}.db"
    is_new = not file.exists()
    if is_new:
        _put(file, _empty(RunStorageSqlMetadata))
    if not _revision(file):
        return SqliteRunStorage.from_local(str(folder))
    storage = SqliteRunStorage(create_db_conn_string(str(folder), RUNS))
    if is_new:
        for name in (*REQUIRED_DATA_MIGRATIONS, *OPTIONAL_DATA_MIGRATIONS):
            storage.mark_index_built(name)  # there are no runs yet that it would change
    return storage


def begun(file: Path) -> bool:
    """Begin a file of events unless it is there; return whether Dagster's tables are in it."""
    if not file.exists():
        _put(file, _no_events(file.parent))
    return bool(_revision(file))


def tables_of_runs() -> str:
    """Return the SQL that makes Dagster's tables of runs, without any run."""
    return _tables(RunStorageSqlMetadata)


@cache
def _tables(of: MetaData) -> str:
    with create_engine("sqlite://").connect() as in_memory:
        of.create_all(in_memory)
        return "\n".join(in_memory.connection.iterdump())


@cache
def _migrations() -> ScriptDirectory:
    """Return Dagster's migrations, the newest of which an empty file has."""
    return ScriptDirectory.from_config(get_alembic_config(sqlite_event_log.__file__))


def _put(file: Path, content: bytes) -> None:
    """Write a file that is there as a whole or not at all, unless another process is ahead."""
    part = file.with_name(f"{file.name}.{uuid4().hex}.part")
    part.write_bytes(content)
    with suppress(OSError):  # another process is ahead, or the disk knows no links
        file.hardlink_to(part)
    part.unlink()


def _no_events(folder: Path) -> bytes:
    kept = folder / EMPTY
    if not kept.exists():
        replace_file(place(str(kept)), _empty(SqlEventLogStorageMetadata))
    return kept.read_bytes()


def _empty(tables: MetaData) -> bytes:
    """Return a file with tables of Dagster, in its newest form and without rows."""
    with TemporaryDirectory() as folder:
        engine = create_engine(create_db_conn_string(folder, RUNS))
        with engine.connect() as sql:
            sql.execute(text("PRAGMA journal_mode=WAL"))
            sql.connection.cursor().executescript(_tables(tables))
            MigrationContext.configure(sql).stamp(_migrations(), "head")
            sql.commit()
        engine.dispose()
        return Path(folder, f"{RUNS}.db").read_bytes()


def _revision(file: Path) -> str:
    """Return the revision of Dagster's tables in a file; nothing where it has none."""
    with closing(sqlite3.connect(file)) as opened:
        try:
            found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:  # no such table
            return ""
    return str(found[0]) if found else ""
