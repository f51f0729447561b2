from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import openai_costs.cli
from openai_costs.cli.terminal import say

if TYPE_CHECKING:
    import pytest

COMMANDS = Path(openai_costs.cli.__file__).parent


def test_what_a_terminal_would_obey_is_shown_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    say("Ada\x1b]0;owned\x07 \x1b[2J\u202egnp")
    shown = capsys.readouterr().out
    assert shown == "Ada<U+001B>]0;owned<U+0007> <U+001B>[2J<U+202E>gnp\n"


def test_a_reader_that_has_seen_enough_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        monkeypatch.setattr("sys.stdout", closed)
        say("one")
        say("two")
        assert os.path.samestat(os.fstat(writer), os.stat(os.devnull))  # noqa: PTH116 - of two files


def test_there_is_one_door_to_a_terminal_beside_json_for_programs() -> None:
    printing = re.compile(r"typer\.echo(?!\(json\.dumps\()|\bprint\(|sys\.stdout\.write")
    doors = {file.name for file in COMMANDS.glob("*.py") if printing.search(file.read_text())}
    assert doors == {"terminal.py"}
