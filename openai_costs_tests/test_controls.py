"""docs/controls.md: each promise has a test and a command that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from typer.main import get_command

from openai_costs.cli.commands import app

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "controls.md").read_text("utf-8")
ROWS: Final = [
    row
    for row in re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    if row[0] != "promise"
]


def test_there_is_a_row_for_each_promise() -> None:
    assert len(ROWS) == len(re.findall(r"^\| (?!promise)", PAGE, re.MULTILINE)) > 20


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_promise_has_a_test_and_a_command_that_exist(row: tuple[str, str, str]) -> None:
    _, tests, shown = row
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", tests)
    assert named, tests
    for file, test in named:
        text = (ROOT / "openai_costs_tests" / file).read_text("utf-8")
        assert re.search(rf"^def {test}\(", text, re.MULTILINE), test
    commands = re.findall(r"`openai-costs ([a-z-]+)((?: [\w-]+)*)`", shown)
    assert commands, shown
    known = getattr(get_command(app), "commands", {})
    for command, options in commands:
        there = {option for one in known[command].params for option in one.opts}
        assert set(re.findall(r"--[a-z-]+", options)) <= there
