"""One line per fact about this installation: OK, WARN or FAIL, with the remedy on the same line."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from importlib.metadata import version
from typing import Literal, NamedTuple

from upath import UPath

from openai_costs.cli.findings import route_facts
from openai_costs.kernel.days import ONE_DAY, Clock, DayRange
from openai_costs.kernel.errors import MissingKey, OpenAICostsError
from openai_costs.questions.budgets.status import unspent
from openai_costs.settings import Gateway
from openai_costs.settings.load import Connection, Settings
from openai_costs.sources.gateway.readers import GatewayReader, readers_of
from openai_costs.sources.openai.costs.source import probe
from openai_costs.sources.openai.organization.scopes import ScopeFound, probe_scopes
from openai_costs.sources.provider import Reach, silent
from openai_costs.sources.user_files import files
from openai_costs.storage.archive import DayRead
from openai_costs.storage.files import place, replace_file
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

# The doctor's facts about the gateway and the company's directory. Asks, and keeps nothing.

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
        remedy = "tokens name their OpenAI key in their metadata, or [[gateway.upstreams]] does"
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
        yield ("OK", about, "none in the settings: nobody is matched or flagged")
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
        yield ("WARN", about, f"not believed since it shrank or was empty: {doubted} people kept")
    else:
        yield ("OK", about, f"{people.height} people")


LIBRARIES = ("dagster", "dagster-duckdb", "duckdb", "httpx", "pandera", "polars")


class Fact(NamedTuple):
    """One line of the doctor's report."""

    state: Literal["OK", "WARN", "FAIL"]
    about: str
    said: str


def facts(settings: Settings, clock: Clock, reach: Reach) -> Iterator[Fact]:
    """Yield every fact; asks each connection for one row."""
    yield Fact("OK", "versions", _versions())
    yield _settings_file(settings)
    yield _home(settings)
    for connection in settings.connections:
        yield _key(settings, connection)
        yield _call(settings, connection, clock, reach)
        yield from _scopes(settings, connection, clock, reach)
        yield _days(settings, connection)
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


def _key(settings: Settings, connection: Connection) -> Fact:
    about = f"{connection.name}: key"
    try:
        key = settings.admin_key(connection).get_secret_value()
    except OpenAICostsError as missing:
        return Fact("FAIL", about, str(missing))
    if not key.startswith("sk-admin-"):
        remedy = "does not look like an admin key (sk-admin-...): project keys are always refused"
        return Fact("WARN", about, f"{connection.admin_key_env} {remedy}")
    return Fact("OK", about, f"{connection.admin_key_env} holds an admin key")


def _call(settings: Settings, connection: Connection, clock: Clock, reach: Reach) -> Fact:
    about = f"{connection.name}: GET /organization/costs"
    yesterday = clock().date() - timedelta(days=1)
    try:
        probe(settings, connection, reach, DayRange(yesterday, yesterday))
    except OpenAICostsError as refused:
        return Fact("FAIL", about, str(refused))
    return Fact("OK", about, f"HTTP 200 for {yesterday}")


def _scopes(
    settings: Settings, connection: Connection, clock: Clock, reach: Reach
) -> Iterator[Fact]:
    """Yield whether the key may read usage and names, and what will be missing where it may not."""
    yesterday = clock().date() - timedelta(days=1)
    with suppress(MissingKey):  # has a line of its own
        for found in probe_scopes(settings, connection, reach, DayRange(yesterday, yesterday)):
            yield _scope(connection, found)


def _scope(connection: Connection, found: ScopeFound) -> Fact:
    about = f"{connection.name}: scope {found.scope}"
    if found.is_there:
        return Fact("OK", about, f"GET {found.path} is answered")
    is_meant = found.is_there is None and connection.access == "costs_only"
    remedy = "" if is_meant else f" Add it to the key in {connection.admin_key_env}."
    state: Literal["OK", "WARN"] = "OK" if is_meant else "WARN"
    return Fact(state, about, f"{found.said.rstrip('.')}; without it: {found.without}.{remedy}")


def _days(settings: Settings, connection: Connection) -> Fact:
    there = Lake(place(settings.home)).days(Spend, connection.name)
    about = f"{connection.name}: tables"
    if not there:
        return Fact("WARN", about, "no day yet: run `openai-costs backfill`")
    return Fact("OK", about, f"{len(there)} days, {min(there)} to {max(there)}")
