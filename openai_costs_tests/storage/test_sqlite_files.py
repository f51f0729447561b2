from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from openai_costs.storage.sqlite_files import opened_to_write

if TYPE_CHECKING:
    from pathlib import Path


def fill(file: Path) -> None:
    with opened_to_write(file) as sql:
        sql.execute("PRAGMA max_page_count = 2")  # what a full disk is to SQLite
        sql.execute("DELETE FROM runs")
        sql.execute("INSERT INTO runs VALUES (zeroblob(100000))")


def test_a_full_disk_is_named_with_the_file_and_nothing_is_changed(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    with opened_to_write(file) as sql:
        sql.execute("CREATE TABLE runs (run_body)")
        sql.execute("INSERT INTO runs VALUES ('kept')")
    with pytest.raises(sqlite3.OperationalError) as full:
        fill(file)
    assert str(full.value) == f"database or disk is full: {file}"
    with closing(sqlite3.connect(file)) as sql:
        assert sql.execute("SELECT run_body FROM runs").fetchall() == [("kept",)]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    file.write_bytes(b"no database, however long it may be" * 99)
    with (
        pytest.raises(sqlite3.DatabaseError, match=f"file is not a database: {file}"),
        opened_to_write(file, is_alone=True) as sql,
    ):
        sql.execute("VACUUM")
