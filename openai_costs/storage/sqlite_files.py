"""How the SQLite files of Dagster's history are read by others than Dagster: without a trace."""

import sqlite3
from pathlib import Path


def opened_to_read(file: Path) -> sqlite3.Connection:
    """Open a database to read it; one that no process has open leaves no file beside it.

    Otherwise SQLite makes such files also to read, which needs the right to write there.
    """
    is_in_use = file.with_name(f"{file.name}-wal").exists()
    how = "mode=ro" if is_in_use else "mode=ro&immutable=1"
    return sqlite3.connect(f"{file.resolve().as_uri()}?{how}", uri=True)
