"""Rows on their way from the lake into the published tables: all of a table, or what changed.

Slices that keep their last published rows (`KEPT`) are left as they are.
Not here: what is kept, and why (database.py), Parquet (parquet_copies.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import duckdb
import polars as pl

from openai_costs.outputs.publish import key_sums
from openai_costs.outputs.publish.empty_database import at_once
from openai_costs.outputs.publish.last_publication import (
    KEPT,
    LastPublication,
    is_daily,
    name_slices,
)
from openai_costs.outputs.publish.publication_state import PublicationState, newer
from openai_costs.outputs.publish.rounded import insertion
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Written, slices_frame
from openai_costs.tables.contract import Contract, all_contracts
from openai_costs.tables.mart.spend import Spend

Months = set[str] | None
"""The months whose rows may have changed, as `2026-11`; None: any of them."""

ROWS_AT_ONCE = 100_000
"""From how many rows on no further table is filled in the same transaction."""

_CHANGED = "(connection, day) IN (SELECT connection, day FROM changed)"


def fill(
    sql: duckdb.DuckDBPyConnection, lake: Lake, shown: Mapping[str, Written], last: LastPublication
) -> None:
    """Fill empty tables from the lake, and with what the last publication keeps of them.

    Args:
        sql: The database.
        lake: The lake.
        shown: Its version of each table, which says how many rows there are.
        last: The last publication.
    """
    for tables in _of_few_rows(shown):
        with at_once(sql):
            for table in tables:
                _insert(sql, lake, table, f"NOT {_kept(table)}")
                last.take(table)


def _of_few_rows(shown: Mapping[str, Written]) -> Iterator[list[type[Contract]]]:
    """Yield all tables, some at a time: DuckDB holds their rows in memory until it writes them."""
    some, rows = list[type[Contract]](), 0
    for table in all_contracts():
        some.append(table)
        rows += int(shown[table.full_name()].slices["rows"].sum())
        if rows > ROWS_AT_ONCE:
            yield some
            some, rows = [], 0
    yield some


class Refresh:
    """A copy of the last publication, in which what changed since is replaced.

    Args:
        sql: The copy.
        lake: The lake.
        before: What the last publication was made of.
        kept: Slices that keep the rows they have; the temporary table `kept` names them too.
    """

    def __init__(
        self,
        sql: duckdb.DuckDBPyConnection,
        lake: Lake,
        before: PublicationState,
        kept: Sequence[tuple[str, date]],
    ) -> None:
        self._sql, self._lake, self._before, self._kept = sql, lake, before, kept

    def replace(self, table: type[Contract], shown: Written) -> Months:
        """Replace what changed of a table; return the months of that.

        Args:
            table: The table.
            shown: Its version that is published now.
        """
        stale = self._before.kept if is_daily(table) else ()
        table_id, version = self._before.versions[table.full_name()]
        if (table_id, version) == (shown.table_id, shown.version) and not stale:
            return set()
        if shown.slices.is_empty():
            self._refill(table)
            return None
        changed = sorted({*newer(shown.slices, version), *stale})
        if changed:
            self._replace(table, changed)
        if self._height(table) != self._expected(shown.slices):
            self._refill(table)  # slices were removed, or the log does not know the rows
            return None
        return months_of(day for _, day in changed)

    def _replace(self, table: type[Contract], changed: Sequence[tuple[str, date]]) -> None:
        name_slices(self._sql, "changed", changed)
        days = [day for _, day in changed]
        these = (
            f"day BETWEEN DATE '{min(days)}' AND DATE '{max(days)}' AND {_CHANGED} AND NOT {KEPT}"
        )
        self._sql.execute(f"DELETE FROM {table.full_name()} WHERE {these}")  # noqa: S608 - our own names
        _insert(self._sql, self._lake, table, these, slices_frame(changed))

    def _refill(self, table: type[Contract]) -> None:
        these = f"NOT {_kept(table)}"
        self._sql.execute(f"DELETE FROM {table.full_name()} WHERE {these}")  # noqa: S608 - our own names
        _insert(self._sql, self._lake, table, these)

    def _height(self, table: type[Contract]) -> int:
        without = f" WHERE NOT {KEPT}" if self._kept else ""  # DuckDB knows the number of all rows
        question = f"SELECT count(*) FROM {table.full_name()}{without}"  # noqa: S608 - our own names
        return int(self._sql.execute(question).fetchall()[0][0])

    def _expected(self, slices: pl.DataFrame) -> int:
        kept = slices_frame(self._kept)
        return int(slices.join(kept, on=["connection", "day"], how="anti")["rows"].sum())


def heights(sql: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, int]:
    """Return how many rows each table has."""
    parts = [f"SELECT '{name}', count(*) FROM {name}" for name in names]  # noqa: S608 - our own names
    return dict(sql.execute(" UNION ALL ".join(parts)).fetchall())


def add_up(sql: duckdb.DuckDBPyConnection, months: Months) -> None:
    """Add up the rows of mart.spend by key again, month by month, which bounds the memory.

    Args:
        sql: The database that is being built, with all rows of mart.spend.
        months: Those whose rows may have changed.
    """
    with at_once(sql):
        if months is None:
            sql.execute(f"DELETE FROM {key_sums.NAME}")  # noqa: S608 - our own names
            months = months_with_rows(sql, Spend)
        for one in map(of_month, sorted(months)):
            sql.execute(f"DELETE FROM {key_sums.NAME} WHERE {one}")  # noqa: S608 - our own names
            sql.execute(key_sums.insertion(one))


def months_with_rows(
    sql: duckdb.DuckDBPyConnection, table: type[Contract], where: str = "true"
) -> set[str]:
    """Return the months in which a table has rows that SQL is true of."""
    days = f"SELECT DISTINCT day FROM {table.full_name()} WHERE {where}"  # noqa: S608 - our own names
    return months_of(day for (day,) in sql.execute(days).fetchall())


def of_month(month: str) -> str:
    """Return SQL that is true of the rows of a month."""
    return f"day BETWEEN DATE '{month}-01' AND last_day(DATE '{month}-01')"


def with_days(changed: Mapping[str, Months], days: Iterable[date]) -> dict[str, Months]:
    """Return the months of each table that may have changed, with those of further days."""
    more = months_of(days)
    return {name: None if one is None else one | more for name, one in changed.items()}


def months_of(days: Iterable[date]) -> set[str]:
    """Return the months of some days, as `2026-11`."""
    return {f"{day:%Y-%m}" for day in days}


def _insert(
    sql: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: type[Contract],
    where: str,
    slices: pl.DataFrame | None = None,
) -> None:
    if lake.has(table):
        (columns, values), source = insertion(table), lake.relation(table, slices)
        into = f"INSERT INTO {table.full_name()} ({columns})"
        sql.execute(f"{into} SELECT {values} FROM {source} WHERE {where}")  # noqa: S608 - our own names


def _kept(table: type[Contract]) -> str:
    return KEPT if is_daily(table) else "false"
