from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openai_costs.storage import locks
from openai_costs.storage.locks import LockHeld, held, no_writers, writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    Lock = Callable[[Path], AbstractContextManager[None]]

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
