"""How the SQLite files of Dagster's history are opened by others than Dagster."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

BUSY_SECONDS = 60


@contextmanager
def opened_to_write(file: Path, *, is_alone: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a database, and commit what was changed; an error names the file, as SQLite's do not.

    Args:
        file: The database.
        is_alone: Let each statement be a transaction of its own, as VACUUM has to be.
    """
    level: Literal["DEFERRED"] | None = None if is_alone else "DEFERRED"
    try:
        with closing(sqlite3.connect(file, BUSY_SECONDS, isolation_level=level)) as sql, sql:
            yield sql
    except sqlite3.DatabaseError as fault:
        raise type(fault)(f"{fault}: {file}") from fault


def opened_to_read(file: Path) -> sqlite3.Connection:
    """Open a database to read it; one that no process has open leaves no file beside it.

    Otherwise SQLite makes such files also to read, which needs the right to write there.
    """
    is_in_use = file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro" if is_in_use else "mode=ro&immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)
