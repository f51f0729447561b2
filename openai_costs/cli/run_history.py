"""Where a headless run is recorded: in the instance of DAGSTER_HOME, or below the home at its end.

Not here: running anything (backfill.py), how events are written (orchestration/recording.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from openai_costs.cli.dev import STATE
from openai_costs.cli.run_output import Say
from openai_costs.kernel.errors import SettingsError
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.recording import record
from openai_costs.settings.load import has_dagster_home
from openai_costs.storage.files import is_local, place


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
        state.mkdir(parents=True, exist_ok=True)
        record(run_id, instance, state)
    except (OSError, SQLAlchemyError) as fault:
        say(f"The run is done. The Dagster UI will not show it: {fault}")
