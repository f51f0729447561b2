"""DuckDB connections: none of them draws a progress bar, which would end up in logs.

DuckDB draws one wherever Python has no main file, as in a worker process that Dagster starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

QUIET = "SET enable_progress_bar = false"
"""For a connection that is opened in another way."""


@contextmanager
def connected(
    database: str = ":memory:", *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a database file, or to one in memory."""
    with duckdb.connect(database, read_only=read_only) as sql:
        sql.execute(QUIET)
        yield sql
