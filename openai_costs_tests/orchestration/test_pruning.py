"""Old history goes; the newest of each asset, day and check stays, whatever its age."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.orchestration.event_files import EventFiles
from openai_costs.orchestration.pruning import prune_history
from openai_costs.orchestration.run_files import run_storage

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 29, tzinfo=UTC)
OLD, OLDER, NEW = "2026-10-02 00:00:00", "2026-10-01 00:00:00", "2026-11-20 00:00:00"
MADE = "ASSET_MATERIALIZATION"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Three runs: of two weeks ago, and two old ones, of which the older one says nothing new."""
    folder = tmp_path / "dagster" / "history"
    run_storage(folder)
    files = EventFiles(str(folder / "runs"))
    with files.index_connection():
        pass
    with closing(sqlite3.connect(folder / "runs.db")) as sql, sql:
        ended = {"older": 1.0, "old": 2.0, "new": NOW.timestamp() - 86400}
        rows = [(name, "{}", at) for name, at in ended.items()]
        sql.executemany("INSERT INTO runs (run_id, run_body, end_time) VALUES (?, ?, ?)", rows)
    events = [
        ("older", OLDER, "spend", "2026-10-01", MADE),
        ("old", OLD, "spend", "2026-10-01", MADE),
        ("old", OLD, "spend", "2026-10-02", MADE),
        ("new", NEW, "spend", "2026-10-02", MADE),
        ("older", OLDER, None, None, "PIPELINE_SUCCESS"),
    ]
    with closing(sqlite3.connect(folder / "runs" / "index.db")) as sql, sql:
        sql.executemany(
            "INSERT INTO event_logs (run_id, event, timestamp, asset_key, partition, "
            "dagster_event_type) VALUES (?, '{}', ?, ?, ?, ?)",
            events,
        )
        sql.execute("INSERT INTO asset_event_tags (event_id, asset_key, key) VALUES (1, 's', 'k')")
        verdicts = [("older", OLDER), ("old", OLD)]
        sql.executemany(
            "INSERT INTO asset_check_executions (run_id, create_timestamp, asset_key, check_name, "
            "partition) VALUES (?, ?, 'spend', 'ties_out', '2026-10-01')",
            verdicts,
        )
    for name in ended:
        (folder / "runs" / f"{name}.db").touch()
    return folder


def rows(file: Path, query: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as sql:
        return sql.execute(query).fetchall()


def test_the_newest_of_each_asset_and_day_stays_and_the_rest_goes(
    history: Path, tmp_path: Path
) -> None:
    assert prune_history(UPath(tmp_path), NOW) == 3
    index = history / "runs" / "index.db"
    kept = rows(index, "SELECT run_id, partition FROM event_logs ORDER BY id")
    assert kept == [("old", "2026-10-01"), ("new", "2026-10-02")]
    assert rows(index, "SELECT run_id FROM asset_check_executions") == [("old",)]
    assert rows(index, "SELECT event_id FROM asset_event_tags") == []


def test_a_run_that_no_event_names_is_gone_and_old_step_logs_are(
    history: Path, tmp_path: Path
) -> None:
    prune_history(UPath(tmp_path), NOW)
    assert rows(history / "runs.db", "SELECT run_id FROM runs ORDER BY 1") == [("new",), ("old",)]
    assert not list((history / "runs").glob("old*.db"))
    assert (history / "runs" / "new.db").exists()


def test_a_history_that_is_in_use_is_left_for_the_next_time(history: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(history / "runs" / "index.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("openai_costs.orchestration.pruning.BUSY_SECONDS", 0.01)
            assert prune_history(UPath(tmp_path), NOW) == 0
    assert prune_history(UPath(tmp_path), NOW) > 0


def test_without_a_history_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert prune_history(UPath(tmp_path), NOW) == 0


def test_of_a_history_that_began_lately_nothing_is_old(history: Path, tmp_path: Path) -> None:
    index = history / "runs" / "index.db"
    before = rows(index, "SELECT * FROM event_logs")
    began = min(rows(index, "SELECT timestamp FROM event_logs"))[0]
    assert prune_history(UPath(tmp_path), datetime.fromisoformat(began).replace(tzinfo=UTC)) == 0
    assert rows(index, "SELECT * FROM event_logs") == before
