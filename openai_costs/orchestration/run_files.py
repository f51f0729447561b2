"""The SQLite files in which Dagster keeps runs and their events: begun as copies of empty ones.

Dagster begins a file by loading all its migrations, and loads them again to see that a file needs
none. Here that is done once a process, for files without rows.
Not here: what is written to them (recording.py).
"""

import sqlite3
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import create_db_conn_string

RUNS = "runs"


def run_storage(folder: Path) -> SqliteRunStorage:
    """Open the file of all runs in a folder, or begin it."""
    folder.mkdir(parents=True, exist_ok=True)
    if _is_begun(folder / f"{RUNS}.db", _no_runs()):
        return SqliteRunStorage(create_db_conn_string(str(folder), RUNS))
    return SqliteRunStorage.from_local(str(folder))


def begun(file: Path) -> bool:
    """Begin a file of events unless it is there; return whether it has Dagster's newest form."""
    return _is_begun(file, _no_events())


@cache
def tables_of_runs() -> str:
    """Return the SQL that makes Dagster's tables of runs, without any run."""
    with TemporaryDirectory() as folder:
        SqliteRunStorage.from_local(folder)
        with closing(sqlite3.connect(Path(folder, f"{RUNS}.db"))) as opened:
            return "\n".join(opened.iterdump())


@cache
def _no_runs() -> bytes:
    with TemporaryDirectory() as folder:
        SqliteRunStorage.from_local(folder)
        return Path(folder, f"{RUNS}.db").read_bytes()


@cache
def _no_events() -> bytes:
    with TemporaryDirectory() as folder:
        with SqliteEventLogStorage(folder).run_connection("empty"):
            pass
        return Path(folder, "empty.db").read_bytes()


def _is_begun(file: Path, empty: bytes) -> bool:
    if not file.exists():
        part = file.with_name(f"{file.name}.{uuid4().hex}.part")
        part.write_bytes(empty)
        with suppress(OSError):  # another process is ahead, or the disk knows no links
            file.hardlink_to(part)
        part.unlink()
    return _revision(file) == _revision_of(empty)


@cache
def _revision_of(content: bytes) -> str:
    with TemporaryDirectory() as folder:
        file = Path(folder, "empty.db")
        file.write_bytes(content)
        return _revision(file)


def _revision(file: Path) -> str:
    """Return the revision of Dagster's tables in a file; nothing where it has none."""
    with closing(sqlite3.connect(file)) as opened:
        try:
            found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:  # no such table
            return ""
    return str(found[0]) if found else ""
