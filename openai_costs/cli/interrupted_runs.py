"""Queues runs of `dev` again whose processes are gone: a machine that went down, a killed daemon.

Whatever such a run, or one that has ended, still holds in a pool, others wait for: it is freed.

Dagster itself notices them by its timeouts: after half an hour, or after hours, and lets them fail.
A day that is read again gives the same tables, so such a run begins again, and a backfill that it
belongs to ends as if nothing had happened. Not here: starting Dagster (dev.py).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import dagster as dg

LOCK = "dev.lock"
_INTERRUPTED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@contextmanager
def only_dagster_of(state: Path) -> Iterator[bool]:
    """Hold the lock of an instance's folder while Dagster runs; give whether no other holds it."""
    with (state / LOCK).open("w") as opened:
        is_ours = False
        with suppress(OSError):
            flock(opened, LOCK_EX | LOCK_NB)
            is_ours = True
        yield is_ours


def queue_again(instance: dg.DagsterInstance, say: Callable[[str], None]) -> None:
    """Free the slots that no run needs any more, and put runs that were interrupted in the queue.

    Args:
        instance: Of Dagster that is not running.
        say: Takes a line for a person.
    """
    _free_slots(instance)
    for run in instance.get_runs(dg.RunsFilter(statuses=_INTERRUPTED)):
        is_of_daemon = run.remote_job_origin is not None  # no other run waits in the queue
        if not is_of_daemon or _has_process(instance, run.run_id):
            continue
        text = "The process of this run is gone: the run begins again."
        kind = dg.DagsterEventType.PIPELINE_ENQUEUED.value
        instance.report_dagster_event(dg.DagsterEvent(kind, run.job_name, message=text), run.run_id)
        say(f"Run {run.run_id[:8]} of {run.job_name} was interrupted: it begins again.")


def _free_slots(instance: dg.DagsterInstance) -> None:
    """Free the slots in pools of runs that have ended, were deleted, or have no process."""
    log = instance.event_log_storage
    for run_id in log.get_concurrency_run_ids():
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished or not _has_process(instance, run_id):
            log.free_concurrency_slots_for_run(run_id)


def _has_process(instance: dg.DagsterInstance, run_id: str) -> bool:
    return any(map(_is_running, _processes(instance, run_id)))


def _processes(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    """Yield the processes that have worked on a run, as its events name them."""
    for event in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        pid = event.get_dagster_event().engine_event_data.metadata.get("pid")
        if pid and str(pid.value).isdecimal():
            yield int(str(pid.value))


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another account's: the number was given away again
        return False
    return True
