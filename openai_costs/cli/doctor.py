"""One line per fact about this installation: OK, WARN or FAIL, with the remedy on the same line.

What a connection's provider finds out comes from its own folder.
"""

import sys
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version
from itertools import starmap
from typing import Literal, NamedTuple

import httpx
from upath import UPath

from openai_costs.cli.faults import of_machine, sentence_of
from openai_costs.cli.findings import route_facts
from openai_costs.kernel.days import ONE_DAY, Clock, DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.outputs.publish.database import slices_in_flight
from openai_costs.outputs.publish.tie_outs import untied_lake
from openai_costs.questions.budgets.status import unspent
from openai_costs.questions.coverage import unbilled
from openai_costs.questions.spend.verification import withheld_text
from openai_costs.settings import Gateway
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.accounts import refusal
from openai_costs.sources.gateway.files.layouts import NAME as FILES
from openai_costs.sources.gateway.files.odd_rows import summary
from openai_costs.sources.gateway.readers import GatewayReader, readers_of
from openai_costs.sources.gateway.registry import strangers
from openai_costs.sources.provider import Reach, silent
from openai_costs.sources.registry import provider_of
from openai_costs.sources.user_files import files
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.home import refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend

# Facts about the gateway and the company's directory. Asks, and keeps nothing.

Said = tuple[Literal["OK", "WARN", "FAIL"], str, str]


def governance_facts(
    settings: Settings, clock: Clock, inner: httpx.BaseTransport | None = None
) -> Iterator[Said]:
    """Yield what there is of gateway and directory, and whether it can be read.

    Args:
        settings: What to read.
        clock: Returns the current time.
        inner: The inner HTTP transport to a proxy; None for the network.
    """
    yield from _gateway(settings, clock, inner)
    yield from _directory(settings)


def _gateway(settings: Settings, clock: Clock, inner: httpx.BaseTransport | None) -> Iterator[Said]:
    about = "gateway"
    if not settings.gateway.is_there:
        yield ("OK", about, "none in the settings: nothing is compared with the bill")
        return
    for reader in readers_of(settings, clock, inner):
        name = f"{about}: {type(reader).__name__}"
        try:
            yield from _readable(name, reader, settings.gateway, clock().date())
        except OpenAICostsError as refused:
            yield ("FAIL", name, str(refused))
    if not settings.gateway.upstreams:
        remedy = "tokens name their upstream key in their metadata, or [[gateway.upstreams]] does"
        yield ("WARN", f"{about}: upstreams", f"none declared: {remedy}")
    yield from _gateway_tokens(settings)


def _readable(name: str, reader: GatewayReader, gateway: Gateway, today: date) -> Iterator[Said]:
    """Ask for the registry, and for yesterday's meter.

    Raises:
        OpenAICostsError: One of them cannot be read, or holds less than the gateway has.
    """
    yesterday = today - ONE_DAY
    if registry := list(reader.registry(today, silent)):
        yield ("OK", name, f"the registry can be read ({_pages(registry)} pages or files)")
        yield from _set_aside(name, registry)
    if meter := list(reader.meter(DayRange(yesterday, yesterday), silent)):
        of_day = f"the meter of {yesterday} can be read ({_pages(meter)} pages)"
        yield ("OK", f"{name}, meter", f"{of_day}{_valued(gateway)}")
        yield from _set_aside(f"{name}, meter", meter)
    elif gateway.spend_files:
        yield ("WARN", f"{name}, meter", f"no file has a row of {yesterday}: is the export late?")


def _valued(gateway: Gateway) -> str:
    is_valued = gateway.spend_files and gateway.spend_cost == "list_price"
    return "; its tokens are valued at list price, an estimate" if is_valued else ""


def _set_aside(name: str, reads: Iterable[DayRead]) -> Iterator[Said]:
    """Yield the rows of files that cannot be used."""
    odd = [row for read in reads if read.provider == FILES for row in read.absent.items()]
    if odd:
        yield ("WARN", f"{name}, rows", summary(odd))


def _gateway_tokens(settings: Settings) -> Iterator[Said]:
    """Yield the tokens that name an upstream key no directory has."""
    lake = Lake(place(settings.home))
    for text in strangers(lake.read(GatewayTokens), lake.read(ApiKeys)):
        yield ("WARN", "gateway: tokens", text)


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
        of_connection = _connection(settings, connection, clock, reach)
        yield from _guarded(f"{connection.name}: stored", of_connection)
    yield from _guarded("tie-outs", _tie_outs(Lake(place(settings.home))))
    yield from _guarded("gateway", starmap(Fact, governance_facts(settings, clock)))
    yield from _guarded("alerts", starmap(Fact, route_facts(settings)))
    yield from _guarded("budgets", _budgets(settings))


def _guarded(about: str, found: Iterable[Fact]) -> Iterator[Fact]:
    """Yield facts; a fault of the machine or of what is stored is a fact too, the last of them."""
    try:
        yield from found
    except Exception as fault:
        if not (sentence := sentence_of(fault)):
            raise
        yield Fact("FAIL", about, sentence)


def _budgets(settings: Settings) -> Iterator[Fact]:
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
    try:
        refuse_unwritable(home)
    except OSError as fault:
        return Fact("FAIL", "home", f"{home} cannot be written: {of_machine(fault)}")
    return Fact("OK", "home", f"{home} can be written")


def _connection(
    settings: Settings, connection: Connection, clock: Clock, reach: Reach
) -> Iterator[Fact]:
    """Yield what the provider finds out about a connection, and the days that are stored."""
    provider = provider_of(connection)
    for state, about, text in provider.diagnose(settings, connection, reach, clock().date()):
        yield Fact(state, f"{connection.name}: {about}", text)
    if refused := refusal(Archive(place(settings.home)), connection):
        yield Fact("FAIL", f"{connection.name}: account", refused)
    yield _days(settings, connection)


def _tie_outs(lake: Lake) -> Iterator[Fact]:
    if found := untied_lake(lake, slices_in_flight(lake)):
        yield Fact("FAIL", "tie-outs", withheld_text(found))
    else:
        yield Fact("OK", "tie-outs", "every settled day adds up to its control total")


def _days(settings: Settings, connection: Connection) -> Fact:
    lake = Lake(place(settings.home))
    there = lake.days(Spend, connection.name)
    about = f"{connection.name}: tables"
    if not there:
        return Fact("WARN", about, "no day yet: run `openai-costs backfill`")
    if why := unbilled(lake.read(Coverage), lake.read(Projects)).get(connection.name):
        return Fact("WARN", about, why)
    return Fact("OK", about, f"{len(there)} days, {min(there)} to {max(there)}")
