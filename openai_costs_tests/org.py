"""The fixtures of the tests: small sample organisations, a clock turned by hand, and runs.

`House` is a home with its connections. Each connection talks to the sample API in this process,
through the real client; `serve` changes how that API behaves from now on.
"""

from __future__ import annotations

import shutil
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import dagster as dg
import httpx
import polars as pl
import pytest

from openai_costs.cli import backfill
from openai_costs.cli.graphs import Graphs
from openai_costs.definitions import build_defs
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import REFRESH, asking, range_tags
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.options import USUAL, WireOptions
from openai_costs.sample.api.serving import InProcessTransport
from openai_costs.sample.company.events import Event, EventKind
from openai_costs.sample.company.organisation import Organisation, sample_organisation
from openai_costs.sample.faults.faults import Faults
from openai_costs.sample.setup import Wanted, company
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.organization.assets import whole_assets
from openai_costs.sources.provider import Reach
from openai_costs.sources.registry import connection_kinds
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.mart.coverage import Coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from openai_costs.settings import Team
    from openai_costs.tables.contract import Contract


TODAY: Final = date(2026, 11, 23)
FIRST_DAY: Final = date(2026, 11, 12)
RESTATED_DAY: Final = date(2026, 11, 18)
EMPTY_DAY: Final = date(2026, 11, 16)
SETTLED_NOT_RESTATED: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
"""The restated day has settled at this instant, and is restated twelve hours later."""
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
QUIET: Final[dict[str, Any]] = {
    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
}
MONEY: Final = (
    "raw/openai_costs",
    "core/spend",
    "core/spend_by_user",
    "core/spend_control",
    "mart/spend",
    "mart/spend_attribution",
    "mart/spend_by_user",
    "mart/coverage",
    "mart/restatements",
    "published/duckdb",
)
"""What leads from the pages to the published dollars; a refresh also asks every question."""
LEDGER: Final = MONEY[:4]
"""What leads from the pages to the ledger and its control totals."""
FACTS: Final = (*MONEY, "raw/openai_usage", "core/usage")
"""The same with usage."""
WIDE: Final = Context(prec=200)
INVOICED: Final = {"host": "openai", "cost_basis": "billed", "charge_category": "usage"}
"""What every row of OpenAI's ledger holds."""


def tidewater(*, days: int = 14) -> Organisation:
    """The sample organisation, with a day without rows close enough for a short range."""
    made = sample_organisation(TODAY, days=days)
    others = (event for event in made.events if event.kind is not EventKind.NO_ROWS)
    nothing = Event(EventKind.NO_ROWS, "an empty bucket", TODAY, empty_day=EMPTY_DAY)
    return replace(made, events=(*others, nothing))


ORGANISATION: Final = tidewater()
ACCOUNTS: Final = {
    name: f"org-{name}"
    for name in (
        *("harbour", "ferry"),
        *("reef", "shoal", "strand", "delta", "marsh", "inlet", "lagoon", "fjord", "quay"),
    )
}
"""Connections that read another organization than the usual one."""


@dataclass
class HandClock:
    """A clock that stands still until it is turned."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


class Silence(httpx.BaseTransport):
    """A network that must not be used."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"nothing may be sent, and yet: {request.method} {request.url}")


@dataclass(frozen=True)
class Torn(httpx.BaseTransport):
    """An API that answers grouped questions from one bill and ungrouped ones from another."""

    grouped: httpx.BaseTransport
    whole: httpx.BaseTransport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        source = self.grouped if "group_by[]" in request.url.params else self.whole
        return source.handle_request(request)


@dataclass(frozen=True)
class Altered(httpx.BaseTransport):
    """An API whose every answer somebody may put another in place of."""

    inner: httpx.BaseTransport
    alter: Callable[[httpx.Request, httpx.Response], httpx.Response]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.alter(request, self.inner.handle_request(request))


@dataclass(frozen=True)
class Verdict:
    """What a check said."""

    asset: str
    check: str
    day: str | None
    passed: bool
    severity: str
    because: str


@dataclass(frozen=True)
class Ran:
    """A finished run."""

    result: dg.ExecuteInProcessResult

    @property
    def is_green(self) -> bool:
        return self.result.success

    @property
    def verdicts(self) -> list[Verdict]:
        return [
            Verdict(
                said.asset_key.to_user_string(),
                said.check_name,
                said.partition,
                said.passed,
                said.severity.value,
                said.description or "",
            )
            for event in self.result.all_events
            if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
            for said in (event.asset_check_evaluation_data,)
        ]

    @property
    def objections(self) -> list[Verdict]:
        """The checks that did not pass."""
        return [verdict for verdict in self.verdicts if not verdict.passed]

    def of(self, asset: str, check: str) -> dict[str | None, Verdict]:
        """One check's verdicts by day."""
        found = (one for one in self.verdicts if (one.asset, one.check) == (asset, check))
        return {one.day: one for one in found}

    @property
    def failures(self) -> list[str]:
        """What failed steps said, with the steps' names."""
        said = []
        for event in self.result.all_events:
            if event.event_type is dg.DagsterEventType.STEP_FAILURE:
                told = event.step_failure_data.user_failure_data
                text = (told.description if told else None) or str(event.step_failure_data.error)
                said.append(f"{event.step_key}: {text}")
        return said

    @property
    def retried(self) -> int:
        """How many times a step was put up for another try."""
        again = dg.DagsterEventType.STEP_UP_FOR_RETRY
        return sum(event.event_type is again for event in self.result.all_events)


@dataclass
class House:
    """A home, its connections, and the API behind each of them."""

    home: str
    connections: tuple[OpenAIConnection, ...]
    clock: HandClock = field(default_factory=HandClock)
    transports: dict[str, httpx.BaseTransport] = field(default_factory=dict)
    teams: tuple[Team, ...] = ()
    server_clock: HandClock | None = None
    """The time by the API's clock, where it is not that of the house."""
    _built: list[tuple[Settings, dg.Definitions]] = field(default_factory=list, repr=False)
    _jobs: dict[tuple[int, str, tuple[str, ...]], dg.JobDefinition] = field(
        default_factory=dict, repr=False
    )

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.home,
            config_file=Path("openai_costs.toml"),
            connections=self.connections,
            teams=self.teams,
        )

    @property
    def lake(self) -> Lake:
        return Lake(place(self.home))

    @property
    def archive(self) -> Archive:
        return Archive(place(self.home))

    @property
    def published(self) -> Path:
        return Path(self.home) / "published" / "openai_costs.duckdb"

    def serve(
        self,
        name: str,
        faults: str = "",
        *,
        options: WireOptions = USUAL,
        organisation: Organisation | None = None,
    ) -> None:
        """Let a connection's API behave so from now on; its requests are counted anew."""
        whose = organisation or organisation_of(account_of(name))
        now = self.server_clock or self.clock
        app = create_app(whose, now=now, faults=Faults.parse(faults), options=options)
        self.transports[name] = InProcessTransport(app, self.server_clock or self.clock)

    def silence(self) -> None:
        """Let every request from now on be a mistake."""
        self.transports = {one.name: Silence() for one in self.connections}

    def asked(self, name: str) -> list[tuple[str, str]]:
        """(method, path) of every request a connection has sent since `serve`."""
        sent = self.transports[name]
        assert isinstance(sent, InProcessTransport)
        return [(request.method, request.path) for request in sent.requests]

    def defs(self) -> dg.Definitions:
        """The graph, built once for the same settings, as a code server has it."""
        settings = self.settings
        for known, defs in self._built:
            if known == settings:
                return defs
        reach = Reach(lambda connection: self.transports[connection.name])
        with calm():
            defs = build_defs(settings, clock=self.clock, reach=reach)
        self._built.append((settings, defs))
        return defs

    def _job(self, defs: dg.Definitions, name: str, only: tuple[str, ...]) -> dg.JobDefinition:
        """A job of a graph: all its assets, or only some of them."""
        key = (id(defs), name, only)
        if key not in self._jobs:
            self._jobs[key] = job_of(defs, name, only)
        return self._jobs[key]

    def run(  # noqa: PLR0913 - a test names what it needs
        self,
        first: date,
        last: date,
        *,
        job: str = REFRESH,
        instance: dg.DagsterInstance | None = None,
        defs: dg.Definitions | None = None,
        only: Iterable[str] = (),
        asks: Sequence[str] = (),
    ) -> Ran:
        """Run a job over some days in this process: all its assets, or only some of them."""
        with calm():
            made = self._job(defs or self.defs(), job, tuple(only))
        return executed(made, DayRange(first, last), instance, asks)

    def at(self, now: datetime) -> House:
        """Turn the clock."""
        self.clock.now = now
        return self

    def moved_to(self, home: Path) -> House:
        """Copy the home, so that a test may do to it what it likes."""
        shutil.copytree(self.home, home)
        clock, transports = HandClock(self.clock.now), dict(self.transports)
        return House(str(home), self.connections, clock, transports, self.teams)

    def newest(self, name: str, day: date) -> KeptRead:
        """The newest kept read of a day."""
        return next(self.archive.newest("openai", name, "costs", [day]))


def job_of(defs: dg.Definitions, name: str, only: Iterable[str] = ()) -> dg.JobDefinition:
    """A job of a graph: all its assets, or only some of them."""
    job = defs.resolve_job_def(name)
    some = {dg.AssetKey(one.split("/")) for one in only}
    return job.get_subset(asset_selection=some) if some else job


def executed(
    job: dg.JobDefinition,
    days: DayRange,
    instance: dg.DagsterInstance | None = None,
    asks: Sequence[str] = (),
) -> Ran:
    """Run a job over some days in this process, for all connections or some."""
    tags = range_tags(days) | asking(asks)
    with calm(), nullcontext(instance) if instance else unrecorded() as used:
        result = job.execute_in_process(
            instance=used, tags=tags, raise_on_error=False, run_config=QUIET
        )
    return Ran(result)


@contextmanager
def calm() -> Iterator[None]:
    """Ignore what the package ignores at import: pytest sets the filters anew for every test."""
    with warnings.catch_warnings():
        for young in (dg.BetaWarning, dg.PreviewWarning):
            warnings.simplefilter("ignore", young)
        yield


@contextmanager
def untraced() -> Iterator[None]:
    """Leave no trace of headless runs for the Dagster UI, which is a sixth of what they cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backfill, "leave_trace", lambda *_: None)
        yield


def filled(headless: backfill.Headless, *names: str) -> backfill.Headless:
    """Read names, days, and the names of who is billed besides, and publish once, as the demo."""
    days = DayRange(headless.settings.first_day, headless.clock().date())
    with calm(), untraced():
        headless.read_directory(names)
        headless.run(REFRESH, days)
        headless.read_directory(names)
        headless.publish()
    return headless


@contextmanager
def only_money(*questions: str) -> Iterator[None]:
    """Let headless runs lead from pages to published dollars, and ask only these questions."""
    whole, wanted = Graphs.job, {*MONEY, *questions}

    def job(graphs: Graphs, *about: Any) -> dg.JobDefinition:  # noqa: ANN401 - what `job` takes
        made = whole(graphs, *about)
        keys = {key.to_user_string(): key for key in made.asset_layer.executable_asset_keys}
        kept = {
            key for name, key in keys.items() if name in wanted or key.path[0] in ("raw", "core")
        }
        return made.get_subset(asset_selection=kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Graphs, "job", job)
        yield


def of_names() -> tuple[str, ...]:
    """The assets that lead from the pages of the directory to its tables."""
    return tuple(one.key.to_user_string() for one in whole_assets())


def account_of(name: str) -> str:
    """The organization that a connection of the tests reads."""
    return ACCOUNTS.get(name, "org-tidewatermaps")


def organisation_of(account: str) -> Organisation:
    """The sample organization under another id: the same days, another payer."""
    return replace(ORGANISATION, fixtures=replace(ORGANISATION.fixtures, organization_id=account))


def connection(
    name: str,
    *,
    access: Literal["full", "costs_only"] = "full",
    start: date = FIRST_DAY,
) -> OpenAIConnection:
    """A connection to the sample API."""
    return OpenAIConnection(
        name=name,
        base_url="sample://organisation",
        start=start,
        access=access,
        organization_id=account_of(name),
    )


def house(home: Path, *names: str, now: datetime = NOW) -> House:
    """A home that is still empty, with well-behaved connections."""
    built = House(str(home), tuple(map(connection, names or ("tidewater",))), HandClock(now))
    for one in built.connections:
        built.serve(one.name)
    return built


def company_at(home: Path) -> Settings:
    """The settings of the sample company over twelve days, with its files in a home."""
    made = company(home, Wanted(12, providers=("openai",)), now=NOW, kinds=connection_kinds())
    for name, content in made.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    return made.settings


def connected(rows: Iterable[tuple[object, ...]]) -> pl.DataFrame:
    """mart.coverage of connections of today: rows without the last columns, read after each day."""
    whole = [(*one, None if one[3] == "missing" else True, True, None) for one in rows]
    return pl.DataFrame(whole, schema=Coverage.types(), orient="row")


def days(first: date, last: date) -> list[date]:
    """Both days and those between."""
    return list(DayRange(first, last))


def day(number: int) -> date:
    """A day of November 2026."""
    return date(2026, 11, number)


def usd(frame: pl.DataFrame, name: str, of: date) -> Decimal:
    """What one connection's rows of a day add up to."""
    return added(frame.filter(connection=name, day=of)["billed_usd"])


def added(amounts: Iterable[Decimal]) -> Decimal:
    """An exact sum, by another road than the package's."""
    whole = Decimal(0)
    for amount in amounts:
        whole = WIDE.add(whole, amount)
    return whole


def files(home: str | Path, below: str) -> dict[str, bytes]:
    """The content of every file below a folder of a home, by path."""
    root = Path(home)
    found = sorted(path for path in (root / below).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def stored(home: str | Path, *tables: type[Contract]) -> dict[str, object]:
    """What the lake holds: `core/spend/acme/2026-11-01` by slice, `core/users` as a whole."""
    lake, found = Lake(place(str(home))), dict[str, object]()
    for table in tables or all_contracts():
        path = f"{table.schema_name()}/{table.table_name()}"
        rows, slices = lake.read(table), lake.slices(table)
        if slices.is_empty() and lake.has(table):
            found[path] = rows.rows()
        parts = rows.partition_by("connection", "day", as_dict=True) if slices.height else {}
        for name, when, _, read_at in slices.iter_rows():
            part = parts.get((name, when), table.no_rows())
            found[f"{path}/{name}/{when}"] = (read_at, part.rows())
    return found


def of_day(home: str | Path, name: str, when: date) -> dict[str, object]:
    """What the lake holds of one (connection, day)."""
    return {path: rows for path, rows in stored(home).items() if path.endswith(f"/{name}/{when}")}
