"""The last publication: days that cannot be published as they are keep the rows that it has.

These are days that a run is still writing, and days that do not tie out.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.publish.rounded import insertion
from openai_costs.storage.encryption import DatabaseLocked, attach
from openai_costs.storage.files import content_of
from openai_costs.tables.contract import Contract, all_contracts
from openai_costs.tables.mart.coverage import Coverage

DATABASE = "published/openai_costs.duckdb"
KEPT = "(connection, day) IN (SELECT connection, day FROM kept)"
"""True of the rows of slices that keep what was published of them."""

_DAY = "connection, source, day"


class LastPublication:
    """The last publication, attached to the one that is being built.

    Args:
        sql: Where tables are being built.
        home: Whose publication it is.
        scratch: A folder for a copy: the file itself may be replaced at any moment.
        key: What opens an encrypted one; of another key, nothing can be taken.
    """

    def __init__(
        self, sql: duckdb.DuckDBPyConnection, home: UPath, scratch: Path, key: SecretStr | None
    ) -> None:
        self._sql, self._key = sql, key
        self._file, self._copy = home / DATABASE, scratch / "last.duckdb"
        self._columns: dict[str, set[str]] | None = None
        self.keep([])

    def keep(self, slices: Sequence[tuple[str, date]]) -> None:
        """Name the slices that keep their rows from now on."""
        self.slices = slices
        name_slices(self._sql, "kept", slices)

    def open(self) -> None:
        """Make its rows ready to be taken; outside of a transaction, which a damaged file ends."""
        if self._columns is None:
            self._columns = self._opened()

    def take(self, table: type[Contract]) -> None:
        """Insert what a table had of the kept slices, if the last publication has its columns."""
        if not self.slices or not is_daily(table):
            return
        name, (columns, values) = table.full_name(), insertion(table)
        if set(table.types()) <= (self._columns or {}).get(name, set()):
            into = f"INSERT INTO {name} ({columns})"
            self._sql.execute(f"{into} SELECT {values} FROM last.{name} WHERE {KEPT}")  # noqa: S608 - our own names

    def hold_back(self, slices: Sequence[tuple[str, date]]) -> None:
        """Give slices their last rows instead of new ones.

        A slice that was never published has no rows, and is `missing` in mart.coverage.
        """
        self.keep(slices)
        self.open()
        self._sql.begin()
        coverage = Coverage.full_name()
        self._sql.execute(f"CREATE TEMP TABLE read AS SELECT {_DAY} FROM {coverage} WHERE {KEPT}")  # noqa: S608 - our own names
        for table in filter(is_daily, all_contracts()):
            self._sql.execute(f"DELETE FROM {table.full_name()} WHERE {KEPT}")  # noqa: S608 - our own names
            self.take(table)
        self._sql.execute(
            f"INSERT INTO {coverage} ({_DAY}, state) SELECT {_DAY}, 'missing' FROM read "  # noqa: S608 - our own names
            f"ANTI JOIN {coverage} USING ({_DAY})"
        )
        self._sql.commit()

    def close(self) -> None:
        """Remove what was needed only while tables were being built."""
        for name in ("kept", "read"):
            self._sql.execute(f"DROP TABLE IF EXISTS {name}")

    def _opened(self) -> dict[str, set[str]]:
        """Return the columns of its tables; none where there is none that can be opened."""
        if self._file.exists():
            self._copy.write_bytes(content_of(self._file))
            # a damaged or locked one has nothing to take: a new one replaces it
            with suppress(duckdb.Error, DatabaseLocked):
                attach(self._sql, self._copy, "last", self._key)
        found = self._sql.execute(
            "SELECT schema_name || '.' || table_name, list(column_name) FROM duckdb_columns() "
            "WHERE database_name = 'last' GROUP BY ALL"
        )
        return {name: set(columns) for name, columns in found.fetchall()}


def name_slices(
    sql: duckdb.DuckDBPyConnection, name: str, slices: Sequence[tuple[str, date]]
) -> None:
    """Make a temporary table of slices: connection, day."""
    columns = [[key[0] for key in slices], [key[1] for key in slices]]
    sql.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS "
        "SELECT unnest(?::VARCHAR[]) AS connection, unnest(?::DATE[]) AS day",
        columns,
    )


def is_daily(table: type[Contract]) -> bool:
    """Return whether a table's rows differ by connection and day: others have no slices."""
    return {"connection", "day"} <= set(table.to_schema().unique or ())
