"""A command that waits can be stopped: at once, with a sentence, and with nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs_tests.org import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = "from openai_costs.cli.process import run; run()"
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


def until(stream: IO[str], words: str) -> str:
    """Read a stream until a line holds some words; return all there was."""
    seen = ""
    for line in stream:
        seen += line
        if words in line:
            return seen
    pytest.fail(f"{words!r} was never said: {seen}")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_backfill_that_waits_for_a_busy_server_ends_at_once_when_it_is_stopped(
    busy: int, tmp_path: Path, stop: signal.Signals
) -> None:
    (tmp_path / "openai_costs.toml").write_text(SETTINGS.format(port=busy), encoding="utf-8")
    days = ("--from", "2026-11-17", "--to", "2026-11-18")
    command = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", COMMAND, "backfill", *days],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "OPENAI_ADMIN_KEY": "sk-admin-sample"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    with command:
        assert command.stdout is not None
        told = until(command.stdout, "attempt 3 of 8")
        command.send_signal(stop)
        more, said = command.communicate(timeout=60)
    assert "attempt" not in more
    assert command.returncode == 130
    assert said.splitlines()[-1].startswith("Stopped. Completed days are saved")
    assert "acme: the server answers 429; trying again in 2 s (attempt 2 of 8)" in told
    assert "stamina" not in told + said
    assert files(tmp_path / "data", "published") == {}
