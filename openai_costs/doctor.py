"""One line per fact about this installation: OK, WARN or FAIL, with the remedy on the same line."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from typing import Literal, NamedTuple

from openai_costs.alerts.show import route_facts
from openai_costs.budgets.unspent import unspent
from openai_costs.days import Clock, DayRange
from openai_costs.doctor_governance import governance_facts
from openai_costs.errors import MissingKey, OpenAICostsError
from openai_costs.lake import Lake
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai.directory.scopes import ScopeFound, probe_scopes
from openai_costs.sources.openai.source import probe
from openai_costs.sources.source import Reach
from openai_costs.storage import place, replace_file
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.spend import Spend

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
