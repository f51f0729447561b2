"""`openai-costs dev` ends what it started, whoever stops it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

import openai_costs
from openai_costs.cli import dev
from openai_costs.cli.dev import (
    CLASS,
    FREES_SLOTS,
    HEAD,
    SETTINGS,
    Address,
    run_until_stopped,
    start,
    write_instance,
)
from openai_costs.kernel.errors import SettingsError
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHILD: Final = """
import os, subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
with open(sys.argv[1], "w") as pids:
    print(os.getpid(), grandchild.pid, file=pids)
time.sleep(300)
"""


def run_child(pids: str) -> None:
    """One process of its own: run a command until it is stopped, as `dev` does."""
    sys.exit(run_until_stopped([sys.executable, "-c", CHILD, pids], dict(os.environ)))


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see processes")
def test_all_processes_that_dev_started_end_with_it(number: int, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    wrapper = started(run_child, str(pids))
    assert comes_true(lambda: pids.exists() and pids.read_text(encoding="utf-8").endswith("\n"))
    those = [int(pid) for pid in pids.read_text(encoding="utf-8").split()]
    assert len(those) == 2
    assert all(map(is_running, those))
    assert wrapper.pid is not None
    os.kill(wrapper.pid, number)
    wrapper.join(60)
    assert wrapper.exitcode == 130
    assert comes_true(lambda: not any(map(is_running, those)))


def comes_true(what: Callable[[], bool]) -> bool:
    limit = time.monotonic() + 60
    while not what() and time.monotonic() < limit:
        time.sleep(0.05)
    return what()


@pytest.fixture
def _handlers() -> Iterator[None]:
    """What a test does to the handlers of signals ends with it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_handlers")
def test_the_exit_code_is_that_of_dagster_when_it_ends_by_itself() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert run_until_stopped(command, dict(os.environ)) == 3


@pytest.mark.parametrize(
    ("of_dagster", "of_dev"),
    [(1, 1), (0, 1), (130, 130)],
    ids=["it failed", "its daemon was killed", "it was stopped"],
)
def test_a_dagster_that_ended_by_itself_is_a_sentence_after_its_trace_and_a_failure(
    of_dagster: int, of_dev: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(dev, "run_until_stopped", lambda *_: of_dagster)
    monkeypatch.setattr(dev, "refuse_taken", lambda _: None)
    home = str(tmp_path / "home")
    assert start(home, is_demo=False, address=Address(), say=lines.append) == of_dev
    assert any(line.startswith("Dagster ended by itself: ") for line in lines) == (of_dev == 1)


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


@pytest.mark.parametrize("of_before", [HEAD, HEAD + CLASS], ids=["the first", "with a class"])
def test_an_instance_that_an_older_version_wrote_gets_what_frees_slots(
    of_before: str, tmp_path: Path
) -> None:
    instance = tmp_path / "dagster.yaml"
    instance.write_text(of_before + SETTINGS.replace(FREES_SLOTS, ""), encoding="utf-8")
    write_instance(tmp_path)
    assert FREES_SLOTS in instance.read_text(encoding="utf-8")


def test_an_instance_that_its_owner_changed_stays_as_it_is(tmp_path: Path) -> None:
    instance = tmp_path / "dagster.yaml"
    changed = HEAD + CLASS + SETTINGS.replace("14400", "600")
    instance.write_text(changed, encoding="utf-8")
    write_instance(tmp_path)
    assert instance.read_text(encoding="utf-8") == changed


def test_the_instance_of_a_checkout_has_the_settings_of_dev() -> None:
    of_checkout = Path(openai_costs.__file__).parents[1] / "dagster.yaml"
    ours, there = yaml.safe_load(SETTINGS), yaml.safe_load(of_checkout.read_text(encoding="utf-8"))
    assert {name: there.get(name) for name in ours} == ours
    assert ours["run_monitoring"]["free_slots_after_run_end_seconds"] == 30
