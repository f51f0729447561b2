"""The database that readers get, before it has rows: tables, views, and what each column is.

It is the same for every home: one script makes it. It has a few hundred statements, most of them
comments, so a process runs it once, and each rebuilt publication begins with a copy. Not here: rows
(filling.py), what the views say (bi).
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import duckdb
from pydantic import SecretStr

from openai_costs.outputs.publish.bi import VIEWS, View
from openai_costs.outputs.publish.rounded import ABOUT, ROUNDED, has_rounded
from openai_costs.storage.encryption import attach_for_writing
from openai_costs.storage.live_rows import SQL_TYPES
from openai_costs.storage.sql import QUIET
from openai_costs.tables.contract import LAYERS, Contract, all_contracts

READABLE_FROM = "v1.0.0"
"""The file format: DuckDB 1.0.0 and later open it; 2.0's own default no 1.x client can."""


@cache
def empty_database() -> bytes:
    """Return the content of a database file with every table and view, and no rows."""
    with tempfile.TemporaryDirectory() as folder, _made_in_memory() as sql:
        file = Path(folder) / "openai_costs.duckdb"
        sql.execute(f"ATTACH {literal(file)} AS openai_costs (STORAGE_VERSION '{READABLE_FROM}')")
        return _copied(sql, file)


def encrypted_database(key: SecretStr) -> bytes:
    """Return the same as an encrypted file, which was never a plain one."""
    with tempfile.TemporaryDirectory() as folder, _made_in_memory() as sql:
        file = Path(folder) / "openai_costs.duckdb"
        attach_for_writing(sql, file, "openai_costs", key)
        return _copied(sql, file)


@contextmanager
def _made_in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Run the script, which takes a third less time in memory, and where nothing is optimized."""
    with duckdb.connect(config={"threads": 1}) as sql:  # others would only wait for work
        sql.execute(QUIET)
        sql.execute("PRAGMA disable_optimizer")
        sql.execute(_script())
        yield sql


def _copied(sql: duckdb.DuckDBPyConnection, file: Path) -> bytes:
    sql.execute("COPY FROM DATABASE memory TO openai_costs")
    sql.execute("USE memory")
    sql.execute("DETACH openai_costs")
    return file.read_bytes()


@cache
def structure(*, is_encrypted: bool = False) -> str:
    """Return what differs where tables, views, comments or the software that makes them do.

    A published file of another structure is not continued, but built anew.

    Args:
        is_encrypted: Whether it is the structure of an encrypted file.
    """
    made_by = f"openai-costs {version('openai-costs')}, DuckDB {duckdb.__version__}"
    written_as = "encrypted" if is_encrypted else READABLE_FROM
    return sha256(f"{made_by}\n{written_as}\n{_script()}".encode()).hexdigest()


@contextmanager
def at_once(sql: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Hold one transaction: DuckDB writes to disk at the end of each."""
    sql.begin()
    yield
    sql.commit()


def literal(value: object) -> str:
    """Return a value as an SQL text literal."""
    return "'" + str(value).replace("'", "''") + "'"


@cache
def view_types() -> Mapping[tuple[str, str], str]:
    """Return the DuckDB type of each column of `bi`, by view and column."""
    with duckdb.connect() as sql:
        with at_once(sql):  # comments are most of the time, and have no types
            sql.execute(
                ";\n".join([*_schemas(), *map(_new_table, all_contracts()), *map(_new_view, VIEWS)])
            )
        asked = "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        rows = sql.execute(f"{asked} WHERE schema_name = 'bi'").fetchall()
    return {(view, column): kind for view, column, kind in rows}


def _script() -> str:
    """Return the script that makes the database: every table, every view and their comments."""
    return ";\n".join([*_schemas(), *map(_table, all_contracts()), *map(_view, VIEWS)])


def _schemas() -> list[str]:
    return [f"CREATE SCHEMA {name}" for name in (*LAYERS, "bi")]


def _table(table: type[Contract]) -> str:
    """Return what creates a table from its contract, and comments it."""
    about = {
        column: f"{text} [{unit}]" if unit else text
        for column, _, unit, text, _ in table.describe()
    }
    if has_rounded(table):
        about |= {ROUNDED: ABOUT}
    comments = _comments("TABLE", table.full_name(), " ".join(table.about().split()), about)
    return f"{_new_table(table)};\n{comments}"


def _new_table(table: type[Contract]) -> str:
    types = {column: SQL_TYPES[str(kind)] for column, kind, *_ in table.describe()}
    if has_rounded(table):
        types |= {ROUNDED: "DOUBLE"}
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    return f"CREATE TABLE {table.full_name()} ({columns})"


def _view(view: View) -> str:
    comments = _comments("VIEW", f"bi.{view.name}", view.about, view.columns)
    return f"{_new_view(view)};\n{comments}"


def _new_view(view: View) -> str:
    return f"CREATE VIEW bi.{view.name} AS {view.sql}"


def _comments(kind: str, name: str, about: str, columns: Mapping[str, str]) -> str:
    """Return one script that says what a table or view is, and what each of its columns is."""
    script = [f"COMMENT ON {kind} {name} IS {literal(about)}"]
    script += [
        f"COMMENT ON COLUMN {name}.{one} IS {literal(text)}" for one, text in columns.items()
    ]
    return ";\n".join(script)
