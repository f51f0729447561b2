from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from openai_costs.storage.locks import LockHeld, held

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from openai_costs.storage.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_waiting_for_a_lock_has_an_end_that_says_who_holds_it(tmp_path: Path) -> None:
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
    with held(lock, seconds=5):
        assert f'"process": {os.getpid()}' in (tmp_path / "table/.lock.holder").read_text()
    assert not (tmp_path / "table/.lock.holder").exists()
