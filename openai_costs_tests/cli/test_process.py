from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

RUN: Final = """
import atexit, sys, threading, time, types

def main():
    print("printed")
    threading.Thread(target=late).start()
    {ending}

def late():
    time.sleep(0.2)
    print("written by a thread")

sys.modules["openai_costs.cli.commands"] = types.SimpleNamespace(main=main)
atexit.register(print, "registered for the end")
from openai_costs.cli.process import run
run()
"""
LOADED: Final = """
import sys
import openai_costs.cli.commands
print(*{"dagster", "duckdb", "polars"} & sys.modules.keys())
"""
EVERYTHING: Final = "printed\nwritten by a thread\nregistered for the end\n"
SAID: Final = {">&-": EVERYTHING, "2>&-": "a warning\n"}
"""What a process prints, by what closes the stream for it."""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(False)", 0),
        ("sys.exit(1)", 1),
        ("sys.exit(130)", 130),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_a_process_ends_with_the_code_of_its_command_when_everything_is_written(
    ending: str, code: int
) -> None:
    done = run(RUN.format(ending=ending))
    assert (done.returncode, done.stdout, done.stderr) == (code, EVERYTHING, "")


def test_a_defect_of_ours_ends_the_process_with_its_trace() -> None:
    done = run(RUN.format(ending="raise RuntimeError('a defect')"))
    assert (done.returncode, done.stdout) == (1, EVERYTHING)
    assert "Traceback" in done.stderr
    assert "RuntimeError: a defect" in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_process_whose_streams_are_closed_ends_as_any_other(closed: str) -> None:
    printing = RUN.format(ending="print('a warning', file=sys.stderr); assert not sys.stdin.read()")
    command = f'exec "$0" -c "$1" {closed}'
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/sh", "-c", command, sys.executable, printing],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said, warned = ("" if one in closed.split() else text for one, text in SAID.items())
    assert (done.returncode, done.stdout, done.stderr) == (0, said, warned)


def test_what_lists_the_commands_loads_no_engine() -> None:
    assert run(LOADED).stdout.split() == []
