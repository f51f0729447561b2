"""Records finished headless runs in the instance below the home, so that the Dagster UI shows them.

`dev` opens the same folder. The events that a person looks for are written when the run has ended,
in one transaction for each file. A run that was stopped or killed leaves its tables, and no trace
here: to record years of days takes longer than the system waits for a process that it stops.
Not here: the log a run keeps while it runs (event_log.py), and that of a run in `dev`
(event_files.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import dagster as dg
import sqlalchemy as db
from dagster._core.definitions.data_version import (
    DEFAULT_DATA_VERSION,
    INPUT_DATA_VERSION_TAG_PREFIX,
    INPUT_EVENT_POINTER_TAG_PREFIX,
    NULL_EVENT_POINTER,
    extract_data_version_from_entry,
)
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs.schema import RunsTable, RunTagsTable, SnapshotsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from openai_costs.orchestration.event_files import EventFiles, is_of_all_runs
from openai_costs.orchestration.run_files import run_storage

HISTORY = "history"
"""Where Dagster keeps runs and events below DAGSTER_HOME, unless its settings name another."""

CHECKED = dg.DagsterEventType.ASSET_CHECK_EVALUATION
MADE = dg.DagsterEventType.ASSET_MATERIALIZATION
_STATUS = set(EVENT_TYPE_TO_PIPELINE_RUN_STATUS)
_STEPS = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SKIPPED,
}


def record(run_id: str, ran: dg.DagsterInstance, state: Path) -> None:
    """Copy a finished run, its plan and its events into the instance of a folder.

    Args:
        run_id: The run.
        ran: The instance that it ran in.
        state: The folder of the instance that `dev` opens: its DAGSTER_HOME.
    """
    run = ran.get_run_by_id(run_id)
    if run is None:
        return
    _copy_run(run, cast("SqlRunStorage", ran.run_storage), run_storage(state / HISTORY))
    records = ran.get_records_for_run(run_id, of_type={MADE, CHECKED, *_STATUS, *_STEPS}).records
    files = EventsOfRun(str(state / HISTORY / "runs"))
    try:
        files.store(run_id, records)
    finally:
        files.dispose()


def _copy_run(run: dg.DagsterRun, ran: SqlRunStorage, kept: SqlRunStorage) -> None:
    """Copy a run, its tags, its graph and its plan as they are stored."""
    graph_and_plan = [run.job_snapshot_id, run.execution_plan_snapshot_id]
    with ran.connect() as source, kept.connect() as target:
        for table, of_run in (
            (SnapshotsTable, SnapshotsTable.c.snapshot_id.in_(graph_and_plan)),
            (RunsTable, RunsTable.c.run_id == run.run_id),
            (RunTagsTable, RunTagsTable.c.run_id == run.run_id),
        ):
            columns = [one for one in table.c if one is not table.c.id]
            rows = source.execute(db.select(*columns).where(of_run)).mappings().all()
            if rows:
                another = table.insert().prefix_with("OR IGNORE")  # a graph that an earlier run had
                target.execute(another, [dict(one) for one in rows])


class _Stored(NamedTuple):
    """An event with its row, its id in the index of all runs, and the id it had before."""

    event: dg.EventLogEntry
    row: Mapping[str, Any]
    event_id: int
    id_before: int


class EventsOfRun(EventFiles):
    """An event log that can store the events of a whole run at once."""

    def store(self, run_id: str, records: Sequence[dg.EventLogRecord]) -> None:
        """Store the events of a run that nothing is stored of, all or none."""
        before = {one.asset_entry.asset_key: one for one in self.get_asset_records()}
        with self.both(run_id) as (file, index):
            indexed = [one for one in records if is_of_all_runs(one.event_log_entry)]
            ids = {
                one.storage_id: number for number, one in enumerate(indexed, self.next_id(index))
            }
            for one in records:
                if one.asset_materialization:
                    _name_inputs(one.asset_materialization, before, ids)
            rows = [self._event_to_row(one.event_log_entry) for one in records]
            file.execute(SqlEventLogStorageTable.insert(), rows)
            stored = [
                _Stored(one.event_log_entry, row, ids[one.storage_id], one.storage_id)
                for one, row in zip(records, rows, strict=True)
                if one.storage_id in ids
            ]
            if not stored:
                return
            index.execute(
                SqlEventLogStorageTable.insert(),
                [{**one.row, "id": one.event_id} for one in stored],
            )
            made = [one for one in stored if one.event.dagster_event_type is MADE]
            self.index_assets(
                index, [one.event for one in stored], [one.event_id for one in stored]
            )
            checked = [one for one in stored if one.event.dagster_event_type is CHECKED]
            if checked:
                index.execute(AssetCheckExecutionsTable.insert(), list(_verdicts(checked, made)))


def _name_inputs(
    made: dg.AssetMaterialization,
    before: Mapping[dg.AssetKey, AssetRecord],
    ids: Mapping[int, int],
) -> None:
    """Say what an asset was made of, with the ids and versions of the folder that it is stored in.

    In memory, a run knows no materialization of another run: Dagster would call the asset unsynced.
    """
    tags = made.tags if isinstance(made.tags, dict) else {}
    for name in [tag for tag in tags if tag.startswith(f"{INPUT_EVENT_POINTER_TAG_PREFIX}/")]:
        path = name.removeprefix(f"{INPUT_EVENT_POINTER_TAG_PREFIX}/")
        newest = before.get(dg.AssetKey.from_user_string(path))
        entry = newest.asset_entry.last_materialization_record if newest else None
        if tags[name] != NULL_EVENT_POINTER:
            tags[name] = str(ids.get(int(tags[name]), 0))
        elif entry:
            tags[name] = str(entry.storage_id)
            version = extract_data_version_from_entry(entry.event_log_entry) or DEFAULT_DATA_VERSION
            tags[f"{INPUT_DATA_VERSION_TAG_PREFIX}/{path}"] = version.value


def _verdicts(checked: Iterable[_Stored], made: Iterable[_Stored]) -> Iterator[dict[str, Any]]:
    """Yield the rows of verdicts, each with the new id of the materialization that it judges.

    A step that was tried again has judged twice: the last verdict counts, as in Dagster.
    """
    ids = {one.id_before: one.event_id for one in made}
    last: dict[tuple[dg.AssetKey, str, str | None], tuple[_Stored, dg.AssetCheckEvaluation]] = {}
    for one in checked:
        judged = one.event.get_dagster_event().asset_check_evaluation_data
        last[judged.asset_key, judged.check_name, judged.partition] = one, judged
    for one, evaluation in last.values():
        target = evaluation.target_materialization_data
        yield {
            "asset_key": evaluation.asset_key.to_string(),
            "check_name": evaluation.check_name,
            "partition": evaluation.partition,
            "run_id": one.event.run_id,
            "execution_status": "SUCCEEDED" if evaluation.passed else "FAILED",
            "evaluation_event": one.row["event"],
            "evaluation_event_timestamp": one.row["timestamp"],
            "evaluation_event_storage_id": one.event_id,
            "materialization_event_storage_id": ids.get(target.storage_id) if target else None,
        }
