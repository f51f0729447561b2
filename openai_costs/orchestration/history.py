"""What Dagster's history below a home says about days and people that are deleted: it goes too.

The files are SQLite, written by `dev` and by finished headless runs (recording.py). A deleted row
stays in free pages of its file, and in the log beside it, until both are written anew.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from upath import UPath

from openai_costs.kernel.days import epoch
from openai_costs.kernel.json_texts import with_pseudonyms
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.files import files_below, is_local, remove_folder, replace_file
from openai_costs.storage.sqlite_files import opened_to_write

FOLDER = "dagster"
_DAY_OF = {
    "event_logs": "coalesce(partition, "
    "json_extract(event, '$.dagster_event.event_specific_data.partition'))",
    "asset_check_executions": "partition",
}
"""What the day of a row is, by table; a verdict on a day has it in its event alone."""


def databases(home: UPath) -> Iterator[Path]:
    """Yield the databases of Dagster's history below a local home."""
    if is_local(home):
        yield from (Path(str(file)) for file in files_below(home / FOLDER, ".db"))


def forget_days(home: UPath, before: date) -> None:
    """Delete what the history says about days before a day, and runs that ended before it."""
    for file in filter(Path.exists, databases(home)):
        with opened_to_write(file) as sql:
            tables = {name for (name,) in sql.execute("SELECT name FROM sqlite_master")}
            for name in tables & _DAY_OF.keys():
                sql.execute(f"DELETE FROM {name} WHERE {_DAY_OF[name]} < ?", [str(before)])  # noqa: S608 - our own names
            if "runs" in tables:
                _delete_runs(sql, file, before)
        rewrite(file)


def _delete_runs(sql: sqlite3.Connection, file: Path, before: date) -> None:
    old = "SELECT run_id FROM runs WHERE coalesce(end_time, start_time) < ?"
    runs = [name for (name,) in sql.execute(old, [epoch(before)])]
    for name in runs:
        for table in ("run_tags", "runs"):
            sql.execute(f"DELETE FROM {table} WHERE run_id = ?", [name])  # noqa: S608 - our own names
        for events in file.parent.rglob(f"{name}.db*"):
            events.unlink()


def rewrite(file: Path) -> None:
    """Write a database anew, without what was deleted in it."""
    if not file.exists():
        return
    with opened_to_write(file, is_alone=True) as sql:
        sql.execute("VACUUM")
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def forget_people(home: UPath, people: Pseudonyms) -> None:
    """Replace the names of forgotten people in the history, and in what runs have printed."""
    for file in databases(home):
        with opened_to_write(file) as sql:
            for table, column in list(_texts(sql)):
                _replace(sql, table, column, people)
        rewrite(file)
    for file in _printed(home):
        if (after := with_pseudonyms(before := file.read_bytes(), people)) != before:
            replace_file(UPath(file), after)


def forget_everything(home: UPath) -> None:
    """Delete the history: its events are about several connections at once."""
    for name in ("history", "storage", "schedules"):
        remove_folder(home / FOLDER / name)


def _texts(sql: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield every table and column that may hold text."""
    for (table,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for column in sql.execute(f"PRAGMA table_info({table})").fetchall():
            yield table, f'"{column[1]}"'


def _replace(sql: sqlite3.Connection, table: str, column: str, people: Pseudonyms) -> None:
    text = f"SELECT rowid, {column} FROM {table} WHERE typeof({column}) = 'text'"  # noqa: S608 - names of its own
    changed = [
        (after, row)
        for row, before in sql.execute(text)
        if (after := with_pseudonyms(before.encode(), people).decode()) != before
    ]
    sql.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", changed)  # noqa: S608 - as above


def _printed(home: UPath) -> Iterator[Path]:
    """Yield the files of the history that are not databases."""
    if is_local(home):
        for file in (Path(str(one)) for one in files_below(home / FOLDER)):
            if (
                file.is_file()
                and ".db" not in file.suffixes
                and not file.name.endswith(("-wal", "-shm"))
            ):
                yield file
