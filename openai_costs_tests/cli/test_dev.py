"""`openai-costs dev` ends what it started, whoever stops it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from openai_costs.cli.dev import Address, start
from openai_costs.kernel.errors import SettingsError

ROOT: Final = Path(__file__).parents[2]
PARENT: Final = """
import os, sys
from openai_costs.cli.dev import run_until_stopped
sys.exit(run_until_stopped([sys.executable, "-c", sys.argv[1]], dict(os.environ)))
"""
CHILD: Final = """
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(os.getpid(), grandchild.pid, flush=True)
time.sleep(300)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_all_processes_that_dev_started_end_with_it(number: int) -> None:
    command = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as wrapper:  # noqa: S603 - ours
        assert wrapper.stdout is not None
        started = [int(pid) for pid in wrapper.stdout.readline().split()]
        assert all(map(is_running, started))
        os.kill(wrapper.pid, number)
        assert wrapper.wait(60) == 130
    limit = time.monotonic() + 30
    while any(map(is_running, started)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert not any(map(is_running, started))


def test_the_exit_code_is_that_of_dagster_when_it_ends_by_itself() -> None:
    command = [sys.executable, "-c", PARENT, "import sys; sys.exit(3)"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 3  # noqa: S603 - ours


def test_a_port_in_use_is_a_sentence_and_starts_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Address(port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match=r"cannot be used .*Choose another with --port"):
            start(str(tmp_path / "home"), is_demo=False, address=address)
    assert not (tmp_path / "home").exists()


def test_an_address_is_written_as_a_browser_takes_it() -> None:
    assert str(Address()) == "http://127.0.0.1:3000"
    assert str(Address("::1", 3001)) == "http://[::1]:3001"
