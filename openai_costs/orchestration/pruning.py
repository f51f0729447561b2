"""Keeps Dagster's history below the home small: the newest of each thing, and the last weeks.

Dagster's own `delete_run` takes the materializations of a run with it: an asset whose newest one is
old would look as if it had never been made. Here the newest event of each asset, day and kind
stays, and the newest verdict of each check and day. Of a run that ended weeks ago, what it logged
step by step goes, and its row once nothing refers to it.
Not here: what is deleted because of its content (history.py).
"""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from upath import UPath

from openai_costs.orchestration.history import FOLDER, rewrite
from openai_costs.storage.files import is_local, remove_folder

KEPT = timedelta(days=30)
"""How long every run and every event is kept."""

BUSY_SECONDS = 5.0
"""How many seconds to wait for another process that writes the history."""

_OLD_EVENTS = """
DELETE FROM event_logs WHERE timestamp < :before AND id NOT IN (
  SELECT max(id) FROM event_logs WHERE asset_key IS NOT NULL
  GROUP BY asset_key, partition, dagster_event_type
) AND id NOT IN (SELECT evaluation_event_storage_id FROM asset_check_executions
                 WHERE evaluation_event_storage_id IS NOT NULL)
"""
_OLD_VERDICTS = """
DELETE FROM asset_check_executions WHERE create_timestamp < :before AND id NOT IN (
  SELECT max(id) FROM asset_check_executions GROUP BY asset_key, check_name, partition
)
"""
_FIRST_EVENT = "SELECT timestamp FROM event_logs ORDER BY id LIMIT 1"
_LOOSE_TAGS = "DELETE FROM asset_event_tags WHERE event_id NOT IN (SELECT id FROM event_logs)"
_OLD_RUNS = "SELECT run_id FROM runs WHERE end_time < :before"


def prune_history(home: UPath, now: datetime) -> int:
    """Delete what is old and not the newest of its kind; return how many events that were.

    A history that another process is writing is left for the next time.

    Args:
        home: The home.
        now: The current instant.
    """
    history = Path(str(home)) / FOLDER / "history"
    index, runs = history / "runs" / "index.db", history / "runs.db"
    if not is_local(home) or not (index.exists() and runs.exists()):
        return 0
    before = now - KEPT
    try:
        deleted, named = _prune_index(index, before)
        if deleted:
            _prune_runs(history, runs, before, named)
            rewrite(index)
            rewrite(runs)
    except sqlite3.OperationalError:  # in use
        return 0
    return deleted


def _prune_index(index: Path, before: datetime) -> tuple[int, set[str]]:
    """Prune the index of all runs; return how many events went, and the runs still named there."""
    when = {"before": f"{before:%Y-%m-%d %H:%M:%S}"}
    with closing(sqlite3.connect(index, timeout=BUSY_SECONDS)) as sql, sql:
        first = sql.execute(_FIRST_EVENT).fetchone()
        if first is None or first[0] >= when["before"]:  # events are stored as they happen
            return 0, set()
        sql.execute(_OLD_VERDICTS, when)
        deleted = sql.execute(_OLD_EVENTS, when).rowcount
        if deleted:
            sql.execute(_LOOSE_TAGS)
        named = {name for (name,) in sql.execute("SELECT DISTINCT run_id FROM event_logs")}
    return deleted, named


def _prune_runs(history: Path, runs: Path, before: datetime, named: set[str]) -> None:
    """Delete what old runs logged, and the rows of those that no event names any more."""
    with closing(sqlite3.connect(runs, timeout=BUSY_SECONDS)) as sql, sql:
        old = [name for (name,) in sql.execute(_OLD_RUNS, {"before": before.timestamp()})]
        gone = [(name,) for name in old if name not in named]
        sql.executemany("DELETE FROM run_tags WHERE run_id = ?", gone)
        sql.executemany("DELETE FROM runs WHERE run_id = ?", gone)
    for name in old:
        for file in (history / "runs").glob(f"{name}.db*"):
            file.unlink()
        remove_folder(UPath(history.parent / "storage" / name))
