from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import (
    AccessRefused,
    MissingKey,
    ProviderUnavailable,
    RequestRefused,
)
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.hints import Hints, recall
from openai_costs.sources.openai.reader import first_day
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.openai.usage.frames import usage_batches
from openai_costs.sources.openai.usage.source import OpenAIUsage, first_usage_day
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs_tests.sources.openai.usage.wire import ENDPOINTS, Wire, result
from openai_costs_tests.sources.openai.wire import ACME, DAY, after, as_kept, asked_days, table

TODAY = date(2026, 11, 22)
NOON = datetime.combine(TODAY, time(12), UTC)
PATHS = {endpoint.path for endpoint in USAGE_ENDPOINTS}


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def back(days: int) -> DayRange:
    return DayRange(ago(days), ago(1))


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


class Desk:
    """A source over literal results, with an archive that outlives its runs."""

    def __init__(self, home: str, **connection: object) -> None:
        said = {"name": "acme", "base_url": "sample://literal", "start": date(2020, 1, 1)}
        self.connection = OpenAIConnection.model_validate(said | connection)
        self.archive = Archive(UPath(home))
        self.settings = Settings(
            home=home, config_file=Path("none.toml"), connections=(self.connection,)
        )
        self.told: list[str] = []

    def read(self, wire: Wire, days: DayRange) -> list[DayRead]:
        source = OpenAIUsage(self.settings, self.archive, lambda: NOON, Reach(lambda _: wire))
        return list(source.read(self.connection, days, self.told.append))

    def learned(self, note: str) -> Hints:
        return recall(self.archive.note("openai", "acme", note))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(str(tmp_path))


def days_of(reads: Sequence[DayRead]) -> list[date]:
    return [read.day for read in reads]


def test_a_day_has_a_part_for_every_endpoint_verbatim(desk: Desk):
    wire = Wire({("images", ago(1)): [result("images", images=12)]})
    (read,) = desk.read(wire, back(1))
    assert (read.provider, read.dataset, read.day) == ("openai", "usage", ago(1))
    assert [*read.bodies] == [*ENDPOINTS]
    assert b'"images": 12' in read.bodies["images"]
    assert read.requests["images"][0] == "/organization/usage/images"
    assert read.requests["images"][2] == [*ENDPOINTS["images"].dimensions]
    assert read.absent == {}


def test_a_read_survives_the_archive(desk: Desk):
    wire = Wire(refusals={"decisions": (404, "", "Not for you.")})
    (read,) = desk.read(wire, back(1))
    desk.archive.keep(read)
    (found,) = desk.archive.newest("openai", "acme", "usage", back(1))
    assert isinstance(found, KeptRead)
    assert dict(found.bodies) == dict(read.bodies)
    assert found.manifest.absent == {"decisions": "Not for you."}


def test_a_year_is_twelve_windows_newest_first_of_one_request_per_endpoint(desk: Desk):
    wire = Wire()
    reads = desk.read(wire, back(365))
    assert sorted(days_of(reads)) == [*back(365)]
    assert days_of(reads)[:31] == [*back(31)]
    assert len(wire.asked) == 12 * len(PATHS) == 132


def test_nothing_but_the_usage_endpoints_is_asked(desk: Desk):
    wire = Wire(floors={"completions": ago(10), "images": ago(5)})
    desk.read(wire, back(40))
    assert set(wire.paths()) == PATHS
    assert {request.method for request in wire.asked} == {"GET"}


def test_progress_names_the_days_and_what_is_not_there(desk: Desk):
    desk.read(Wire(refusals={"decisions": (404, "", "Not for you.")}), back(7))
    assert desk.told == [
        f"acme: read usage of {ago(7)} to {ago(1)} without decisions (7 of 7 days)"
    ]


def test_today_is_read_as_far_as_it_has_come(desk: Desk):
    assert days_of(desk.read(Wire(), DayRange(ago(1), TODAY))) == [ago(1), TODAY]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_without_the_scope_is_refused_once_with_the_scope(desk: Desk, status: int):
    refusals = dict.fromkeys(ENDPOINTS, (status, "", "Missing scopes: api.usage.read"))
    wire = Wire(refusals=refusals)
    with pytest.raises(AccessRefused, match=r"api\.usage\.read"):
        desk.read(wire, back(3))
    assert len(wire.asked) == 1


def test_an_endpoint_refused_with_404_is_absent_and_the_others_are_read(desk: Desk):
    wire = Wire(refusals={"decisions": (404, "", "Not for you.")})
    (read,) = desk.read(wire, back(1))
    assert [*read.bodies] == [name for name in ENDPOINTS if name != "decisions"]
    assert set(read.requests) == set(read.bodies)
    assert read.absent == {"decisions": "Not for you."}


def test_usage_that_is_not_given_at_all_is_a_failure(desk: Desk):
    with pytest.raises(RequestRefused, match="Not for you"):
        desk.read(Wire(refusals=dict.fromkeys(ENDPOINTS, (404, "", "Not for you."))), back(3))


def test_an_outage_of_one_endpoint_hands_on_nothing_of_its_window(desk: Desk):
    with pytest.raises(ProviderUnavailable, match="usage/images"):
        desk.read(Wire(refusals={"images": (503, "", "later")}), back(3))


@pytest.mark.parametrize("age", [1, 30, 31, 32, 60])
def test_the_floor_of_usage_is_found_and_remembered_beside_that_of_costs(desk: Desk, age: int):
    floors = dict.fromkeys(ENDPOINTS, ago(age))
    assert sorted(days_of(desk.read(Wire(floors=floors), back(90)))) == [*back(age)]
    assert desk.learned("learned_usage").floor == ago(age)
    assert desk.learned("learned").floor is None
    assert first_usage_day(desk.archive, desk.connection) == ago(age)
    assert first_day(desk.archive, desk.connection) == date(2020, 1, 1)
    again = Wire(floors=floors)
    desk.read(again, back(90))
    assert min(asked_days(one.url.params.multi_items()).first for one in again.asked) == ago(age)


def test_days_before_a_younger_endpoint_say_when_it_begins(desk: Desk):
    reads = desk.read(Wire(floors={"decisions": ago(3)}), back(5))
    assert days_of(reads) == [*back(5)]
    assert ["decisions" in read.bodies for read in reads] == [False, False, True, True, True]
    assert [read.absent for read in reads] == [
        {"decisions": f"its history begins on {ago(3)}"}
    ] * 2 + [{}] * 3


def test_days_before_the_start_of_a_connection_are_not_asked_for(tmp_path: Path):
    late = Desk(str(tmp_path), start=ago(2))
    wire = Wire()
    assert days_of(late.read(wire, back(9))) == [*back(2)]
    assert {asked_days(one.url.params.multi_items()) for one in wire.asked} == {back(2)}


def test_a_missing_key_is_an_error_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ACME_KEY", raising=False)
    keyed = Desk(str(tmp_path), base_url="http://127.0.0.1/v1", admin_key_env="ACME_KEY")
    wire = Wire()
    with pytest.raises(MissingKey, match="ACME_KEY"):
        keyed.read(wire, back(3))
    assert wire.asked == []


counts = st.integers(0, 10**9)
wires = st.dictionaries(
    st.tuples(st.sampled_from(sorted(ENDPOINTS)), st.integers(0, 5).map(after)),
    st.lists(st.tuples(st.sampled_from([None, "", "proj_ferry", "proj_tide"]), counts), max_size=3),
    max_size=8,
)


@given(wires, st.sets(st.integers(1, 5)))
@settings(max_examples=25, deadline=None)
def test_days_read_in_any_windows_give_the_same_table(
    said: Mapping[tuple[str, date], Sequence[tuple[str | None, int]]], cuts: set[int]
):
    texts = {
        (name, day): [
            result(name, project_id=project, **{counted(name): count}) for project, count in rows
        ]
        for (name, day), rows in said.items()
    }
    here = Desk("memory://nowhere", start=DAY)
    edges = pairwise(sorted(cuts | {0, 6}))
    ranges = [DayRange(after(first), after(end - 1)) for first, end in edges]
    whole = here.read(Wire(texts), DayRange(DAY, after(5)))
    split = [read for days in ranges for read in here.read(Wire(texts), days)]
    first, second = (
        table(usage_batches([as_kept(read) for read in reads], ACME)) for reads in (whole, split)
    )
    assert_frame_equal(second, first)


def counted(name: str) -> str:
    measures = ENDPOINTS[name].measures
    return measures.quantity[0] if measures.quantity else measures.required[0]
