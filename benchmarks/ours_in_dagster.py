"""This project as it runs in production: the `refresh` job over all days, in this process."""

import logging
import tempfile
from pathlib import Path

import dagster as dg
import duckdb
from ours import days_of, settings_for, stored_total
from work import Outcome, Task

from openai_costs.cli.dev import write_instance
from openai_costs.definitions import build_defs
from openai_costs.orchestration.jobs import REFRESH, range_tags


def through_dagster(task: Task) -> Outcome:
    """Execute the refresh job once for the whole range, with its events kept on disk."""
    logging.disable(logging.INFO)
    definitions = build_defs(settings_for(task))
    with (
        tempfile.TemporaryDirectory(dir=task.home) as folder,
        instance_of_dev(Path(folder)) as instance,
    ):
        job = definitions.resolve_job_def(REFRESH)
        done = job.execute_in_process(instance=instance, tags=range_tags(days_of(task)))
    if not done.success:
        raise SystemExit("The refresh job failed.")
    return Outcome(rows_of(task.home), lambda: stored_total(task.home))


def instance_of_dev(state: Path) -> dg.DagsterInstance:
    """Return the instance that `openai-costs dev` has."""
    write_instance(state)
    return dg.DagsterInstance.from_config(str(state))


def rows_of(home: Path) -> int:
    """Return the rows of the published ledger."""
    with duckdb.connect(home / "published" / "openai_costs.duckdb", read_only=True) as sql:
        return int(sql.sql("SELECT count(*) FROM core.spend").fetchall()[0][0])
