"""The database that readers get, before it has rows: tables, views, and what each column is.

It is the same for every home. Making it takes a few hundred statements, most of them comments,
so a process makes it once, and each publication begins with a copy. Not here: rows (database.py),
what the views say (bi.py).
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from openai_costs.outputs.publish.bi import VIEWS, View
from openai_costs.storage.live_rows import SQL_TYPES
from openai_costs.storage.sql import QUIET
from openai_costs.tables.contract import Contract, all_contracts

READABLE_FROM = "v1.0.0"
"""The file format: DuckDB 1.0.0 and later open it; 2.0's own default no 1.x client can."""


@cache
def empty_database() -> bytes:
    """Return the content of a database file with every table and view, and no rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "openai_costs.duckdb"
        config: dict[str, str | bool | int | float | list[str]] = {
            "storage_compatibility_version": READABLE_FROM
        }
        with duckdb.connect(file, config=config) as sql:
            sql.execute(QUIET)
            with at_once(sql):
                for table in all_contracts():
                    _table(sql, table)
                for view in VIEWS:
                    _view(sql, view)
            sql.execute("CHECKPOINT")
        return file.read_bytes()


@contextmanager
def at_once(sql: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Hold one transaction: DuckDB writes to disk at the end of each, and each comment is one."""
    sql.begin()
    yield
    sql.commit()


def literal(value: object) -> str:
    """Return a value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def _table(sql: duckdb.DuckDBPyConnection, table: type[Contract]) -> None:
    """Create a table from its contract, and comment it."""
    name, described = table.full_name(), list(table.describe())
    columns = ", ".join(f"{column} {SQL_TYPES[str(kind)]}" for column, kind, *_ in described)
    sql.execute(f"CREATE SCHEMA IF NOT EXISTS {table.schema_name()}")
    sql.execute(f"CREATE TABLE {name} ({columns})")
    about = {column: f"{text} [{unit}]" if unit else text for column, _, unit, text, _ in described}
    sql.execute(_comments("TABLE", name, " ".join(table.about().split()), about))


def _view(sql: duckdb.DuckDBPyConnection, view: View) -> None:
    sql.execute("CREATE SCHEMA IF NOT EXISTS bi")
    sql.execute(f"CREATE VIEW bi.{view.name} AS {view.sql}")
    sql.execute(_comments("VIEW", f"bi.{view.name}", view.about, view.columns))


def _comments(kind: str, name: str, about: str, columns: Mapping[str, str]) -> str:
    """Return one script that says what a table or view is, and what each of its columns is."""
    script = [f"COMMENT ON {kind} {name} IS {literal(about)}"]
    script += [
        f"COMMENT ON COLUMN {name}.{one} IS {literal(text)}" for one, text in columns.items()
    ]
    return "; ".join(script)
