"""Queues runs of `dev` again whose processes are gone: a machine that went down, a killed daemon.

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
    """Put runs that were interrupted back into the queue, from which Dagster's daemon starts them.

    Args:
        instance: Of Dagster that is not running.
        say: Takes a line for a person.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=_INTERRUPTED)):
        is_of_daemon = run.remote_job_origin is not None  # no other run waits in the queue
        if not is_of_daemon or any(map(_is_running, _processes(instance, run.run_id))):
            continue
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        text = "The process of this run is gone: the run begins again."
        kind = dg.DagsterEventType.PIPELINE_ENQUEUED.value
        instance.report_dagster_event(dg.DagsterEvent(kind, run.job_name, message=text), run.run_id)
        say(f"Run {run.run_id[:8]} of {run.job_name} was interrupted: it begins again.")


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
