"""The tables of the published database, read by contract and days as those of the lake are."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.publication_state import NO_VERSION, PublicationState
from openai_costs.storage.counted import Shown
from openai_costs.storage.live_rows import Query, answers
from openai_costs.tables.contract import Contract


class Readable(Protocol):
    """What a page is read from: the lake, or the published database. Rows of one state."""

    def read(self, table: type[Contract], days: Iterable[date] | None = None) -> pl.DataFrame:
        """Return a small table as one frame: some days, or all of it."""

    def query(self, table: type[Contract], days: Iterable[date], ask: Query) -> list[pl.DataFrame]:
        """Return the answers to queries about the rows of some days, which are in no order."""

    def slices(self, table: type[Contract]) -> pl.DataFrame:
        """Return how many rows each connection and day has: connection, day, rows, and more."""

    def has(self, table: type[Contract]) -> bool:
        """Return whether a table was ever made."""


class PublishedTables:
    """The tables of a published database.

    Args:
        sql: The database.
        state: What it was made of, where that is known.
    """

    def __init__(self, sql: duckdb.DuckDBPyConnection, state: PublicationState | None) -> None:
        self._sql, self._state = sql, state

    def read(self, table: type[Contract], days: Iterable[date] | None = None) -> pl.DataFrame:
        """Return a small table as one frame: some days, or all of it."""
        return self._rows(table, table.types(), "true" if days is None else _among(days))

    def query(self, table: type[Contract], days: Iterable[date], ask: Query) -> list[pl.DataFrame]:
        """Return the answers to queries about the rows of some days, which are in no order.

        The rows pass by a month at a time, and only the columns that are asked for.
        """
        wanted = _among(days)

        def parts(
            columns: list[str] | None,
            where: pl.Expr | None,
            _most: int | None,
            _at_once: int | None,
        ) -> Iterator[pl.DataFrame]:
            for month in self._months(table, wanted):
                rows = self._rows(table, columns or table.types(), f"{wanted} AND {month}")
                yield rows if where is None else rows.filter(where)

        rows = register_io_source(parts, schema=pl.Schema(table.types()))
        return answers(ask(rows), DATABASE)

    def slices(self, table: type[Contract]) -> pl.DataFrame:
        """Return how many rows each connection and day has: connection, day, rows."""
        rows = f"SELECT connection, day, count(*) AS rows FROM {table.full_name()} GROUP BY ALL"  # noqa: S608 - our own names
        return pl.DataFrame(self._sql.sql(rows))

    def has(self, table: type[Contract]) -> bool:
        """Return whether a table had been made when it was published."""
        known = self._state.versions if self._state else {table.full_name(): None}
        return known.get(table.full_name(), NO_VERSION) != NO_VERSION

    def _rows(self, table: type[Contract], columns: Iterable[str], where: str) -> pl.DataFrame:
        types = {name: kind for name, kind in table.types().items() if name in set(columns)}
        source = Shown().relation(table, table.full_name())
        rows = f"SELECT {', '.join(types)} FROM {source} WHERE {where}"  # noqa: S608 - our own names
        return pl.DataFrame(self._sql.sql(rows)).cast(types)  # type: ignore[arg-type]

    def _months(self, table: type[Contract], where: str) -> list[str]:
        ends = f"SELECT DISTINCT last_day(day) FROM {table.full_name()} WHERE {where} ORDER BY 1"  # noqa: S608 - our own names
        found = self._sql.execute(ends).fetchall()
        return [f"day BETWEEN DATE '{end:%Y-%m}-01' AND DATE '{end}'" for (end,) in found]


def _among(days: Iterable[date]) -> str:
    listed = ", ".join(f"DATE '{day}'" for day in days)
    return f"day IN ({listed})" if listed else "false"
