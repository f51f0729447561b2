"""A command that waits can be stopped: at once, with a sentence, and with nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs.cli.process import run
from openai_costs_tests.org import files
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

BUSY: Final = """
import http.server

class Busy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(429)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
print(server.server_port, flush=True)
server.serve_forever()
"""
BACKFILL: Final = ("backfill", "--from", "2026-11-17", "--to", "2026-11-18")
SETTINGS: Final = """
[[connections]]
name = "acme"
start = 2026-11-17
base_url = "http://127.0.0.1:{port}/v1"
"""


@pytest.fixture
def busy() -> Iterator[int]:
    """The port of a server that answers 429 forever."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as server:  # noqa: S603 - ours
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


def command(folder: str, *words: str) -> None:
    """One process of its own: the command, as a shell runs it where Ctrl-C is heard."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({"PATH": os.defpath, "OPENAI_ADMIN_KEY": "sk-admin-sample"})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), stream)
    sys.argv = ["openai-costs", *words]
    run()


def wait_until(process: ForkServerProcess, file: Path, words: str) -> None:
    """Wait until a process has said some words."""
    while not file.exists() or words not in file.read_text(encoding="utf-8"):
        process.join(0.05)
        assert process.is_alive(), f"{words!r} was never said"


def stop(process: ForkServerProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == 130, number.name


def test_a_backfill_that_waits_for_a_busy_server_ends_at_once_when_it_is_stopped(
    busy: int, tmp_path: Path
) -> None:
    stops = {tmp_path / stop.name: stop for stop in (signal.SIGINT, signal.SIGTERM)}
    commands: dict[Path, ForkServerProcess] = {}
    for folder in stops:
        folder.mkdir()
        (folder / "openai_costs.toml").write_text(SETTINGS.format(port=busy), encoding="utf-8")
        commands[folder] = started(command, str(folder), *BACKFILL)
    for folder, process in commands.items():
        wait_until(process, folder / "out", "attempt 2 of 8")
        told = (folder / "out").read_text(encoding="utf-8")
        stop(process, stops[folder])
        more = (folder / "out").read_text(encoding="utf-8").removeprefix(told)
        said = (folder / "err").read_text(encoding="utf-8")
        assert "attempt" not in more, folder
        assert said.splitlines()[-1].startswith("Stopped. Completed days are saved"), folder
        assert "acme: the server answers 429; trying again in 2 s (attempt 2 of 8)" in told
        assert "stamina" not in told + more + said
        assert files(folder / "data", "published") == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_server_of_ours_says_that_it_was_stopped(number: signal.Signals, tmp_path: Path) -> None:
    served = started(command, str(tmp_path), "sample-api", "--port", "0", "--days", "7")
    wait_until(served, tmp_path / "out", "listening on")
    stop(served, number)
    assert (tmp_path / "err").read_text(encoding="utf-8") == ""
