"""DuckDB connections: none of them draws a progress bar, which would end up in logs.

DuckDB draws one wherever Python has no main file, as in a worker process that Dagster starts.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
from pydantic import SecretStr

from openai_costs.storage.encryption import attach, is_encrypted

DAMAGED = (duckdb.Error, sqlite3.DatabaseError)
"""What DuckDB and SQLite raise for a file that they cannot read."""

_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT)
"""Errors of the system that say nothing of the file that was to be opened."""

QUIET = "SET enable_progress_bar = false"
"""For a connection that is opened in another way."""


@contextmanager
def connected(
    database: str = ":memory:", *, read_only: bool = False, key: SecretStr | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a database file, or to one in memory.

    Args:
        database: The file.
        read_only: Whether it is only read; an encrypted one always is.
        key: What opens it if it is encrypted.

    Raises:
        DatabaseLocked: It is encrypted, and this is not its key.
    """
    locked = is_encrypted(Path(database))
    plain = ":memory:" if locked else database
    with duckdb.connect(plain, read_only=read_only and not locked) as sql:
        sql.execute(QUIET)
        if locked:
            attach(sql, Path(database), "openai_costs", key)
            sql.execute("USE openai_costs")
        yield sql


@contextmanager
def asking() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection for questions about files, to the one database in memory of this process.

    To begin a database costs far more than a short question. This one keeps nothing: whoever asks
    creates no table and registers nothing.
    """
    with _in_memory(os.getpid()).cursor() as sql:
        sql.execute(QUIET)
        yield sql


@cache
def _in_memory(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001 - a fork has its own
    # Files are read anew each time: one that was damaged since must not be answered from memory.
    return duckdb.connect(config={"enable_external_file_cache": "false"})


def raise_if_of_system(fault: Exception) -> None:
    """Raise what DuckDB says of a limit of this process as an error of the system: no damage.

    Raises:
        OSError: It is one, with its number.
    """
    for number in _LIMITS:
        if os.strerror(number) in str(fault):
            raise OSError(number, str(fault).splitlines()[0]) from fault
