"""The demo, made once for all tests that look at what it tells."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from deltalake import DeltaTable
from filelock import FileLock
from hypothesis import HealthCheck, settings

from openai_costs.cli.backfill import Headless
from openai_costs.cli.commands import main
from openai_costs.cli.demo import demo
from openai_costs.cli.process import OBJECTS_AT_ONCE
from openai_costs.definitions import reach_of
from openai_costs.kernel.days import utc_now
from openai_costs.sample.setup import Wanted
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.org import (
    FACTS,
    NOW,
    House,
    calm,
    company_at,
    day,
    filled,
    house,
    untraced,
)
from openai_costs_tests.s3_server import S3Server, s3_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_costs.settings.load import Settings

# What is started compiles the package once for all, and not each time.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Thousands of tests and the libraries are a million objects, none of which is garbage.
gc.set_threshold(*OBJECTS_AT_ONCE)

# The homes of tests lie in memory where there is room: a file system is a tenth of what they cost.
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - pytest makes a folder there that is its user's own
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 << 30:
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

# How long an example takes says how busy the machine is, and nothing about the code. Examples are
# the same in every run, so that who changed something else is not stopped by a new one; with
# OPENAI_COSTS_FUZZ they are others each time.
settings.register_profile(
    "any_machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="OPENAI_COSTS_FUZZ" not in os.environ,
)
settings.load_profile("any_machine")

SETTINGS: Final = """
[[connections]]
name = "sample"
base_url = "sample://organization?seed=7&days=7&today={today}&rows_per_day=0"
start = {start}
access = "costs_only"
organization_id = "org-tidewatermaps"

[[budgets]]
name = "small"
limit_usd = 1
"""
DEMO_NOON: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)


LONG: Final = (
    "openai_costs_tests/test_policy",
    "openai_costs_tests/test_story_of_connections",
    "publish/test_filling",
    "openai_costs_tests/test_processes",
    "openai_costs_tests/test_story",
    "openai_costs_tests/test_wrong_clock",
    "cli/test_damage",
    "anomalies/test_anomaly_story",
    "openai_costs_tests/test_home_on_s3",
    "acme_ai/test_life",
    "publish/test_database",
    "cli/test_backfill",
    "cli/test_commands",
    "sources/test_accounts",
    "anthropic/test_life",
    "cli/test_machine",
    "exports/test_object_store",
    "organization/test_assets",
    "cli/test_doctor_files",
    "orchestration/test_recording",
    "sources/test_vendors_life",
    "focus_file/test_life",
    "publish/test_parquet_copies",
    "cli/test_stopping",
    "openai_costs_tests/test_governance",
    "openai_costs_tests/test_gateway_partial",
    "openai_costs_tests/test_docs",
    "openai_costs_tests/test_record_story",
    "openai_costs_tests/test_story_of_a_connection_that_left",
)
"""The modules that take longest, in that order: a process that begins one last would run alone at
the end. Two that need the same home are apart: the second process would wait for the first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest; each runs in one process (pyproject.toml)."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(
        key=lambda item: place.get("/".join(item.path.with_suffix("").parts[-2:]), len(LONG))
    )


def pytest_collection_finish() -> None:
    """Look for no garbage in what was collected: it lives to the end."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def disk_without_waits() -> Iterator[None]:
    """Nothing of a test outlives the machine: a home is written as always, and not flushed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def told_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lake, str]:
    """The lake of the demo, and what it said; the first process makes it for all."""
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
    """The sample company with OpenAI and no second provider; made once for all."""

    def made(home: Path) -> None:
        settings = company_at(home)
        names = [one.name for one in settings.connections]
        filled(Headless(settings, lambda _: None, lambda: NOW, reach_of(lambda: NOW)), *names)

    return company_at(made_once(tmp_path_factory, "company", made))


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a demo of two weeks, which nobody changes; made once for all."""

    def made(home: Path) -> None:
        wanted = Wanted(days=14, seed=7, providers=("openai",))
        with untraced():
            demo(home, wanted, clock=lambda: DEMO_NOON, say=lambda _: None)

    return made_once(tmp_path_factory, "small_demo", made)


@pytest.fixture(scope="session")
def of_the_commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `openai-costs backfill`, with its settings in it; made once for all."""

    def made(home: Path) -> None:
        today = utc_now().date()
        home.mkdir()
        text = SETTINGS.format(today=today, start=today - timedelta(days=3))
        (home / "openai_costs.toml").write_text(text, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OPENAI_COSTS_HOME", str(home))
            patch.setenv("OPENAI_ADMIN_KEY", "sk-admin-sample")
            patch.delenv("OPENAI_COSTS_CONFIG", raising=False)
            patch.setattr(sys, "argv", ["openai-costs", "backfill"])
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code
        assert Lake(place(str(home))).read(Findings).height
        DeltaTable(home / "lake/slice_log").create_checkpoint()  # as of every twentieth commit

    return made_once(tmp_path_factory, "of_the_commands", made)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server; the modules that use it are few, as each process starts one of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home with three settled days, read well, which nobody changes; made once for all."""

    def made(home: Path) -> None:
        shown = (*FACTS, "report/cost_explorer")
        assert house(home).run(day(16), day(18), only=shown).is_green

    return house(made_once(tmp_path_factory, "three_days", made))


def made_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """A home that the first process makes for all."""
    folder = of_all_processes(tmp_path_factory)
    home, done = folder / name, folder / f"{name}.done"
    with FileLock(folder / f"{name}.lock"), pytest.MonkeyPatch.context() as patch, calm():
        patch.delenv("DAGSTER_HOME", raising=False)
        if not done.exists():
            make(home)
            done.touch()
    return home


def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this run of the tests, which all processes of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return what takes the right to read a folder away; also root, who may read all, cannot."""
    closed, looks = set[str](), os.scandir

    def look(folder: str | Path) -> Iterator[os.DirEntry[str]]:
        if str(folder) in closed:
            raise PermissionError(EACCES, os.strerror(EACCES), str(folder))
        return looks(folder)

    monkeypatch.setattr(os, "scandir", look)
    return lambda folder: closed.add(str(folder))
