"""Several processes on one home: at once, killed in the middle, and one inside the other."""

from __future__ import annotations

import os
import signal
import time
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
import msgspec
import polars as pl
import pytest

from openai_costs.orchestration.jobs import DIRECTORY
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.publish.publication_state import last_state
from openai_costs.outputs.publish.published_tables import PublishedTables
from openai_costs.outputs.report.cost_explorer import PAGE, read_page, read_tables
from openai_costs.outputs.report.render import render
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.storage.archive import open_read
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.read_names import SUFFIX
from openai_costs.storage.sql import connected
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import (
    FACTS,
    MONEY,
    NOW,
    RESTATED_DAY,
    SETTLED_NOT_RESTATED,
    House,
    calm,
    day,
    days,
    files,
    house,
    stored,
)
from openai_costs_tests.processes import started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    import httpx
    from deltalake import DeltaTable

    from openai_costs.outputs.report.page_tables import Tables
    from openai_costs.storage.packing import Manifest
    from openai_costs.tables.contract import Contract

FIRST, LAST = day(17), day(19)
ANSWERS: Final = (*FACTS, "mart/findings", "report/cost_explorer")
"""Tables of days and of all days, a table that the record keeps, and the page."""

STAGES: Final = {
    "fetch": "",
    "archive": "/raw/openai/tidewater/costs/2026-11-18/",
    "the ledger, before its commit": "before core/spend",
    "the ledger, between its commit and the log": "after core/spend",
    "usage": "before core/usage",
    "the marts": "before mart/spend",
    "the marts, between their commit and the log": "after mart/spend",
    "attribution": "before mart/spend_attribution",
    "publish": "/published/openai_costs.duckdb",
    "publish, between the database and the Parquet files": "/published/parquet/core.spend/",
}
LIVES: Final = (tuple(STAGES)[::2], tuple(STAGES)[1::2])
"""What a home goes through: the stages at which runs are killed. Neighbours are apart."""

STAGES_OF_NAMES: Final = {
    "a finished list": "/2026-11-23/api_keys.proj_model_evals.msgpack",
    "the archive": "/raw/openai/tidewater/directory/2026-11-23/",
    "a table": "before core/users",
}


def refreshed(home: str, first: date, last: date, *, only: Iterable[str] = ()) -> bool:
    return house(Path(home), now=NOW).run(first, last, only=only).is_green


def refresh(home: str, first: date, last: date, only: Iterable[str] = ()) -> None:
    """One process of its own: refresh some days."""
    if not refreshed(home, first, last, only=only):
        raise SystemExit("the run was red")


def refresh_and_die(home: str, at: str) -> None:
    """Refresh, and be killed at a commit, or with a half-written file at a path with `at` in it."""
    made = house(Path(home), now=NOW)
    if at:
        die_at(at)
    else:
        made.transports["tidewater"] = DiesAtTheSecondRequest(made.transports["tidewater"])
    made.run(FIRST, LAST, only=FACTS)


def read_names_and_die(home: str, at: str) -> None:
    """Read the directory, and be killed likewise."""
    die_at(at)
    house(Path(home), now=NOW).run(FIRST, LAST, job=DIRECTORY)


def die_at(at: str) -> None:
    moment, _, table = at.partition(" ")
    if moment in ("before", "after"):
        die_at_the_commit_to(table, is_after=moment == "after")
    else:
        die_before_renaming_to(at)


def die_at_the_commit_to(table: str, *, is_after: bool) -> None:
    """Be killed there; a table that is not there yet begins with its rows, without a commit."""
    commit, create = DeltaTables.commit, DeltaTables.create

    def die_first(tables: DeltaTables, name: str, make: Callable[[Any], None]) -> bool:
        if name == table and not is_after and tables.find(name) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return create(tables, name, make)

    def die_there(tables: DeltaTables, name: str, attempt: Callable[[DeltaTable], Any]) -> Any:  # noqa: ANN401
        done = commit(tables, name, attempt) if is_after or name != table else None
        if name == table:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    DeltaTables.create = die_first  # type: ignore[method-assign]
    DeltaTables.commit = die_there  # type: ignore[method-assign]


def die_before_renaming_to(at: str) -> None:
    rename = os.replace

    def die_there(source: str | Path, target: str | Path) -> None:
        if at in str(target):
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, target)

    os.replace = die_there


class DiesAtTheSecondRequest:
    """A network on which the process is killed while it waits."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner, self.sent = inner, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        if self.sent > 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.inner.handle_request(request)

    def close(self) -> None:
        self.inner.close()


def published(home: str | Path) -> dict[str, list[str]]:
    """Every published table's rows."""
    path = Path(home) / "published/openai_costs.duckdb"
    with duckdb.connect(str(path), read_only=True) as sql:
        return {
            table.full_name(): sorted(map(repr, sql.sql(f"FROM {table.full_name()}").fetchall()))
            for table in all_contracts()
        }


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home read before one of its days was restated."""
    made = house(tmp_path_factory.mktemp("processes") / "before", now=SETTLED_NOT_RESTATED)
    assert made.run(FIRST, LAST, only=ANSWERS).is_green
    return made


@pytest.fixture(scope="module")
def undisturbed(before: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The same home, refreshed later by a run that nobody disturbed."""
    made = before.moved_to(tmp_path_factory.mktemp("processes") / "undisturbed").at(NOW)
    made.serve("tidewater")
    assert made.run(FIRST, LAST, only=ANSWERS).is_green
    return made


@pytest.fixture(scope="module")
def killed_at(before: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, House]:
    """The homes that killed processes left: each began with what the one before it left.

    A process that is killed at its stage has got over what was left at an earlier one.
    """
    left: dict[str, House] = {}
    for life in LIVES:
        last = before
        for stage in life:
            last = left[stage] = last.moved_to(tmp_path_factory.mktemp("killed") / "home")
            victim = started(refresh_and_die, last.home, STAGES[stage])
            victim.join(120)
            assert victim.exitcode == -signal.SIGKILL, stage
    return left


class Facts(NamedTuple):
    """What readers are given before and after a run that nobody disturbed, and what it stored."""

    before: dict[str, object]
    after: dict[str, object]
    stored: dict[str, object]


@pytest.fixture(scope="module")
def facts(before: House, undisturbed: House) -> Facts:
    given = (of_facts(published(one.home)) for one in (before, undisturbed))
    return Facts(*given, of_facts(stored(undisturbed.home)))


@pytest.mark.parametrize("life", LIVES)
def test_processes_killed_at_every_stage_leave_a_home_that_the_next_run_completes(
    undisturbed: House,
    killed_at: dict[str, House],
    facts: Facts,
    tmp_path: Path,
    life: tuple[str, ...],
) -> None:
    for stage in life:
        seen = of_facts(published(killed_at[stage].home))
        assert seen in (facts.before, facts.after), stage

    home = killed_at[life[-1]].moved_to(tmp_path / "home").home
    assert refreshed(home, FIRST, LAST, only=FACTS)
    assert of_facts(stored(home)) == facts.stored
    assert visible(home, "raw") == visible(undisturbed.home, "raw")
    assert of_facts(published(home)) == facts.after


def of_facts(found: Mapping[str, object]) -> dict[str, object]:
    """What the assets of a killed run made: a table that is made of them is made anew each time."""
    return {
        name: rows
        for name, rows in found.items()
        if "/".join(name.replace(".", "/").split("/")[:2]) in FACTS
    }


def visible(home: str, below: str) -> dict[str, bytes]:
    """The files that readers look at: not what a killed process left half-written."""
    return {
        path: content for path, content in files(home, below).items() if not path.endswith(".tmp")
    }


def test_the_undisturbed_run_had_something_to_do(before: House, undisturbed: House) -> None:
    assert published(before.home) != published(undisturbed.home)


@pytest.mark.parametrize(
    "stage", ["the marts", "the marts, between their commit and the log", "attribution"]
)
def test_a_killed_process_publishes_no_day_in_part(
    killed_at: dict[str, House], tmp_path: Path, stage: str
) -> None:
    home = killed_at[stage].moved_to(tmp_path / "home")
    # Another day's run publishes while the killed run's days are between core and mart.
    assert refreshed(home.home, day(20), day(20), only=MONEY)
    with duckdb.connect(str(home.published), read_only=True) as sql:
        for when in days(FIRST, day(20)):
            sums = {sum_of(sql, table.full_name(), when) for table in TOGETHER}
            assert len(sums) == 1, when
            assert None not in sums, when


def sum_of(sql: duckdb.DuckDBPyConnection, table: str, when: date) -> Decimal | None:
    question = f"SELECT sum(billed_usd) FROM {table} WHERE day = ?"  # noqa: S608 - our own names
    found: Decimal | None = sql.execute(question, [when]).fetchall()[0][0]
    return found


def test_after_a_kill_at_any_stage_a_page_has_what_the_database_has(
    before: House, killed_at: dict[str, House], tmp_path: Path
) -> None:
    for stage, left in killed_at.items():
        assert shown(left.home) == in_database(left.home), stage
    # Another day's run makes the page while the killed run's days are between core and mart.
    home = killed_at["the marts"].moved_to(tmp_path / "home").home
    assert refreshed(home, day(20), day(20), only=(*FACTS, "report/cost_explorer"))
    assert shown(home) == in_database(home)
    # The days that are in flight are not late, and count for budgets and anomalies as before.
    assert states(home) == states(before.home) | {day(20): "settled"}
    page = render(read_page(publication(home), NOW))
    assert (place(home) / PAGE).read_text("utf-8") == page


def states(home: str) -> dict[date, str]:
    costs = Lake(place(home)).read(Coverage).filter(pl.col("source") == "costs")
    ours = costs.filter(pl.col("day").is_between(FIRST, day(20)), pl.col("state") != "missing")
    return dict(ours.select("day", "state").rows())


def publication(home: str) -> Publication:
    return Publication(place(home), Lake(place(home)))


def shown(home: str) -> dict[str, list[str]]:
    """The rows of every table that a page is made of."""
    with publication(home).tables() as tables:
        return rows_of(read_tables(tables, NOW))


def in_database(home: str) -> dict[str, list[str]]:
    with connected(f"{home}/{DATABASE}", read_only=True) as sql:
        return rows_of(read_tables(PublishedTables(sql, last_state(place(home))), NOW))


def rows_of(tables: Tables) -> dict[str, list[str]]:
    frames = {name: it for name, it in tables._asdict().items() if isinstance(it, pl.DataFrame)}
    return {name: sorted(map(repr, frame.rows())) for name, frame in frames.items()}


@pytest.fixture(scope="module")
def named(before: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The first home with a directory that was read undisturbed."""
    made = before.moved_to(tmp_path_factory.mktemp("processes") / "named").at(NOW)
    made.serve("tidewater")
    assert made.run(FIRST, LAST, job=DIRECTORY).is_green
    return made


@pytest.mark.parametrize("stage", STAGES_OF_NAMES)
def test_a_process_killed_while_it_reads_names_goes_on_where_it_was(
    before: House, named: House, tmp_path: Path, stage: str
) -> None:
    copy = before.moved_to(tmp_path / "home").at(NOW)
    victim = started(read_names_and_die, copy.home, STAGES_OF_NAMES[stage])
    victim.join(120)
    assert victim.exitcode == -signal.SIGKILL
    assert published(copy.home) == published(before.home)

    copy.serve("tidewater")
    assert copy.run(FIRST, LAST, job=DIRECTORY).is_green
    assert published(copy.home) == published(named.home)
    assert stored(copy.home) == stored(named.home)
    # A reading that is in the archive is not unfinished: another one asks for every list.
    if stage != "a table":
        assert len(copy.asked("tidewater")) < len(named.asked("tidewater")) / 2
        assert kept_reads(copy) == kept_reads(named)
        assert notes(copy.home) == notes(named.home)


def kept_reads(made: House) -> dict[str, tuple[Manifest, Mapping[str, bytes]]]:
    """Every kept read by its path, without the clocks: lists that are not asked for have none."""
    paths = [path for path in visible(made.home, "raw") if path.endswith(SUFFIX)]
    opened = {path: open_read(place(made.home) / path) for path in paths}
    return {
        path: (msgspec.structs.replace(one.manifest, clock_at=None, server_at=None), one.bodies)
        for path, one in opened.items()
    }


def notes(home: str) -> dict[str, bytes]:
    """What is kept beside the reads: notes, and no list that is unfinished."""
    kept = visible(home, "raw").items()
    return {path: content for path, content in kept if not path.endswith(SUFFIX)}


def test_two_processes_refresh_different_days_of_one_home_at_once(
    before: House, facts: Facts, tmp_path: Path
) -> None:
    home = before.moved_to(tmp_path / "home").home
    both = [
        started(refresh, home, FIRST, RESTATED_DAY, FACTS),
        started(refresh, home, LAST, LAST, FACTS),
    ]
    for process in both:
        process.join(180)
    assert [process.exitcode for process in both] == [0, 0]
    assert of_facts(published(home)) == facts.after


def test_two_processes_refresh_the_same_days_at_once_while_a_reader_looks_on(
    undisturbed: House, before: House, tmp_path: Path
) -> None:
    home = before.moved_to(tmp_path / "home").home
    both = [started(refresh, home, FIRST, LAST, ANSWERS) for _ in range(2)]
    looks, known = 0, {*usd_by_day(before.home), *usd_by_day(undisturbed.home)}
    while any(process.is_alive() for process in both):
        assert len(set(published_sums(home))) == 1
        assert set(usd_by_day(home)) <= known
        looks += 1
        both[0].join(0.1)
    assert looks > 2
    assert [process.exitcode for process in both] == [0, 0]
    assert stored(home) == stored(undisturbed.home)
    assert published(home) == published(undisturbed.home)


def test_a_run_that_finishes_inside_another_is_not_forgotten_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    outer, inner = house(home), house(home)
    replace_whole = Lake.replace_whole
    verdicts: list[bool] = []
    other = Thread(target=lambda: verdicts.append(inner.run(day(18), day(18), only=FACTS).is_green))

    def overtake(lake: Lake, table: type[Contract], frame: pl.DataFrame) -> None:
        """Replace coverage only when the other run has written its day."""
        if table is Coverage and other.ident is None:
            other.start()
            while day(18) not in lake.days(SpendControl, inner.connections[0].name):
                time.sleep(0.05)
        replace_whole(lake, table, frame)

    monkeypatch.setattr(Lake, "replace_whole", overtake)
    with calm():
        ran = outer.run(day(17), day(17), only=FACTS)
        assert ran.is_green, ran.failures
        other.join(timeout=120)
    assert verdicts == [True]
    states = dict(outer.lake.read(Coverage).select("day", "state").rows())
    assert (states[day(17)], states[day(18)]) == ("settled", "settled")


def usd_by_day(home: str) -> Iterator[tuple[date, Decimal]]:
    """The dollars of each day on a page, the same in each table that it is made of."""
    with publication(home).tables() as published:
        tables = read_tables(published, NOW)
    sums = [
        frame.group_by("day").agg(usd=pl.col("billed_usd").sum()).filter(pl.col("usd") != 0)
        for frame in (tables.spend, tables.attribution, tables.lines, tables.ledger)
    ]
    assert all(one.sort("day").equals(sums[0].sort("day")) for one in sums)
    yield from sums[0].iter_rows()


def published_sums(home: str) -> tuple[Any, ...]:
    tables = ("core.spend", "core.spend_by_user", "core.spend_control", "mart.spend")
    path = Path(home) / "published/openai_costs.duckdb"
    with duckdb.connect(str(path), read_only=True) as sql:
        return tuple(
            sql.sql(f"SELECT sum(billed_usd) FROM {table}").fetchall()[0][0]  # noqa: S608
            for table in tables
        )
