"""The database that readers get, before it has rows: tables, views, and what each column is.

It is the same for every home: one script makes it. It has a thousand statements, most of them
comments, so a process runs each of them once, in memory, and a publication that is built anew
begins with a copy. Not here: rows (filling.py), what the views say (bi).
"""

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import duckdb
from pydantic import SecretStr

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish import key_sums
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.rounded import ABOUT, ROUNDED, has_rounded
from openai_costs.storage.encryption import attach_for_writing
from openai_costs.storage.live_rows import SQL_TYPES
from openai_costs.storage.sql import QUIET
from openai_costs.tables.contract import LAYERS, Contract, all_contracts
from openai_costs.tables.mart.spend import Spend

READABLE_FROM = "v1.0.0"
"""The file format: DuckDB 1.0.0 and later open it; 2.0's own default no 1.x client can."""


_making = threading.Lock()
"""Held by who works with the database in memory, which a process has one of."""


@cache
def empty_database() -> bytes:
    """Return the content of a database file with every table and view, and no rows."""
    with tempfile.TemporaryDirectory() as folder, _making:
        sql, file = _with_comments(os.getpid()), Path(folder) / "openai_costs.duckdb"
        sql.execute(f"ATTACH {literal(file)} AS openai_costs (STORAGE_VERSION '{READABLE_FROM}')")
        return _copied(sql, file)


def encrypted_database(key: SecretStr) -> bytes:
    """Return the same as an encrypted file, which was never a plain one."""
    with tempfile.TemporaryDirectory() as folder, _in_memory() as sql:
        sql.execute(_script([*_definitions(), *_comments()]))
        file = Path(folder) / "openai_costs.duckdb"
        attach_for_writing(sql, file, "openai_costs", key)
        return _copied(sql, file)


def _in_memory() -> duckdb.DuckDBPyConnection:
    """Begin a database in memory, where the script takes a third less time; it is not optimized."""
    sql = duckdb.connect(config={"threads": 1})  # others would only wait for work
    sql.execute(QUIET)
    sql.execute("PRAGMA disable_optimizer")
    return sql


@cache
def _without_comments(process: int) -> duckdb.DuckDBPyConnection:  # noqa: ARG001 - a fork has its own
    sql = _in_memory()
    sql.execute(_script(_definitions()))
    return sql


@cache
def _with_comments(process: int) -> duckdb.DuckDBPyConnection:
    sql = _without_comments(process)
    sql.execute(_script(_comments()))
    return sql


def _copied(sql: duckdb.DuckDBPyConnection, file: Path) -> bytes:
    try:
        sql.execute("COPY FROM DATABASE memory TO openai_costs")
    finally:  # where the disk is full, another try finds the database in memory as it was
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
    script = _script([*_definitions(), *_comments()])
    return sha256(f"{made_by}\n{written_as}\n{script}".encode()).hexdigest()


@contextmanager
def at_once(sql: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Hold one transaction: DuckDB writes to disk at the end of each."""
    sql.begin()
    yield
    sql.commit()


@cache
def view_types() -> Mapping[tuple[str, str], str]:
    """Return the DuckDB type of each column of `bi`, by view and column."""
    asked = "SELECT table_name, column_name, data_type FROM duckdb_columns()"
    with _making:
        sql = _without_comments(os.getpid())
        rows = sql.execute(f"{asked} WHERE schema_name = 'bi'").fetchall()
    return {(view, column): kind for view, column, kind in rows}


def _script(statements: Iterable[str]) -> str:
    return ";\n".join(statements)


def _definitions() -> list[str]:
    """Return what makes every table and every view."""
    schemas = [f"CREATE SCHEMA {name}" for name in (*LAYERS, "bi")]
    views = [f"CREATE VIEW bi.{view.name} AS {view.sql}" for view in VIEWS]
    tables = [_created(table.full_name(), _types(table)) for table in all_contracts()]
    of_spend = _types(Spend)
    sums = _created(key_sums.NAME, {column: of_spend[column] for column in key_sums.COLUMNS})
    return [*schemas, *tables, sums, *views]


def _types(table: type[Contract]) -> dict[str, str]:
    """Return the SQL type of each published column of a table."""
    types = {column: SQL_TYPES[str(kind)] for column, kind, *_ in table.describe()}
    return types | ({ROUNDED: "DOUBLE"} if has_rounded(table) else {})


def _created(name: str, types: Mapping[str, str]) -> str:
    return (
        f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in types.items())})"
    )


def _comments() -> Iterator[str]:
    """Yield what says what every table and view is, and what each of its columns is."""
    for table in all_contracts():
        about = " ".join(table.about().split())
        yield from _comments_on("TABLE", table.full_name(), about, _texts(table))
    of_spend = _texts(Spend)
    texts = {column: of_spend[column] for column in key_sums.COLUMNS}
    yield from _comments_on("TABLE", key_sums.NAME, key_sums.ABOUT, texts)
    for view in VIEWS:
        yield from _comments_on("VIEW", f"bi.{view.name}", view.about, view.columns)


def _texts(table: type[Contract]) -> dict[str, str]:
    """Return what each published column of a table is."""
    texts = {
        column: f"{text} [{unit}]" if unit else text
        for column, _, unit, text, _ in table.describe()
    }
    return texts | ({ROUNDED: ABOUT} if has_rounded(table) else {})


def _comments_on(kind: str, name: str, about: str, columns: Mapping[str, str]) -> Iterator[str]:
    yield f"COMMENT ON {kind} {name} IS {literal(about)}"
    for one, text in columns.items():
        yield f"COMMENT ON COLUMN {name}.{one} IS {literal(text)}"
