import json
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.days import DayRange, epoch
from openai_costs.settings.connection import FIRST_DAY_WITHOUT_START
from openai_costs.settings.load import Settings
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.costs.source import OpenAICosts
from openai_costs.sources.openai.hints import Hints, recall
from openai_costs.sources.openai.reader import first_day, since
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openai.usage.source import OpenAIUsage, first_usage_day
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive
from openai_costs_tests.sources.openai.wire import asked_days, bucket, page

MARCH = DayRange(date(2026, 3, 1), date(2026, 3, 31))
MADE = date(2026, 3, 20)
KEY_MADE = date(2026, 3, 18)
NOON = datetime(2026, 4, 2, 12, tzinfo=UTC)


class Organisation(httpx.BaseTransport):
    """An organisation whose oldest project and key were made on some days, without any spend."""

    def __init__(self, refuses: int | None = None) -> None:
        self.refuses = refuses
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path
        if "/projects" not in path:
            days = asked_days(request.url.params.multi_items())
            return httpx.Response(200, content=page(*map(bucket, days)))
        if self.refuses:
            return httpx.Response(self.refuses, json={"error": {"message": "api.management.read"}})
        made = KEY_MADE if path.endswith("api_keys") else MADE
        listed = {"id": "proj_ferry", "created_at": epoch(made), "name": "Ferry"}
        body = {"object": "list", "data": [listed], "has_more": False, "last_id": "proj_ferry"}
        return httpx.Response(200, content=json.dumps(body))

    @property
    def listed(self) -> list[str]:
        return [one.url.path for one in self.asked if "/projects" in one.url.path]

    @property
    def first_asked(self) -> date:
        buckets = (one for one in self.asked if "/projects" not in one.url.path)
        return min(asked_days(one.url.params.multi_items()).first for one in buckets)


class Desk:
    def __init__(self, home: Path, **connection: object) -> None:
        said = {"name": "acme", "base_url": "sample://literal"}
        self.connection = OpenAIConnection.model_validate(said | connection)
        self.archive = Archive(UPath(home))
        self.settings = Settings(
            home=str(home), config_file=home / "none.toml", connections=(self.connection,)
        )
        self.told: list[str] = []

    def read(self, source: type[OpenAICosts] | type[OpenAIUsage], wire: Organisation) -> list[date]:
        reader = source(self.settings, self.archive, lambda: NOON, Reach(lambda _: wire))
        return [read.day for read in reader.read(self.connection, MARCH, self.told.append)]

    @property
    def note(self) -> UPath:
        return self.archive.note("openai", "acme")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


sources = pytest.mark.parametrize("source", [OpenAICosts, OpenAIUsage])


@sources
def test_history_begins_when_the_oldest_project_or_key_was_made(
    desk: Desk, source: type[OpenAICosts] | type[OpenAIUsage]
):
    wire = Organisation()
    assert desk.read(source, wire) == [*DayRange(KEY_MADE, MARCH.last)]
    assert wire.first_asked == KEY_MADE
    assert recall(desk.note).created == KEY_MADE
    assert desk.told[0] == f"acme: its oldest project or key was made on {KEY_MADE}"


def test_the_oldest_thing_is_asked_for_once_and_known_to_both_readers(desk: Desk):
    desk.read(OpenAICosts, Organisation())
    for source in (OpenAICosts, OpenAIUsage):
        again = Organisation()
        assert desk.read(source, again) == [*DayRange(KEY_MADE, MARCH.last)]
        assert again.listed == []


@sources
def test_a_connection_with_a_start_is_not_asked_how_old_it_is(
    tmp_path: Path, source: type[OpenAICosts] | type[OpenAIUsage]
):
    wire, desk = Organisation(), Desk(tmp_path, start=date(2026, 3, 5))
    assert desk.read(source, wire) == [*DayRange(date(2026, 3, 5), MARCH.last)]
    assert wire.listed == []


def test_a_connection_that_gives_costs_only_is_not_asked_how_old_it_is(tmp_path: Path):
    wire, desk = Organisation(), Desk(tmp_path, access="costs_only")
    assert desk.read(OpenAICosts, wire) == [*MARCH]
    assert wire.listed == []


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_key_that_may_not_list_projects_reads_from_the_first_day_of_all(desk: Desk, status: int):
    wire = Organisation(refuses=status)
    with stamina.set_testing(True, attempts=1):
        assert desk.read(OpenAICosts, wire) == [*MARCH]
    assert recall(desk.note) == Hints()
    assert first_day(desk.archive, desk.connection) == FIRST_DAY_WITHOUT_START


def test_a_run_over_days_before_the_oldest_thing_asks_for_no_day(desk: Desk):
    write_note(desk.note, Hints(created=date(2026, 6, 1)))
    wire = Organisation()
    assert desk.read(OpenAICosts, wire) == []
    assert wire.asked == []


@pytest.mark.parametrize(
    ("start", "learned", "expected"),
    [
        (None, Hints(), FIRST_DAY_WITHOUT_START),
        (None, Hints(created=MADE), MADE),
        (None, Hints(created=date(2021, 5, 1)), FIRST_DAY_WITHOUT_START),
        (None, Hints(created=MADE, floor=KEY_MADE), MADE),
        (None, Hints(created=KEY_MADE, floor=MADE), MADE),
        (date(2026, 1, 1), Hints(created=MADE), date(2026, 1, 1)),
        (date(2026, 1, 1), Hints(floor=MADE), MADE),
    ],
)
def test_the_first_day_is_the_latest_of_what_is_known(
    tmp_path: Path, start: date | None, learned: Hints, expected: date
):
    desk = Desk(tmp_path, start=start)
    write_note(desk.note, learned)
    assert first_day(desk.archive, desk.connection) == expected
    assert first_usage_day(desk.archive, desk.connection) == expected


def test_usage_may_begin_later_than_costs(desk: Desk):
    write_note(desk.note, Hints(created=KEY_MADE))
    write_note(desk.archive.note("openai", "acme", "learned_usage"), Hints(floor=MADE))
    assert first_day(desk.archive, desk.connection) == KEY_MADE
    assert first_usage_day(desk.archive, desk.connection) == MADE


def test_a_floor_met_later_does_not_forget_when_history_began():
    refused = Hints(created=MADE).refused(MARCH, (("user_id",),), MADE)
    assert refused.created == refused.with_floor(KEY_MADE).created == MADE
    assert refused.with_floor(KEY_MADE).refusals == refused.refusals


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (date(2026, 2, 1), MARCH),
        (MADE, DayRange(MADE, MARCH.last)),
        (MARCH.last, DayRange(MARCH.last, MARCH.last)),
        (date(2026, 4, 1), None),
    ],
)
def test_days_since_a_day(first: date, expected: DayRange | None):
    assert since(MARCH, first) == expected
