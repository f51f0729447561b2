"""Files that stay open have what Dagster's own event log writes, and others see it at once."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.instance import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage

from openai_costs.cli.dev import write_instance
from openai_costs.orchestration.event_files import MOST_OPEN, EventFiles
from openai_costs.orchestration.home_instance import HomeInstance
from openai_costs_tests.orchestration.test_event_log import RUN, events

if TYPE_CHECKING:
    from pathlib import Path


def opened(state: Path) -> dg.DagsterInstance:
    """The instance that `dev` has in a folder."""
    state.mkdir(exist_ok=True)
    write_instance(state)
    return dg.DagsterInstance.from_config(str(state))


def message(text: str, run_id: str = RUN, event: dg.DagsterEvent | None = None) -> dg.EventLogEntry:
    """One line of a run."""
    return dg.EventLogEntry(
        error_info=None,
        level=20,
        user_message=text,
        run_id=run_id,
        timestamp=1.0,
        dagster_event=event,
    )


def lines(files: SqliteEventLogStorage, run_id: str = RUN) -> list[str]:
    """What is stored of a run."""
    return [one.user_message for one in files.get_logs_for_run(run_id)]


def counts(state: Path) -> dict[str, int]:
    """The rows of every table of the index of all runs, and of the file of the run."""
    found = {}
    for name in ("index", RUN):
        with closing(sqlite3.connect(state / "history" / "runs" / f"{name}.db")) as sql:
            tables = sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                rows = sql.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - of Dagster
                found[f"{name} {table}"] = rows[0]
    return found


def test_a_run_stores_what_it_stores_in_dagsters_own_files(tmp_path: Path) -> None:
    theirs = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path)))
    instance = opened(tmp_path / "ours")
    assert isinstance(instance, HomeInstance)
    assert events(instance) == events(theirs)
    assert counts(tmp_path / "ours") == counts(tmp_path)


def test_a_home_of_before_gets_the_open_files_and_changed_settings_stay(tmp_path: Path) -> None:
    settings = tmp_path / "dagster.yaml"
    write_instance(tmp_path)
    written = settings.read_text("utf-8")
    head, _, rest = written.partition("instance_class:\n")
    before = head + rest[rest.index("concurrency:") :]
    settings.write_text(before, "utf-8")
    write_instance(tmp_path)
    assert settings.read_text("utf-8") == written
    settings.write_text(f"{before}# mine\n", "utf-8")
    write_instance(tmp_path)
    assert settings.read_text("utf-8") == f"{before}# mine\n"


@pytest.fixture
def files(tmp_path: Path) -> Any:  # noqa: ANN401 - a generator of one
    kept = EventFiles(str(tmp_path))
    yield kept
    kept.dispose()


def test_events_that_are_stored_at_once_are_stored_all_or_none(
    files: EventFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    start = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "all")
    events = [message("one"), message("two", event=start)]
    with monkeypatch.context() as patched:
        patched.setattr(files, "index_assets", full)
        with pytest.raises(sqlite3.OperationalError):
            files.store_event_batch(events)
    assert lines(files) == []
    files.store_event_batch(events)
    assert lines(files) == ["one", "two"]
    started = files.fetch_run_status_changes(dg.DagsterEventType.RUN_START, limit=9).records
    assert [one.run_id for one in started] == [RUN]


def test_dagsters_own_event_log_reads_and_writes_beside_it(
    files: EventFiles, tmp_path: Path
) -> None:
    theirs = SqliteEventLogStorage(str(tmp_path))
    files.store_event(message("ours"))
    theirs.store_event(message("theirs"))
    assert lines(files) == lines(theirs) == ["ours", "theirs"]


def test_a_file_that_is_taken_away_begins_again(files: EventFiles, tmp_path: Path) -> None:
    files.store_event(message("one"))
    for file in tmp_path.glob(f"{RUN}.db*"):
        file.unlink()
    files.store_event(message("two"))
    assert lines(files) == ["two"]


def test_few_files_stay_open_and_none_at_the_end(files: EventFiles, tmp_path: Path) -> None:
    runs = [f"{RUN}-{number}" for number in range(MOST_OPEN + 3)]
    for one in runs:
        files.store_event(message("one", one))
    assert len(list(tmp_path.glob("*-wal"))) <= MOST_OPEN
    assert [lines(files, one) for one in runs] == [["one"]] * len(runs)
    files.dispose()
    assert not list(tmp_path.glob("*-wal"))


def test_the_ui_sees_an_event_while_its_file_stays_open(files: EventFiles, tmp_path: Path) -> None:
    seen: list[str] = []
    files.store_event(message("before"))
    reader = EventFiles(str(tmp_path))
    reader.watch(RUN, None, lambda event, _: seen.append(event.user_message))
    files.store_event(message("after"))
    limit = time.monotonic() + 20
    while len(seen) < 2 and time.monotonic() < limit:
        time.sleep(0.02)
    reader.dispose()
    assert seen == ["before", "after"]


def test_columns_that_were_there_are_not_looked_for_again(
    files: EventFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert files.has_asset_key_index_cols()
    monkeypatch.setattr("sqlalchemy.inspect", lambda _: pytest.fail("they are looked for"))
    assert files.has_asset_key_index_cols()
