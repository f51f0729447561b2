"""Rows that are made for many events are those that Dagster makes for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import deserialize_value

from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.event_rows import OWN, rows_of
from openai_costs_tests.orchestration.test_event_files import message
from openai_costs_tests.orchestration.test_event_log import RANGE, RUN, graph
from openai_costs_tests.org import QUIET, calm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def events() -> list[dg.EventLogEntry]:
    """What a run tells in which an asset fails, and a line that looks like a part of an event."""
    with calm(), unrecorded() as instance:
        graph().resolve_job_def("all").execute_in_process(
            instance=instance, run_id=RUN, tags=RANGE, run_config=QUIET, raise_on_error=False
        )
        told = [one.event_log_entry for one in instance.get_records_for_run(RUN).records]
    return [*told, message(f'{OWN} "{OWN}" \\ é'), message("one more"), *told[:2]]


def test_a_row_is_the_one_that_dagster_makes(
    events: list[dg.EventLogEntry], tmp_path: Path
) -> None:
    dagsters = SqliteEventLogStorage(str(tmp_path))
    rows = [dagsters._event_to_row(one) for one in events]  # noqa: SLF001 - what is replaced
    assert list(rows_of(events)) == rows
    kinds = {one.dagster_event_type for one in events}
    assert {
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
        dg.DagsterEventType.STEP_FAILURE,
        None,
    } <= kinds


def test_dagster_reads_the_events_again(events: list[dg.EventLogEntry]) -> None:
    assert [deserialize_value(row["event"], dg.EventLogEntry) for row in rows_of(events)] == events
