"""Looks for texts in every byte below a home: the proof that something is gone.

It shares no code with what removes: it knows no table and no page, opens whatever a file is packed
in, and searches what it finds there (byte_texts.py), and the names of files and folders.
"""

import gzip
import os
import zlib
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import zstandard
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.sql_text import identifier, read_parquet
from openai_costs.outputs.forgetting.byte_texts import Search
from openai_costs.storage.files import SET_ASIDE, files_below, is_local
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.sql import DAMAGED, asking, connected
from openai_costs.storage.sqlite_files import opened_to_read

UNPACKABLE = (*DAMAGED, zstandard.ZstdError, gzip.BadGzipFile, zlib.error, EOFError)
"""What a file raises whose content cannot be unpacked to its end."""
CHUNK = 8 * 1024 * 1024
ZSTD, GZIP, PARQUET, SQLITE, DUCKDB = b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PAR1", b"SQLite", b"DUCK"
DUCKDB_AT = 8
"""Where the mark of a DuckDB file stands in it."""


class Scan(NamedTuple):
    """What a scan came to.

    Args:
        searched: How many files were opened, by folder of the home.
        places: The files that hold one of the texts, and the files and folders whose names do.
        resembling: Longer words that hold one of the texts, and may name someone else.
        damaged: The files whose content cannot be unpacked, so that it may hold one of the texts.
    """

    searched: dict[str, int]
    places: list[str]
    resembling: frozenset[str] = frozenset()
    damaged: tuple[str, ...] = ()

    @property
    def rest(self) -> list[str]:
        """The files that stand in the way of a proof, for a person."""
        unknown = (
            f"{name} (damaged: it cannot be searched, so delete it)" for name in self.damaged
        )
        return [*self.places, *unknown]


def scan(
    home: UPath,
    texts: Collection[str],
    key: SecretStr | None = None,
    patterns: Collection[str] = (),
) -> Scan:
    """Return which files below a home hold one of some texts, and which names do.

    Args:
        home: The home.
        texts: The texts.
        key: What opens an encrypted database.
        patterns: What is searched too, as regular expressions.

    Raises:
        DatabaseLocked: A database cannot be searched: it is of another key.
        OSError: A file cannot be read: nothing can be promised then.
    """
    search = Search(texts, patterns)
    searched, places, damaged = dict.fromkeys((*FOLDERS, SET_ASIDE), 0), list[str](), list[str]()
    for folder in searched:
        bare = (f"{folder}{name}/" for name in _bare_folders(home / folder))
        places += filter(search.is_named, bare)
        for file in files_below(home / folder):
            name = str(file)[len(str(home)) :].lstrip("/")
            is_file = file.is_file()  # and no link to nothing, no pipe
            searched[folder] += is_file
            try:
                if search.is_named(name) or (is_file and _is_in(file, search, key)):
                    places.append(name)
            except UNPACKABLE:
                damaged.append(name)
    return Scan(searched, places, frozenset(search.longer), tuple(damaged))


def _bare_folders(top: UPath) -> Iterator[str]:
    """Yield the folders on a disk whose names are in no file's path, from `top` on.

    Empty ones, and links: a walk does not enter these. An object store has no folders.
    """
    if top.protocol in ("", "file"):
        for below, folders, files in os.walk(top.path):
            links = [name for name in folders if Path(below, name).is_symlink()]
            yield from (f"{below}/{name}"[len(top.path) :] for name in links)
            if not (folders or files):
                yield below[len(top.path) :]


def own_files(home: UPath, settings: UPath, texts: Collection[str]) -> Iterator[str]:
    """Yield the files of a person's own that hold a text: the settings, and others in the home."""
    files = [settings]
    if is_local(home):
        ours = [home / name for name in FOLDERS]
        files += [one for one in files_below(home) if not any(top in one.parents for top in ours)]
    for file in sorted(set(files), key=str):
        if file.is_file() and _is_in(file, Search(texts), None):
            yield str(file)


def _is_in(file: UPath, search: Search, key: SecretStr | None) -> bool:
    with file.open("rb") as opened:
        head = opened.read(16)
    is_rows = head.startswith((PARQUET, SQLITE)) or head[DUCKDB_AT:].startswith(DUCKDB)
    # The values of such a file stand in it without anything between them.
    if search.is_in(_contents(file, head, key)):
        return True
    return is_rows and search.is_anywhere_in(_chunks(file))


def _chunks(file: UPath) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def _contents(file: UPath, head: bytes, key: SecretStr | None) -> Iterator[bytes]:
    """Yield the bytes of a file, and what they are when they are unpacked."""
    yield from _chunks(file)
    if head.startswith(ZSTD):
        with file.open("rb") as opened:
            yield from zstandard.ZstdDecompressor().read_to_iter(opened, write_size=CHUNK)
    elif head.startswith(GZIP):
        with file.open("rb") as opened:
            yield from iter(partial(gzip.GzipFile(fileobj=opened).read, CHUNK), b"")
    elif head.startswith(PARQUET) or head[DUCKDB_AT:].startswith(DUCKDB):
        yield from _rows(file, key, is_database=not head.startswith(PARQUET))
    elif head.startswith(SQLITE):
        yield from _cells(Path(str(file)))


def _rows(file: UPath, key: SecretStr | None, *, is_database: bool) -> Iterator[bytes]:
    """Yield what the rows of a Parquet file or a DuckDB database say, as text."""
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "copy"
        path.write_bytes(file.read_bytes())
        database = connected(str(path), read_only=True, key=key) if is_database else asking()
        with database as sql:
            tables = [read_parquet([path])]
            if is_database:
                named = "SELECT schema_name, table_name FROM duckdb_tables()"
                tables = [".".join(map(identifier, name)) for name in sql.execute(named).fetchall()]
            for table in tables:
                rows = sql.execute(f"SELECT CAST(stored AS VARCHAR) FROM {table} AS stored")  # noqa: S608 - names of its own
                while some := rows.fetchmany(10_000):
                    yield "\n".join(row for (row,) in some).encode()


def _cells(file: Path) -> Iterator[bytes]:
    """Yield every cell of an SQLite database, and what is packed in it."""
    with closing(opened_to_read(file)) as sql:
        named = "SELECT name FROM sqlite_master WHERE type = 'table'"
        for (table,) in sql.execute(named).fetchall():
            for row in sql.execute(f"SELECT * FROM {identifier(table)}"):  # noqa: S608 - its own name
                for cell in row:
                    if isinstance(cell, bytes):
                        yield cell
                        with suppress(zlib.error):
                            yield zlib.decompress(cell)
                    elif cell is not None:
                        yield str(cell).encode()
