from __future__ import annotations

import gzip
import json
import sqlite3
import tempfile
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import polars as pl
import pytest
import zstandard
from upath import UPath

from openai_costs.outputs.forgetting.byte_scan import scan
from openai_costs.storage.sql import connected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "Zoë Planted"
ROWS = pl.DataFrame({"who": ["Bob", NAME]})


def packed_in_sqlite(file: Path) -> None:
    with closing(sqlite3.connect(file)) as sql, sql:
        sql.execute("CREATE TABLE snapshots (body BLOB)")
        sql.execute("INSERT INTO snapshots VALUES (?)", [zlib.compress(NAME.encode())])


def published(file: Path) -> None:
    with connected(str(file)) as sql:
        sql.execute("CREATE TABLE people AS SELECT ? AS who", [NAME])


WRITERS = {
    "as text": lambda file: file.write_text(f"by {NAME.upper()}", encoding="utf-8"),
    "as JSON": lambda file: file.write_text(json.dumps([NAME]), encoding="utf-8"),
    "zstd": lambda file: file.write_bytes(zstandard.ZstdCompressor().compress(NAME.encode())),
    "gzip": lambda file: file.write_bytes(gzip.compress(NAME.encode())),
    "parquet": lambda file: ROWS.write_parquet(file, compression="zstd"),
    "sqlite": packed_in_sqlite,
    "duckdb": published,
}


@pytest.mark.parametrize("how", WRITERS)
def test_a_text_is_seen_however_a_file_is_packed(tmp_path: Path, how: str) -> None:
    (tmp_path / "raw").mkdir()
    WRITERS[how](tmp_path / "raw/file")
    assert scan(UPath(tmp_path), [NAME]).places == ["raw/file"]
    assert scan(UPath(tmp_path), ["Zoe Planted"]).places == []
    assert scan(UPath(tmp_path), ["Zoë Plant"]).places == []


@pytest.mark.parametrize("how", WRITERS)
def test_a_temporary_folder_of_any_name_makes_no_file_a_damaged_one(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw").mkdir()
    WRITERS[how](tmp_path / "raw/file")
    scratch = tmp_path / "o'brien *[1]"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    assert scan(UPath(tmp_path), [NAME]).rest == ["raw/file"]
    assert scan(UPath(tmp_path), ["no one"]).rest == []


def test_tables_of_any_name_are_searched(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    with connected(str(tmp_path / "raw/a.duckdb")) as sql:
        sql.execute("""CREATE TABLE "of 'all' ""people\""" AS SELECT ? AS who""", [NAME])
    with closing(sqlite3.connect(tmp_path / "raw/b.db")) as sql, sql:
        sql.execute("""CREATE TABLE "of ""people\""" (body BLOB)""")
        sql.execute("""INSERT INTO "of ""people\""" VALUES (?)""", [zlib.compress(NAME.encode())])
    assert scan(UPath(tmp_path), [NAME]).rest == ["raw/a.duckdb", "raw/b.db"]
    assert scan(UPath(tmp_path), ["no one"]).rest == []


def test_a_database_that_no_one_has_open_is_read_without_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "dagster").mkdir()
    file = tmp_path / "dagster/runs.db"
    with closing(sqlite3.connect(file)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")
    packed_in_sqlite(file)
    assert scan(UPath(tmp_path), [NAME]).places == ["dagster/runs.db"]
    assert list(file.parent.iterdir()) == [file]


def test_a_name_of_a_file_counts_and_every_file_is_counted(tmp_path: Path) -> None:
    (tmp_path / "lake/user-1").mkdir(parents=True)
    (tmp_path / "lake/user-1/a").write_bytes(b"")
    (tmp_path / "record").mkdir()
    (tmp_path / "record/b").write_bytes(b"")
    found = scan(UPath(tmp_path), ["USER-1"])
    assert found.places == ["lake/user-1/a"]
    assert (found.searched["lake"], found.searched["record"], found.searched["raw"]) == (1, 1, 0)


@pytest.mark.parametrize("of", ["{}", "file://{}"])
def test_names_of_folders_count_where_no_file_has_them_in_its_path(tmp_path: Path, of: str) -> None:
    home = UPath(of.format(tmp_path))
    (tmp_path / "lake/mart/spend/user-1/2026-11").mkdir(parents=True)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster/user-1").symlink_to(tmp_path / "lake")
    found = scan(home, ["user-1"])
    assert found.places == ["lake/mart/spend/user-1/2026-11/", "dagster/user-1/"]
    assert sum(found.searched.values()) == 0
    assert scan(home, ["user-2"]).places == []


def test_the_name_of_a_link_to_nothing_counts(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    (tmp_path / "record/user-1").symlink_to(tmp_path / "gone")
    assert scan(UPath(tmp_path), ["user-1"]).places == ["record/user-1"]


@pytest.mark.parametrize("how", ["zstd", "gzip"])
def test_a_packed_file_is_searched_up_to_its_damage_and_named(tmp_path: Path, how: str) -> None:
    (tmp_path / "raw").mkdir()
    WRITERS[how](tmp_path / "raw/a")
    whole = (tmp_path / "raw/a").read_bytes()
    at = {"zstd": 6, "gzip": -8}[how]  # the head of a block, and the checksum
    (tmp_path / "raw/a").write_bytes(whole[:at] + b"\xff" + whole[at:][1:])
    found = scan(UPath(tmp_path), [NAME])
    assert [one.partition(" (damaged")[0] for one in found.rest] == ["raw/a"]


@pytest.mark.parametrize("name", ["a.parquet", "b.db", "c.duckdb"])
def test_a_file_that_cannot_be_unpacked_stands_in_the_way_of_a_proof(
    tmp_path: Path, name: str
) -> None:
    head = {"a.parquet": b"PAR1", "b.db": b"SQLite format 3\0", "c.duckdb": b"\0" * 8 + b"DUCK"}
    (tmp_path / "set_aside").mkdir()
    (tmp_path / "set_aside" / name).write_bytes(head[name] + b"x" * 5000)
    found = scan(UPath(tmp_path), [NAME])
    assert (found.places, found.damaged) == ([], (f"set_aside/{name}",))
    assert found.rest == [f"set_aside/{name} (damaged: it cannot be searched, so delete it)"]


def test_nothing_is_promised_of_a_folder_that_cannot_be_read(
    tmp_path: Path, unreadable: Callable[[Path], None]
) -> None:
    (tmp_path / "raw/openai").mkdir(parents=True)
    unreadable(tmp_path / "raw/openai")
    with pytest.raises(PermissionError, match="raw/openai"):
        scan(UPath(tmp_path), [NAME])
