"""The demo, made once for all tests that look at what it tells."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

from openai_costs.cli.backfill import Headless
from openai_costs.cli.demo import demo
from openai_costs.cli.process import OBJECTS_AT_ONCE
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import DayRange
from openai_costs.sample.setup import Wanted
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs_tests.org import NOW, calm, company_at
from openai_costs_tests.s3_server import S3Server, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs.settings.load import Settings

# Thousands of tests and the libraries are a million objects, none of which is garbage.
gc.set_threshold(*OBJECTS_AT_ONCE)

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any_machine")

DEMO_NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


LONG: Final = (
    "test_damage",
    "test_wrong_clock",
    "test_story_of_connections",
    "test_policy",
    "test_filling",
    "test_record_story",
    "test_backfill",
    "test_docs",
    "test_life",
    "test_story",
    "test_processes",
    "test_home_on_s3",
    "test_accounts",
    "test_machine",
    "test_governance",
    "test_story_of_a_connection_that_left",
    "test_commands",
    "test_stopping",
    "test_reconcile",
    "test_anomaly_story",
    "test_doctor_files",
    "test_database",
)
"""The modules that take longest, in that order: a process that begins one last would run alone at
the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest; each runs in one process (pyproject.toml)."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session")
def told_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, str]:
    """The lake of the demo of 120 days, and what it said; the first process makes it for all."""
    folder = of_all_processes(tmp_path_factory)
    home, told = folder / "demo", folder / "told.txt"
    with FileLock(folder / "demo.lock"):
        if not told.exists():
            said: list[str] = []
            with calm():
                demo(home, Wanted(providers=("openai",)), clock=lambda: DEMO_NOON, say=said.append)
            told.write_text("\n".join(said), encoding="utf-8")
    return Lake(place(str(home))), told.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def company_alone(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample company with OpenAI and no second provider, backfilled; made once for all."""
    folder = of_all_processes(tmp_path_factory)
    home, done = folder / "company", folder / "company.done"
    with FileLock(folder / "company.lock"), pytest.MonkeyPatch.context() as patch, calm():
        patch.delenv("DAGSTER_HOME", raising=False)
        settings = company_at(home)
        if not done.exists():
            reach = reach_of(lambda: NOW)
            days = DayRange(settings.first_day, NOW.date())
            Headless(settings, lambda _: None, lambda: NOW, reach).backfill(days)
            done.touch()
    return settings


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server; the modules that use it are few, as each process starts one of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this run of the tests, which all processes of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
