"""One line per fact about this installation: OK, WARN or FAIL, with the remedy on the same line.

What a connection's provider finds out comes from its own folder; the gateway and the company's
directory: doctor_governance.py.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import Literal

import polars as pl

from openai_costs.cli.doctor_files import (
    judged_facts,
    kept_page_facts,
    mute_facts,
    page_facts,
    refused_page_facts,
    space_facts,
    tie_out_facts,
    unmade_facts,
)
from openai_costs.cli.doctor_governance import governance_facts
from openai_costs.cli.doctor_protection import permission_facts, protection_facts
from openai_costs.cli.empty_home import what_fills
from openai_costs.cli.faults import of_machine, sentence_of
from openai_costs.cli.findings import route_facts
from openai_costs.cli.home_settings import loaded
from openai_costs.cli.stored_damage import stored_facts
from openai_costs.cli.verify import REBUILD
from openai_costs.kernel.clock_skew import SkewAwareClock, skew_aware
from openai_costs.kernel.days import Clock, naive
from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import counted, listed
from openai_costs.outputs.alerts.ahead_of_time import findings_ahead
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.questions.budgets.status import unspent
from openai_costs.questions.unbilled import unbilled
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import refusal
from openai_costs.sources.diagnosis import proxy_diagnoses
from openai_costs.sources.provider import Diagnosis, Reach
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.future_days import described, future_days
from openai_costs.storage.home import refuse_unreadable, refuse_unwritable
from openai_costs.storage.lake import Lake
from openai_costs.storage.object_stores import StoreUnsafe
from openai_costs.storage.store_faults import StoreUnreachable, StoreUnusable
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend import Spend

ATTEMPTS = 2
"""A person waits for the doctor, and a vendor that is busy for longer is a fact too."""

LIBRARIES = ("dagster", "dagster-duckdb", "duckdb", "httpx", "pandera", "polars")


def fact_as_json(fact: Diagnosis) -> dict[str, str]:
    """Return a fact for programs, under the names that `doctor --json` has always had."""
    return {"state": fact.state, "about": fact.about, "said": fact.text}


def facts_of_home(home: str | None, clock: Clock, reach: Reach) -> Iterator[Diagnosis]:
    """Yield every fact of a home; settings that cannot be read are the only one."""
    try:
        settings = loaded(home)
    except Exception as fault:
        if not (sentence := sentence_of(fault)):
            raise
        yield Diagnosis("FAIL", "settings", sentence)
        return
    yield from facts(settings, clock, reach)


def facts(settings: Settings, clock: Clock, reach: Reach) -> Iterator[Diagnosis]:
    """Yield every fact; asks each connection for as little as possible."""
    yield Diagnosis("OK", "versions", _versions())
    yield _settings_file(settings)
    try:
        yield _home(settings)
    except (SettingsError, StoreUnusable, StoreUnsafe) as fault:
        yield Diagnosis("FAIL", "home", str(fault))
        if isinstance(fault, (SettingsError, StoreUnreachable)):  # as each of the others would
            return
    yield from _guarded("home", space_facts(place(settings.home)))
    yield from _guarded("permissions", permission_facts(place(settings.home)))
    yield from proxy_diagnoses(settings)
    compared = skew_aware(clock)
    for connection in settings.connections:
        to_hosts = replace(reach, clock=compared, attempts=ATTEMPTS)
        of_connection = _connection(settings, connection, compared, to_hosts)
        yield from _guarded(f"{connection.name}: stored", of_connection)
    yield from _guarded("clock", _time(settings, compared))
    yield from _guarded("at rest", protection_facts(settings))
    yield from _guarded("page", page_facts(place(settings.home)))
    yield from _guarded("stored files", stored_facts(place(settings.home)))
    yield from _guarded("kept pages", unmade_facts(settings))
    yield from _guarded("tie-outs", tie_out_facts(settings))
    yield from _guarded("gateway", governance_facts(settings, compared))
    yield from _guarded("alerts", route_facts(settings))
    yield from _guarded("findings", judged_facts(settings))
    yield from _guarded("mutes", mute_facts(settings))
    yield from _guarded("budgets", _budgets(settings))


def _guarded(about: str, facts_of_it: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield facts; a fault of the machine or of what is stored is a fact too, the last of them."""
    try:
        yield from facts_of_it
    except Exception as fault:
        if not (sentence := sentence_of(fault)):
            raise
        yield Diagnosis("FAIL", about, sentence)


def _budgets(settings: Settings) -> Iterator[Diagnosis]:
    status = Lake(place(settings.home)).read(BudgetStatus)
    yield from (Diagnosis("WARN", "budgets", text) for text in unspent(status))


def _versions() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Python {python}, " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)


def _settings_file(settings: Settings) -> Diagnosis:
    path = settings.config_file
    if not path.exists():
        return Diagnosis("OK", "settings", f"there is no {path}, so the defaults apply")
    return Diagnosis("OK", "settings", f"read from {path}")


def _home(settings: Settings) -> Diagnosis:
    home = place(settings.home)
    try:
        refuse_unwritable(home)
    except OSError as fault:
        return Diagnosis("FAIL", "home", f"{home} is not writable: {of_machine(fault)}")
    try:
        refuse_unreadable(home)
    except OSError as fault:
        return Diagnosis("FAIL", "home", f"{home} cannot be read as a whole: {of_machine(fault)}")
    return Diagnosis("OK", "home", f"{home} is writable")


def _connection(
    settings: Settings, connection: Connection, clock: Clock, reach: Reach
) -> Iterator[Diagnosis]:
    """Yield what the provider finds out about a connection, and the days that are stored."""
    if (first := connection.first_day) > (today := clock().date()):
        state: Literal["WARN", "FAIL"] = "FAIL" if settings.first_day > today else "WARN"
        text = f"is {first}, which has not come: nothing is read before. Correct or remove it in"
        yield Diagnosis(state, f"{connection.name}: start", f"{text} {settings.config_file}")
    provider = provider_of(connection)
    for one in provider.diagnose(settings, connection, reach, clock().date()):
        yield one._replace(about=f"{connection.name}: {one.about}")
    home = place(settings.home)
    if refused := refusal(Archive(home), settings, connection):
        yield Diagnosis("FAIL", f"{connection.name}: account", refused)
    unusable = [*refused_page_facts(settings, connection)]
    yield from unusable
    if not (refused or unusable) or Lake(home).days(Ledger, connection.name):
        yield _days(settings, connection)
    yield from kept_page_facts(settings, connection)


def _time(settings: Settings, clock: SkewAwareClock) -> Iterator[Diagnosis]:
    """Yield whether our clock agrees with the servers', and the days that are in the future."""
    if warning := clock.warning():
        yield Diagnosis("WARN", "clock", warning)
    elif clock.skews:
        yield Diagnosis("OK", "clock", "within an hour of the clocks of the servers that answered")
    latest = clock.latest() or clock.ours()
    if found := future_days(place(settings.home), latest.date()):
        text = f"days in the future are stored ({described(found)}): a run had a wrong clock."
        remedy = "Run openai-costs backfill with a correct clock: it sets them aside, unless a file"
        its = "has a charge of them or of later days; such days stay until they have come."
        yield Diagnosis("FAIL", "days in the future", f"{text} {remedy} {its}")
    known = rows(Finding, Lake(place(settings.home)).read(Findings))
    if ahead := findings_ahead(known, latest.date()):
        text = f"days of findings are in the future ({listed(ahead, 3)}): a run had a wrong clock."
        remedy = "Run openai-costs backfill with a correct clock: what still holds begins again."
        yield Diagnosis("FAIL", "findings in the future", f"{text} {remedy}")
    if misdated := _misdated(settings, naive(latest)):
        remedy = "Run openai-costs backfill: it reads those days again."
        text = f"{counted(misdated, 'day')} stored from reads that are dated in the future."
        yield Diagnosis("FAIL", "reads in the future", f"{text} {remedy}")


def _misdated(settings: Settings, latest: datetime) -> int:
    """Return how many days up to now were last read at an instant that has not come."""
    read = Lake(place(settings.home)).slices(Spend)
    ours = pl.col("connection").is_in([one.name for one in settings.connections])
    wrong = read.filter(ours, pl.col("read_at") > latest, pl.col("day") <= latest.date())
    return wrong.height


def _days(settings: Settings, connection: Connection) -> Diagnosis:
    home = place(settings.home)
    lake = Lake(home)
    there = lake.days(Spend, connection.name)
    about = f"{connection.name}: tables"
    if not there and (read := lake.days(Ledger, connection.name)):
        days = f"{counted(len(read), 'day')} read, {min(read)} to {max(read)}"
        return Diagnosis("FAIL", about, f"{days}, and their marts are not made. {REBUILD}")
    if not there:
        return Diagnosis("WARN", about, f"{home} has no day yet. {what_fills(home)}")
    if why := unbilled(lake.read(Coverage), lake.read(Projects)).get(connection.name):
        return Diagnosis("WARN", about, why)
    return Diagnosis("OK", about, f"{counted(len(there), 'day')}, {min(there)} to {max(there)}")
