"""Runs whose processes are gone begin again when `dev` is started again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

from openai_costs.cli.interrupted_runs import only_dagster_of, queue_again

if TYPE_CHECKING:
    from pathlib import Path

Status = dg.DagsterRunStatus
HERE = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository")
GONE = 2**22 + 1
"""A number that Linux and macOS give to no process."""


def after_a_start(status: Status, pid: int) -> tuple[Status, list[str]]:
    """The status of a run that this process worked on, and what is printed about it."""
    lines: list[str] = []
    run = dg.DagsterRun(
        "refresh",
        run_id="1234567890",
        status=status,
        remote_job_origin=RemoteJobOrigin(HERE, "refresh"),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(run)
        instance.report_engine_event("Executing", run, EngineEventData.in_process(pid))
        queue_again(instance, lines.append)
        after = instance.get_run_by_id(run.run_id)
    assert after
    return after.status, lines


@pytest.mark.parametrize("status", [Status.NOT_STARTED, Status.STARTING, Status.STARTED])
def test_a_run_without_a_process_is_queued_again(status: Status) -> None:
    lines = ["Run 12345678 of refresh was interrupted: it begins again."]
    assert after_a_start(status, GONE) == (Status.QUEUED, lines)


@pytest.mark.parametrize(
    ("status", "pid"),
    [(Status.STARTED, os.getpid()), (Status.SUCCESS, GONE), (Status.FAILURE, GONE)],
    ids=("its process lives", "it succeeded", "it failed"),
)
def test_a_run_that_goes_on_or_has_ended_is_left_alone(status: Status, pid: int) -> None:
    assert after_a_start(status, pid) == (status, [])


def slots_after_a_start(status: Status | None, pid: int) -> int:
    """The claimed slots of a pool, after a run of a status claimed one; None: it was deleted."""
    with dg.DagsterInstance.ephemeral() as instance:
        log = instance.event_log_storage
        log.set_concurrency_slots("openai_api", 1)
        log.claim_concurrency_slot("openai_api", "1234567890", "raw__openai_costs")
        if status is not None:
            run = dg.DagsterRun("refresh", run_id="1234567890", status=status)
            instance.add_run(run)
            instance.report_engine_event("Executing", run, EngineEventData.in_process(pid))
        queue_again(instance, lambda _: None)
        return log.get_concurrency_info("openai_api").active_slot_count


@pytest.mark.parametrize(
    ("status", "pid"),
    [(Status.FAILURE, GONE), (Status.CANCELED, os.getpid()), (Status.STARTED, GONE), (None, GONE)],
    ids=("it failed", "it was canceled", "its process is gone", "it was deleted"),
)
def test_a_slot_that_no_run_needs_any_more_is_free_for_the_next(
    status: Status | None, pid: int
) -> None:
    assert slots_after_a_start(status, pid) == 0


def test_a_run_that_goes_on_keeps_its_slot() -> None:
    assert slots_after_a_start(Status.STARTED, os.getpid()) == 1


def test_beside_another_dagster_of_the_same_home_no_run_counts_as_interrupted(
    tmp_path: Path,
) -> None:
    with only_dagster_of(tmp_path) as first, only_dagster_of(tmp_path) as second:
        assert (first, second) == (True, False)
    with only_dagster_of(tmp_path) as alone:
        assert alone
