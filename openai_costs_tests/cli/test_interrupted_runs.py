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


def test_beside_another_dagster_of_the_same_home_no_run_counts_as_interrupted(
    tmp_path: Path,
) -> None:
    with only_dagster_of(tmp_path) as first, only_dagster_of(tmp_path) as second:
        assert (first, second) == (True, False)
    with only_dagster_of(tmp_path) as alone:
        assert alone
