from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from fcntl import LOCK_EX, flock
from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.storage import locks
from openai_costs.storage.archive import Archive, set_aside
from openai_costs.storage.future_days import set_future_days_aside
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import LockHeld, held, no_writers, writing
from openai_costs.storage.renamed import rename_connection
from openai_costs.storage.withdrawal import withdraw
from openai_costs_tests.storage.test_archive import DAY, day_read

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Lock = Callable[[Path], AbstractContextManager[None]]

OF_ACME = ("openai", "acme", "costs")

HOLD = """
import sys
from pathlib import Path
from openai_costs.storage.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_waiting_for_a_lock_is_reported_once_and_has_an_end_that_says_who_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.01)
    lock = tmp_path / "table" / ".lock"
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with (
            pytest.raises(LockHeld, match=rf"table is in use by process {other.pid} on .* since"),
            held(lock, seconds=0.1),
        ):
            pass
        other.communicate(b"")
    (message,) = caplog.messages
    assert f"table, which is in use by process {other.pid} on " in message
    with held(lock, seconds=5):
        assert f'"process": {os.getpid()}' in (tmp_path / "table/.lock.holder").read_text()
    assert not (tmp_path / "table/.lock.holder").exists()


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="only Linux lists all locks")  # noqa: PTH110 - asked once
@pytest.mark.parametrize(
    ("holding", "waiting"), [(writing, no_writers), (no_writers, writing)], ids=["some", "one"]
)
def test_waiting_for_the_home_has_an_end_that_says_who_holds_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    holding: Lock,
    waiting: Lock,
) -> None:
    monkeypatch.setattr(locks, "LONGEST_SECONDS", 0.1)
    monkeypatch.setattr(locks, "QUIET_SECONDS", 0.01)
    with holding(tmp_path):
        monkeypatch.setattr(locks, "_alone", set())  # as another process sees it
        with (
            pytest.raises(LockHeld, match=rf"is in use by process {os.getpid()} on "),
            waiting(tmp_path),
        ):
            pass
    (message,) = caplog.messages
    assert message.startswith(
        f"Waiting for {tmp_path}, which is in use by process {os.getpid()} on "
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda home: rename_connection(home, "openai", "acme", "bolt"),
        lambda home: withdraw(Lake(home), "acme", {DAY: Archive(home).reads(*OF_ACME, DAY)}),
        lambda home: set_future_days_aside(home, DAY - timedelta(days=1)),
        lambda home: Lake(home).remove_slices("connection = 'acme'"),
        lambda home: set_aside(*Archive(home).reads(*OF_ACME, DAY), "_of_another_account"),
    ],
    ids=["renamed", "withdrawn", "in the future", "removed", "taken back"],
)
def test_nothing_is_taken_away_while_another_process_is_alone(
    change: Callable[[UPath], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = UPath(tmp_path)
    Archive(home).keep(day_read())
    kept = Archive(home).reads(*OF_ACME, DAY)
    monkeypatch.setattr(locks, "LONGEST_SECONDS", 0.1)
    with (tmp_path / locks.WRITERS).open("w") as other:
        flock(other, LOCK_EX)
        with pytest.raises(LockHeld):
            change(home)
        assert Archive(home).reads(*OF_ACME, DAY) == kept
    change(home)
