"""Files that are begun as copies are those that Dagster begins itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage

from openai_costs.orchestration.run_files import EMPTY, begun, run_storage

if TYPE_CHECKING:
    from pathlib import Path


def content(file: Path) -> list[object]:
    """Everything in a file but when it was made."""
    with closing(sqlite3.connect(file)) as sql:
        tables = sql.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        revision = sql.execute("SELECT * FROM alembic_version").fetchall()
        mode = sql.execute("PRAGMA journal_mode").fetchall()
        names = [name for name, _ in tables]
        indexes = (
            sql.execute("SELECT name FROM secondary_indexes ORDER BY name").fetchall()
            if "secondary_indexes" in names
            else []
        )
    return [tables, revision, mode, indexes]


def test_a_file_of_runs_is_as_dagster_begins_it(tmp_path: Path) -> None:
    run_storage(tmp_path / "ours")
    SqliteRunStorage.from_local(str(tmp_path / "theirs"))
    assert content(tmp_path / "ours" / "runs.db") == content(tmp_path / "theirs" / "runs.db")


def test_a_file_of_events_is_as_dagster_begins_it(tmp_path: Path) -> None:
    assert begun(tmp_path / "ours.db")
    with SqliteEventLogStorage(str(tmp_path)).run_connection("theirs"):
        pass
    assert content(tmp_path / "ours.db") == content(tmp_path / "theirs.db")
    assert {file.name for file in tmp_path.iterdir()} == {"ours.db", "theirs.db", "index.db", EMPTY}


def test_a_file_that_is_there_keeps_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "ours.db"
    assert begun(file)
    with closing(sqlite3.connect(file)) as sql, sql:
        sql.execute("INSERT INTO event_logs (run_id, event, timestamp) VALUES ('a', '{}', 0)")
    assert begun(file)
    with closing(sqlite3.connect(file)) as sql:
        assert sql.execute("SELECT run_id FROM event_logs").fetchall() == [("a",)]


@pytest.mark.parametrize("state", ["CREATE TABLE other (id INT)", "DELETE FROM alembic_version"])
def test_a_file_of_another_form_is_left_to_dagster(state: str, tmp_path: Path) -> None:
    file = tmp_path / "ours.db"
    if state.startswith("DELETE"):
        begun(file)
    with closing(sqlite3.connect(file)) as sql, sql:
        sql.execute(state)
    assert not begun(file)
