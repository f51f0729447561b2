"""The demo, made once for all tests that look at what it tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs.cli.demo import demo
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs_tests.org import calm

if TYPE_CHECKING:
    from pathlib import Path

DEMO_NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def told_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, str]:
    """The lake of the demo of 120 days, and what it said."""
    said: list[str] = []
    home: Path = tmp_path_factory.mktemp("demo") / "home"
    with calm():
        demo(home, days=120, seed=7, clock=lambda: DEMO_NOON, say=said.append)
    return Lake(place(str(home))), "\n".join(said)
