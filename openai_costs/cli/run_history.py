"""Where a headless run is recorded: in the instance of DAGSTER_HOME, or below the home at its end.

Not here: running anything (backfill.py), how events are written (orchestration/recording.py).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from openai_costs.cli.dev import STATE
from openai_costs.cli.progress import Say
from openai_costs.kernel.days import utc_now
from openai_costs.kernel.errors import SettingsError
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.pruning import prune_history
from openai_costs.orchestration.recording import record
from openai_costs.settings.load import has_dagster_home
from openai_costs.storage.files import SET_ASIDE, is_local, place, set_file_aside
from openai_costs.storage.sqlite_files import opened_to_read


@contextmanager
def instance_of_runs() -> Iterator[dg.DagsterInstance]:
    """Yield the instance of DAGSTER_HOME, so that its UI shows the run, or one in memory.

    Raises:
        SettingsError: The instance of DAGSTER_HOME cannot be opened.
    """
    if not has_dagster_home():
        with unrecorded() as instance:
            yield instance
        return
    try:
        recorded = dg.DagsterInstance.get()
    except Exception as broken:  # whatever its storage raises: a file, a schema, a setting
        why = f"The Dagster instance in DAGSTER_HOME cannot be used: {broken}"
        raise SettingsError(f"{why}. Fix it, or unset DAGSTER_HOME.") from broken
    with recorded as instance:
        yield instance


def leave_trace(run_id: str, instance: dg.DagsterInstance, home: str, say: Say) -> None:
    """Record a finished run in the folder that `dev` opens; an object store has none.

    The tables are made: what goes wrong here is reported, and fails nothing.

    Args:
        run_id: The run.
        instance: The instance that it ran in; one that keeps its runs itself is left alone.
        home: The home.
        say: Takes a line for a person.
    """
    folder = place(home)
    if instance.is_persistent or not is_local(folder):
        return
    state = Path(str(folder)) / STATE
    try:
        _recorded(run_id, instance, state, say)
        prune_history(folder, utc_now())
    except (OSError, SQLAlchemyError, sqlite3.Error) as fault:
        say(f"The run is done. The Dagster UI will not show it: {fault}")


def _recorded(run_id: str, instance: dg.DagsterInstance, state: Path, say: Say) -> None:
    """Record a run; a history that is damaged is set aside, and another begins with this run."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        record(run_id, instance, state)
    except (SQLAlchemyError, sqlite3.Error):
        if not damaged_databases(state):
            raise
        aside = set_file_aside(place(str(state)), place(str(state.parent)) / SET_ASIDE)
        say(f"Dagster's history in {state} is damaged. It is in {aside} now, and a new one begins.")
        state.mkdir(parents=True)
        record(run_id, instance, state)


def damaged_databases(state: Path) -> list[str]:
    """Return which databases of Dagster's history are damaged, in sentences.

    One that is in use, or that this machine cannot read now, may be sound.
    """
    found = []
    for file in sorted(one for one in state.rglob("*.db") if one.is_file()):
        try:
            with closing(opened_to_read(file)) as opened:
                [(verdict,), *_] = opened.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.OperationalError:
            continue
        except sqlite3.Error as damage:
            verdict = str(damage)
        if verdict != "ok":
            found.append(f"{file} is damaged: {verdict}")
    return found
