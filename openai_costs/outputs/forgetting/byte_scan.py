"""Looks for texts in every byte below a home: the proof that something is gone.

It shares no code with what removes: it knows no table and no page, opens whatever a file is packed
in, and compares bytes. A text is the same in capitals, and as JSON and web pages escape it.
"""

import gzip
import json
import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

import zstandard
from pydantic import SecretStr
from upath import UPath

from openai_costs.storage.files import SET_ASIDE
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.sql import connected

CHUNK = 8 * 1024 * 1024
ZSTD, GZIP, PARQUET, SQLITE, DUCKDB = b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PAR1", b"SQLite", b"DUCK"
DUCKDB_AT = 8
"""Where the mark of a DuckDB file stands in it."""


class Scan(NamedTuple):
    """What a scan came to.

    Args:
        searched: How many files were opened, by folder of the home.
        places: The files that hold one of the texts, and those whose names do.
    """

    searched: dict[str, int]
    places: list[str]


def scan(home: UPath, texts: Collection[str], key: SecretStr | None = None) -> Scan:
    """Return which files below a home hold one of some texts.

    Args:
        home: The home.
        texts: The texts.
        key: What opens an encrypted database.

    Raises:
        DatabaseLocked: A database cannot be searched: it is of another key.
        OSError: A file cannot be read: nothing can be promised then.
    """
    forms = {form for text in texts for form in _forms(text)}
    longest = max(map(len, forms), default=1)
    searched, places = dict.fromkeys((*FOLDERS, SET_ASIDE), 0), list[str]()
    for folder in searched:
        for file in sorted((home / folder).rglob("*"), key=str) if (home / folder).is_dir() else []:
            if not file.is_file():
                continue
            searched[folder] += 1
            name = str(file)[len(str(home)) :]
            if _holds(name.casefold(), forms) or _is_in(file, forms, longest, key):
                places.append(name.lstrip("/"))
    return Scan(searched, places)


def holds(file: UPath, texts: Collection[str]) -> bool:
    """Return whether a file holds one of some texts."""
    forms = {form for text in texts for form in _forms(text)}
    return _is_in(file, forms, max(map(len, forms), default=1), None)


def _forms(text: str) -> Iterator[str]:
    plain = text.casefold()
    yield from (plain, json.dumps(plain)[1:-1], escape(plain), quote(plain).casefold())


def _holds(content: str, forms: Collection[str]) -> bool:
    return any(form in content for form in forms)


def _is_in(file: UPath, forms: Collection[str], longest: int, key: SecretStr | None) -> bool:
    before = ""
    for content in _contents(file, key):
        text = content.decode(errors="ignore").casefold()
        if _holds(before[-longest:] + text, forms):
            return True
        before = text
    return False


def _contents(file: UPath, key: SecretStr | None) -> Iterator[bytes]:
    """Yield the bytes of a file, and what they are when they are unpacked."""
    with file.open("rb") as opened:
        head = opened.read(16)
        opened.seek(0)
        while chunk := opened.read(CHUNK):
            yield chunk
    if head.startswith(ZSTD):
        with file.open("rb") as opened, suppress(zstandard.ZstdError):
            yield from zstandard.ZstdDecompressor().read_to_iter(opened, write_size=CHUNK)
    elif head.startswith(GZIP):
        with file.open("rb") as opened, suppress(OSError, EOFError, zlib.error):
            yield gzip.GzipFile(fileobj=opened).read()
    elif head.startswith(PARQUET) or head[DUCKDB_AT:].startswith(DUCKDB):
        yield from _rows(file, key, is_database=not head.startswith(PARQUET))
    elif head.startswith(SQLITE):
        yield from _cells(Path(str(file)))


def _rows(file: UPath, key: SecretStr | None, *, is_database: bool) -> Iterator[bytes]:
    """Yield what the rows of a Parquet file or a DuckDB database say, as text."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "copy"
        path.write_bytes(file.read_bytes())
        named = str(path) if is_database else ":memory:"
        with connected(named, read_only=is_database, key=key) as sql:
            tables = [f"read_parquet('{path}')"]
            if is_database:
                named = "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
                tables = [name for (name,) in sql.execute(named).fetchall()]
            for table in tables:
                rows = sql.execute(f"SELECT CAST(stored AS VARCHAR) FROM {table} AS stored")  # noqa: S608 - names of its own
                while some := rows.fetchmany(10_000):
                    yield "\n".join(row for (row,) in some).encode()


def _cells(file: Path) -> Iterator[bytes]:
    """Yield every cell of an SQLite database, and what is packed in it."""
    with closing(sqlite3.connect(file.resolve().as_uri() + "?mode=ro", uri=True)) as sql:
        named = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (table,) in sql.execute(named).fetchall():
            for row in sql.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of its own
                for cell in row:
                    if isinstance(cell, bytes):
                        yield cell
                        with suppress(zlib.error):
                            yield zlib.decompress(cell)
                    elif cell is not None:
                        yield str(cell).encode()
