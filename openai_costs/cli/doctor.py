"""One line per fact about this installation: OK, WARN or FAIL, with the remedy on the same line.

What a connection's provider finds out comes from its own folder.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version
from typing import Literal, NamedTuple

from upath import UPath

from openai_costs.cli.findings import route_facts
from openai_costs.kernel.days import ONE_DAY, Clock, DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.questions.budgets.status import unspent
from openai_costs.settings import Gateway
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.readers import GatewayReader, readers_of
from openai_costs.sources.provider import Reach, silent
from openai_costs.sources.registry import provider_of
from openai_costs.sources.user_files import files
from openai_costs.storage.archive import DayRead
from openai_costs.storage.files import place, replace_file
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

# Facts about the gateway and the company's directory. Asks, and keeps nothing.

Said = tuple[Literal["OK", "WARN", "FAIL"], str, str]


def governance_facts(settings: Settings, clock: Clock) -> Iterator[Said]:
    """Yield what there is of gateway and directory, and whether it can be read."""
    yield from _gateway(settings, clock)
    yield from _directory(settings)


def _gateway(settings: Settings, clock: Clock) -> Iterator[Said]:
    about = "gateway"
    if not settings.gateway.is_there:
        yield ("OK", about, "none in the settings: nothing is compared with the bill")
        return
    for reader in readers_of(settings, clock):
        name = f"{about}: {type(reader).__name__}"
        try:
            yield from _readable(name, reader, settings.gateway, clock().date())
        except OpenAICostsError as refused:
            yield ("FAIL", name, str(refused))
    if not settings.gateway.upstreams:
        remedy = "tokens name their upstream key in their metadata, or [[gateway.upstreams]] does"
        yield ("WARN", f"{about}: upstreams", f"none declared: {remedy}")


def _readable(name: str, reader: GatewayReader, gateway: Gateway, today: date) -> Iterator[Said]:
    """Ask for the registry, and for yesterday's meter.

    Raises:
        OpenAICostsError: One of them cannot be read.
    """
    yesterday = today - ONE_DAY
    if pages := _pages(reader.registry(today, silent)):
        yield ("OK", name, f"the registry can be read ({pages} pages or files)")
    if pages := _pages(reader.meter(DayRange(yesterday, yesterday), silent)):
        yield ("OK", f"{name}, meter", f"the meter of {yesterday} can be read ({pages} pages)")
    elif gateway.spend_files:
        yield ("WARN", f"{name}, meter", f"no file has a row of {yesterday}: is the export late?")


def _pages(reads: Iterable[DayRead]) -> int:
    return sum(len(read.bodies) for read in reads)


def _directory(settings: Settings) -> Iterator[Said]:
    about = "directory"
    if not settings.directory.files:
        yield ("OK", about, "none in the settings: no person is matched or flagged")
        return
    folder = UPath(settings.config_file.parent)
    for pattern in (file.path for file in settings.directory.files):
        try:
            found = files(folder, pattern)
        except OpenAICostsError as refused:
            yield ("FAIL", f"{about}: {pattern}", str(refused))
        else:
            yield ("OK", f"{about}: {pattern}", f"{len(found)} files")
    people = Lake(place(settings.home)).read(Engineers)
    doubted = people.height - people["is_trusted"].sum()
    if people.is_empty():
        yield ("WARN", about, "no person read yet: run the job directory, or a backfill")
    elif doubted:
        yield ("WARN", about, f"it shrank or was empty, so the last list is kept: {doubted} people")
    else:
        yield ("OK", about, f"{people.height} people")


LIBRARIES = ("dagster", "dagster-duckdb", "duckdb", "httpx", "pandera", "polars")


class Fact(NamedTuple):
    """One line of the doctor's report."""

    state: Literal["OK", "WARN", "FAIL"]
    about: str
    said: str


def facts(settings: Settings, clock: Clock, reach: Reach) -> Iterator[Fact]:
    """Yield every fact; asks each connection for as little as possible."""
    yield Fact("OK", "versions", _versions())
    yield _settings_file(settings)
    yield _home(settings)
    for connection in settings.connections:
        yield from _connection(settings, connection, clock, reach)
    yield from (Fact(*fact) for fact in governance_facts(settings, clock))
    yield from (Fact(*fact) for fact in route_facts(settings))
    status = Lake(place(settings.home)).read(BudgetStatus)
    yield from (Fact("WARN", "budgets", said) for said in unspent(status))


def _versions() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Python {python}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _settings_file(settings: Settings) -> Fact:
    path = settings.config_file
    if settings.unread_sections:
        unread = ", ".join(f"[{name}]" for name in settings.unread_sections)
        return Fact("WARN", "settings", f"{path}: {unread} is not read by this version")
    return Fact("OK", "settings", f"{path} ({'read' if path.exists() else 'not there: defaults'})")


def _home(settings: Settings) -> Fact:
    home = place(settings.home)
    probe_file = home / ".doctor"
    try:
        replace_file(probe_file, b"")
        probe_file.unlink()
    except OSError as refused:
        return Fact("FAIL", "home", f"{home} cannot be written ({refused}): set OPENAI_COSTS_HOME")
    return Fact("OK", "home", f"{home} can be written")


def _connection(
    settings: Settings, connection: Connection, clock: Clock, reach: Reach
) -> Iterator[Fact]:
    """Yield what the provider finds out about a connection, and the days that are stored."""
    provider = provider_of(connection)
    for state, about, text in provider.diagnose(settings, connection, reach, clock().date()):
        yield Fact(state, f"{connection.name}: {about}", text)
    yield _days(settings, connection)


def _days(settings: Settings, connection: Connection) -> Fact:
    there = Lake(place(settings.home)).days(Spend, connection.name)
    about = f"{connection.name}: tables"
    if not there:
        return Fact("WARN", about, "no day yet: run `openai-costs backfill`")
    return Fact("OK", about, f"{len(there)} days, {min(there)} to {max(there)}")
