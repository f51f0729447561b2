"""A publication that continues the last one has exactly what one has that is built anew."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from upath import UPath

from openai_costs.outputs.publish import database, key_sums
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.database import Published, publish
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.parquet_copies import PARQUET
from openai_costs.outputs.publish.publication_state import unpublished
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import PUBLICATION_STATE
from openai_costs.storage.renamed import rename_connection
from openai_costs.storage.slice_log import SliceLog
from openai_costs.storage.slices import Batch, Slice
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.storage.upkeep import tidy
from openai_costs.tables.contract import Contract, all_contracts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs_tests.examples import TIMES, examples
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.publish.test_database import row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MORNING: Final = datetime(2026, 11, 3, 6, tzinfo=UTC)
DAYS: Final = (date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 2))
BEFORE_THAT: Final = date(2026, 9, 30)


class KilledError(BaseException):
    """The end of a process."""


class Home:
    """A home in which things happen between two publications."""

    def __init__(self, path: Path) -> None:
        self.path, self.home, self.reads = path, UPath(path), 0
        self.write("acme", BEFORE_THAT, "3")
        self.cover()

    def write(
        self, connection: str, when: date, usd: str, tables: tuple[type[Contract], ...] = TOGETHER
    ) -> None:
        """What a read of a day writes; no dollars are not rows."""
        self.reads += 1
        at = MORNING + timedelta(minutes=self.reads)
        for table in tables:
            frame = row(table, when, usd).with_columns(connection=pl.lit(connection))
            rows = frame if Decimal(usd) else frame.clear()
            done = Lake(self.home).replace(table, [Batch(rows, {Slice(connection, when): at})])
            assert not done.refused

    def empty(self, connection: str, when: date, _usd: str) -> None:
        self.write(connection, when, "0")

    def leave_in_flight(self, connection: str, when: date, usd: str) -> None:
        self.write(connection, when, usd, (Spend, SpendControl))

    def untie(self, connection: str, when: date, usd: str) -> None:
        self.write(connection, when, usd)
        self.derive(SpendControl, connection, when, str(Decimal(usd) + 1))

    def restate(self, connection: str, when: date, usd: str) -> None:
        """Other names for the same dollars of the same read."""
        self.derive(MartSpend, connection, when, usd, project="renamed")

    def derive(
        self,
        table: type[Contract],
        connection: str,
        when: date,
        usd: str,
        project: str = "p",
    ) -> None:
        """Write a table again from the read it has."""
        lake, key = Lake(self.home), Slice(connection, when)
        if (at := lake.reads(table).get(key)) is not None:
            frame = row(table, when, usd, project=project)
            rows = frame.with_columns(connection=pl.lit(connection))
            lake.replace(table, [Batch(rows, {key: at})])

    def die_between_rows_and_log(self, connection: str, when: date, usd: str) -> None:
        with patch.object(SliceLog, "add", dies), suppress(KilledError):
            self.write(connection, when, usd, (MartSpend,))

    def remove(self, connection: str, _when: date, _usd: str) -> None:
        Lake(self.home).remove_slices(f"connection = '{connection}'")

    def rename(self, connection: str, _when: date, _usd: str) -> None:
        rename_connection(self.home, "openai", connection, f"{connection}-renamed")

    def tidy_up(self, *_: object) -> None:
        tables = DeltaTables(self.home / "lake")
        for table in TOGETHER:
            StoredSlices(tables).fold(path_of(table))
            with patch("openai_costs.storage.upkeep.MOST_FILES", 1):
                if tables.find(path_of(table)) is not None:
                    tidy(tables, path_of(table))

    def publish_and_die_after_the_database(self, *_: object) -> None:
        with patch.object(database, "put_in_place", dies), suppress(KilledError):
            self.publish()

    def publish_and_die_before_the_state(self, *_: object) -> None:
        with patch.object(database, "note_state", dies), suppress(KilledError):
            self.publish()

    def cover(self, *_: object) -> None:
        """Compute mart.coverage from what is stored."""
        slices = Lake(self.home).slices(Spend)
        rows = [
            (name, "costs", day, "settled", rows, Decimal(1), at)
            for name, day, rows, at in slices.iter_rows()
        ]
        Lake(self.home).replace_whole(Coverage, connected(rows))

    def publish(self) -> Published:
        return publish(self.home, Lake(self.home))

    @contextmanager
    def twin(self) -> Iterator[Home]:
        """The same home elsewhere, in which the next publication is built anew."""
        with TemporaryDirectory() as folder:
            copy = self.copied(Path(folder) / "twin")
            (copy.path / PUBLICATION_STATE).unlink(missing_ok=True)
            yield copy

    def copied(self, path: Path) -> Home:
        copytree(self.path, path)
        copy = object.__new__(Home)
        copy.path, copy.home, copy.reads = path, UPath(path), self.reads
        return copy

    def content(self) -> dict[str, list[Any]]:
        """Every row of every table and Parquet file that is published."""
        tables = [table.full_name() for table in all_contracts()]
        found = self.published_rows([*tables, key_sums.NAME])
        for name in tables:
            rows = pl.read_parquet(self.copies(name, "*")).rows()
            found[f"parquet {name}"] = sorted(rows, key=repr)
        return found

    def shown(self) -> dict[str, list[Any]]:
        """Every row of every view: what the tables lead to."""
        return self.published_rows([f"bi.{view.name}" for view in VIEWS])

    def published_rows(self, names: list[str]) -> dict[str, list[Any]]:
        with duckdb.connect(str(self.home / DATABASE), read_only=True) as sql:
            return {name: sorted(sql.sql(f"FROM {name}").fetchall(), key=repr) for name in names}

    def copies(self, table: str, stem: str) -> Path:
        return self.path / PARQUET / table / f"{stem}.parquet"

    def months(self, table: str) -> list[str]:
        return sorted(path.stem for path in self.copies(table, "*").parent.iterdir())


def dies(*_: object, **_named: object) -> None:
    raise KilledError


EVENTS: Final[tuple[Callable[..., None], ...]] = (
    Home.write,
    Home.empty,
    Home.leave_in_flight,
    Home.untie,
    Home.restate,
    Home.die_between_rows_and_log,
    Home.remove,
    Home.rename,
    Home.tidy_up,
    Home.cover,
    Home.publish_and_die_after_the_database,
    Home.publish_and_die_before_the_state,
)
EVERYTHING: Final = [
    [
        (event, "acme", DAYS[number % len(DAYS)], "2.000000000000000001")
        for number, event in enumerate(EVENTS)
        if number % 2 == rest
    ]
    for rest in range(2)
]
"""Every event once, in two rounds."""
happened = st.tuples(
    st.sampled_from(EVENTS),
    st.sampled_from(["acme", "bolt"]),
    st.sampled_from(DAYS),
    st.sampled_from(["1", "2.000000000000000001", "30"]),
)


@settings(max_examples=examples(1), phases=Phase if TIMES > 1 else [Phase.explicit])
@example(rounds=EVERYTHING)
@given(rounds=st.lists(st.lists(happened, min_size=1, max_size=4), min_size=2, max_size=3))
def test_a_continued_publication_has_the_rows_of_one_that_is_built_anew(
    rounds: list[list[tuple[Callable[..., None], str, date, str]]],
) -> None:
    with TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.publish()
        for events in rounds:
            for event, *about in events:
                event(home, *about)
            with home.twin() as twin:
                rebuilt, continued = twin.publish(), home.publish()
                assert rebuilt.is_rebuilt
                assert continued.in_flight == rebuilt.in_flight
                assert continued.withheld == rebuilt.withheld
                assert continued.rows == rebuilt.rows
                assert home.content() == twin.content()
                if events is rounds[-1]:
                    assert home.shown() == twin.shown()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("filling") / "home")
    for when in DAYS:
        made.write("acme", when, "1")
    made.publish()
    return made


@pytest.fixture
def home(sound: Home, tmp_path: Path) -> Home:
    """The same home elsewhere, so that a test may do to it what it likes."""
    return sound.copied(tmp_path / "home")


def test_nothing_is_built_anew_after_a_day_was_read_again(home: Home) -> None:
    home.write("acme", DAYS[2], "5")
    assert not home.publish().is_rebuilt
    assert len(home.content()["core.spend"]) == len(DAYS) + 1


def test_what_happens_to_slices_does_not_need_a_rebuilt_database(home: Home) -> None:
    for event in (Home.restate, Home.tidy_up, Home.rename, Home.remove):
        event(home, "acme", DAYS[0], "1")
        home.write("acme", DAYS[2], "1")
    assert not home.publish().is_rebuilt
    with home.twin() as twin:
        assert twin.publish().is_rebuilt
        assert home.content() == twin.content()


def test_only_the_slices_that_changed_are_read_from_the_lake(home: Home) -> None:
    home.write("acme", DAYS[2], "5")
    home.tidy_up()
    asked: list[pl.DataFrame | None] = []
    relation = Lake.relation

    def noted(lake: Lake, table: type[Contract], slices: pl.DataFrame | None = None) -> str:
        asked.append(slices)
        return relation(lake, table, slices)

    with patch.object(Lake, "relation", noted):
        home.publish()
    assert [list(one["day"]) for one in asked if one is not None] == [[DAYS[2]]] * len(TOGETHER)
    assert len(asked) == len(TOGETHER)


def test_an_unchanged_lake_is_published_without_a_look_at_its_rows(home: Home) -> None:
    with patch.object(Lake, "relation", dies):
        assert not home.publish().is_rebuilt


def test_days_that_an_older_version_published_are_published(home: Home) -> None:
    home.publish()
    older_state(home)
    assert unpublished(home.path, Lake(home.path)) == []


def next_month(home: Home) -> None:
    home.write("acme", date(2026, 12, 1), "1")


def other_structure(home: Home) -> None:
    state = home.path / PUBLICATION_STATE
    state.write_text(state.read_text().replace('"structure": "', '"structure": "0'))


def a_flipped_bit(home: Home) -> None:
    content = bytearray((home.path / DATABASE).read_bytes())
    content[-1] ^= 1
    (home.path / DATABASE).write_bytes(content)


def no_database(home: Home) -> None:
    (home.path / DATABASE).unlink()


def no_state(home: Home) -> None:
    (home.path / PUBLICATION_STATE).write_text("[1, 2")


def foreign_state(home: Home) -> None:
    (home.path / PUBLICATION_STATE).write_text('{"structure": 1, "versions": [], "kept": 2}')


def older_state(home: Home) -> None:
    """What a version wrote that did not note the newest commit."""
    state = json.loads((home.path / PUBLICATION_STATE).read_text())
    del state["commit"]
    (home.path / PUBLICATION_STATE).write_text(json.dumps(state))


def another_table(home: Home) -> None:
    """One that was removed, and rebuilt, and has as many versions."""
    folder = home.path / "lake/mart/spend"
    folder.rename(home.path / "elsewhere")
    for when in (BEFORE_THAT, *DAYS):
        home.write("acme", when, "7")


def a_lake_from_a_backup(home: Home) -> None:
    """One that is put back as it was before a publication, and has made as many versions since."""
    copytree(home.path / "lake", home.path / "backup")
    home.write("acme", DAYS[1], "5")
    home.publish()
    rmtree(home.path / "lake")
    (home.path / "backup").rename(home.path / "lake")
    home.write("acme", DAYS[2], "7")


HARMS: Final = (other_structure, a_flipped_bit, no_database, no_state, foreign_state, older_state)


@pytest.mark.parametrize("event", [*HARMS, next_month, another_table, a_lake_from_a_backup])
def test_a_publication_that_cannot_be_continued_begins_with_an_empty_database(
    home: Home, event: Callable[[Home], None]
) -> None:
    event(home)
    with patch.object(database, "empty_database", dies), pytest.raises(KilledError):
        home.publish()


def test_a_publication_that_is_built_anew_has_the_rows_of_the_lake_and_is_continued(
    home: Home,
) -> None:
    a_lake_from_a_backup(home)
    assert home.publish().is_rebuilt
    assert not home.publish().is_rebuilt
    with home.twin() as twin:
        twin.publish()
        assert home.content() == twin.content()
