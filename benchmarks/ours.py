"""This project without its orchestrator: read, keep, clean, cut, publish."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
from work import FIRST_DAY, Outcome, Task

from openai_costs.kernel.days import DayRange, utc_now
from openai_costs.outputs.publish.database import publish
from openai_costs.questions.coverage import coverage
from openai_costs.questions.spend.assets import listed
from openai_costs.questions.spend.attribution import attribution
from openai_costs.questions.spend.breakdown import by_project_key_model, by_user
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.questions.spend.names import Directory
from openai_costs.questions.spend.restated_days import changes
from openai_costs.settings.load import Settings
from openai_costs.sources.assets import by_user as users_of
from openai_costs.sources.ingest import ingest, sources
from openai_costs.sources.openai.costs import frames
from openai_costs.sources.openai.costs.source import OpenAICosts
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.provider import silent
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Replaced
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser

NAME = "bench"
TOTALS = tuple(table.full_name() for table in TOGETHER)


def settings_for(task: Task) -> Settings:
    """Return settings with the benchmark's server as the only connection."""
    os.environ.setdefault("OPENAI_ADMIN_KEY", "sk-admin-benchmark")
    return Settings(
        home=str(task.home),
        config_file=Path("openai_costs.toml"),
        connections=(
            OpenAIConnection(
                name=NAME, start=FIRST_DAY, base_url=task.base_url, access="costs_only"
            ),
        ),
    )


def days_of(task: Task) -> DayRange:
    """Return the days the task asks for."""
    return DayRange(task.last_day if task.last_only else FIRST_DAY, task.last_day)


def without_orchestrator(task: Task) -> Outcome:
    """Call what the assets call, in their order, table by table."""
    settings, days = settings_for(task), days_of(task)
    home, phases = place(settings.home), dict[str, float]()
    with _timed(phases, "read"):
        _read(settings, days)
    with _timed(phases, "clean"):
        rows = _clean(settings, days)
    with _timed(phases, "marts"):
        _cut(settings, days)
    with _timed(phases, "coverage"):
        _cover(settings)
    with _timed(phases, "publish"):
        publish(home, Lake(home))
    return Outcome(rows, lambda: stored_total(task.home), phases)


def stored_total(home: Path) -> tuple[Decimal, str]:
    """Return the published total; every table that holds the same dollars must say the same."""
    with duckdb.connect(home / "published" / "openai_costs.duckdb", read_only=True) as sql:
        said = {
            table: sql.sql(f"SELECT sum(billed_usd) FROM {table}").fetchall()[0][0]  # noqa: S608
            for table in TOTALS
        }
    if len(set(said.values())) > 1:
        raise SystemExit(f"The published tables disagree: {said}")
    return said["core.spend"], "DECIMAL(38,18)"


@contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    phases[name] = time.perf_counter() - began


def _read(settings: Settings, days: DayRange) -> None:
    archive = Archive(place(settings.home))
    reader = OpenAICosts(settings, archive, utc_now)
    asked = sources(lambda one, tell: reader.read(one, days, tell), settings.connections, days)
    done = ingest(asked, archive, silent)
    if done.failed:
        raise SystemExit(f"The reading failed: {done.failed}")


def _clean(settings: Settings, days: DayRange) -> int:
    home, connection = place(settings.home), settings.connection(NAME)
    archive, lake = Archive(home), Lake(home)

    def reads() -> Iterator[frames.KeptRead | frames.DamagedRead]:
        return archive.newest("openai", NAME, "costs", days)

    ledger = _whole(lake.replace(Spend, frames.ledger_batches(reads(), connection)))
    users = users_of(lake.batches(Spend, days), archive, [connection])
    _whole(lake.replace(SpendByUser, users))
    grace = settings.reading.grace
    _whole(lake.replace(SpendControl, frames.control_batches(reads(), grace)))
    return sum(ledger.rows.values())


def _cut(settings: Settings, days: DayRange) -> None:
    home = place(settings.home)
    archive, lake = Archive(home), Lake(home)
    nobody = listed(lake)
    _whole(lake.replace(SpendAttribution, _attributed(lake, days, nobody)))
    _whole(lake.replace(MartSpend, _spent(lake, days, nobody)))
    attributed = lake.batches(SpendAttribution, days)
    _whole(lake.replace(MartSpendByUser, (batch.derive(by_user) for batch in attributed)))
    _whole(lake.replace(Restatements, changes(archive, settings, days)))


def _spent(lake: Lake, days: DayRange, nobody: Directory) -> Iterator[Batch]:
    for batch in lake.batches(Spend, days):
        whose = lake.read(SpendAttribution, sorted({key.day for key in batch.read_at}))
        yield batch.derive(partial(by_project_key_model, attribution=whose, directory=nobody))


def _attributed(lake: Lake, days: DayRange, nobody: Directory) -> Iterator[Batch]:
    for batch in lake.batches(Spend, days):
        view = lake.read(SpendByUser, sorted({key.day for key in batch.read_at}))
        whose = partial(attribution, view=view, usage=Usage.no_rows(), directory=nobody, teams=())
        yield batch.derive(whose)


def _cover(settings: Settings) -> None:
    lake = Lake(place(settings.home))
    read = lake.slices(Spend)
    covered = coverage(lake.read(SpendControl), read, {NAME: FIRST_DAY}, utc_now())
    lake.replace_whole(Coverage, covered)


def _whole(done: Replaced) -> Replaced:
    if done.refused or done.remarks:
        raise SystemExit(f"Days were refused or remarked on: {done.refused} {done.remarks}")
    return done
