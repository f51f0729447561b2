from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from upath import UPath

from openai_costs.orchestration.history import forget_days

if TYPE_CHECKING:
    from pathlib import Path

VERDICT = {"dagster_event": {"event_specific_data": {"partition": "2026-09-30", "why": "secret"}}}


def test_what_the_history_says_about_deleted_days_is_gone_from_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "dagster/history/runs"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "index.db")) as sql, sql:
        sql.execute("CREATE TABLE event_logs (event TEXT, partition TEXT)")
        rows = [
            (json.dumps("secret"), "2026-09-30"),
            (json.dumps(VERDICT), None),
            ("{}", "2026-10-01"),
        ]
        sql.executemany("INSERT INTO event_logs VALUES (?, ?)", rows)
    forget_days(UPath(tmp_path), date(2026, 10, 1))
    with closing(sqlite3.connect(folder / "index.db")) as sql:
        assert sql.execute("SELECT partition FROM event_logs").fetchall() == [("2026-10-01",)]
    assert b"secret" not in (folder / "index.db").read_bytes()


def test_a_run_that_ended_before_the_first_day_is_gone_with_its_events(tmp_path: Path) -> None:
    folder = tmp_path / "dagster/history"
    (folder / "runs").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "runs.db")) as sql, sql:
        sql.execute("CREATE TABLE runs (run_id TEXT, start_time FLOAT, end_time FLOAT)")
        sql.execute("CREATE TABLE run_tags (run_id TEXT)")
        sql.execute("INSERT INTO runs VALUES ('old', 1000.0, 2000.0), ('new', 4e9, NULL)")
    for name in ("old", "new"):
        with closing(sqlite3.connect(folder / f"runs/{name}.db")) as sql, sql:
            sql.execute("CREATE TABLE event_logs (event TEXT, partition TEXT)")
    forget_days(UPath(tmp_path), date(2026, 10, 1))
    assert [path.stem for path in (folder / "runs").iterdir()] == ["new"]
    with closing(sqlite3.connect(folder / "runs.db")) as sql:
        assert sql.execute("SELECT run_id FROM runs").fetchall() == [("new",)]
