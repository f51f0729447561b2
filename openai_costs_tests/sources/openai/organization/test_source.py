import json
import logging
import os
import signal
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from pyrate_limiter import Limiter

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import AccessRefused, MissingKey, ProviderUnavailable
from openai_costs.sources.ingest import Ingested, ingest, sources
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.hints import Hints, recall
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs_tests.processes import started
from openai_costs_tests.sources.openai.organization.wire import (
    DAY,
    NOON,
    Desk,
    Lists,
    organisation,
    page,
    project,
    recorded,
    seconds,
    user,
)

OF_A_PROJECT = ("api_keys", "users", "service_accounts", "spend_limit", "spend_alerts")
OF_THE_ORGANISATION = ("projects", "users", "invites", "admin_api_keys", "spend_limit")
VENDOR = "https://api.openai.com/v1"


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def whole_day(desk: Desk) -> DayRange:
    return DayRange(desk.now.date(), desk.now.date())


def tried(desk: Desk, wire: httpx.BaseTransport) -> Ingested:
    """One try, as the asset makes it: what was read is kept before the reader goes on."""
    reader = desk.reader(wire)
    told = desk.told.append
    asked = sources(
        lambda one, tell: reader.read(one, whole_day(desk), tell),
        [desk.connection],
        whole_day(desk),
    )
    return ingest(asked, desk.archive, told)


def kept(desk: Desk) -> list[KeptRead]:
    reads = desk.archive.every("openai", "acme", "directory")
    return [read for read in reads if isinstance(read, KeptRead)]


def left(desk: Desk) -> set[str]:
    """The finished lists of unfinished readings."""
    folder = Path(str(desk.archive.room("openai", "acme", "directory-unfinished")))
    return {file.stem for file in folder.rglob("*.msgpack")}


def test_a_directory_is_one_read_of_the_day_with_a_part_per_page(desk: Desk):
    tried(desk, Lists(organisation("a", "b")))
    (read,) = kept(desk)
    assert (read.manifest.day, read.manifest.read_at) == (DAY, NOON)
    assert set(read.bodies) == {
        *(f"{name}.0" for name in (*OF_THE_ORGANISATION, "spend_alerts")),
        *(
            f"{name}.proj_{one}.0"
            for one in "ab"
            for name in (*("api_keys", "members", "service_accounts"), "spend_limit")
        ),
        *(f"spend_alerts.proj_{one}.0" for one in "ab"),
    }
    assert read.manifest.absent == {}


def test_a_page_is_kept_verbatim_with_what_was_asked(desk: Desk):
    lists = organisation("a") | {"/organization/users": [user(f"u{n:03}") for n in range(150)]}
    wire = Lists(lists)
    tried(desk, wire)
    (read,) = kept(desk)
    second = read.manifest.parts["users.1"]
    assert second.path == "/organization/users"
    assert dict(second.params) == {"limit": "100", "after": "user-u099"}
    assert read.bodies["users.1"] == page(*(user(f"u{n:03}") for n in range(100, 150)))
    assert read.bodies["spend_limit.0"] == b""


def test_all_lists_of_a_project_are_read_before_the_next_project(desk: Desk):
    wire = Lists(organisation("a", "b"))
    tried(desk, wire)
    assert [path.split("/")[3:] for path in wire.asked[6:]] == [
        [f"proj_{name}", ending] for name in "ab" for ending in OF_A_PROJECT
    ]


def test_archived_projects_and_hidden_keys_are_asked_for(desk: Desk):
    wire = Lists(organisation("a"))
    tried(desk, wire)
    asked = dict(zip(wire.asked, wire.params, strict=True))
    assert asked["/organization/projects"]["include_archived"] == "true"
    keys = asked["/organization/projects/proj_a/api_keys"]
    assert keys["owner_project_access"] == "any"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_list_that_is_refused_is_absent_and_the_others_are_kept(desk: Desk, status: int):
    path = "/organization/admin_api_keys"
    done = tried(desk, Lists(organisation("a") | {path: (status, "Not for you.")}))
    (read,) = kept(desk)
    assert done.failed == {}
    assert read.manifest.absent == {"admin_api_keys": f"HTTP {status}: Not for you."}
    assert "admin_api_keys.0" not in read.bodies
    assert "users.0" in read.bodies


def test_a_project_that_was_just_made_and_is_not_found_yet_is_absent(desk: Desk):
    path = "/organization/projects/proj_b/api_keys"
    tried(desk, Lists(organisation("a", "b") | {path: (404, "No such project.")}))
    (read,) = kept(desk)
    assert read.manifest.absent == {"api_keys.proj_b": "HTTP 404: No such project."}


@pytest.mark.parametrize("status", [401, 403])
def test_without_the_scope_nothing_is_kept_and_the_sentence_names_it(desk: Desk, status: int):
    body = json.loads(recorded("directory_projects", "missing_scope", 403))
    wire = Lists({"/organization/projects": (status, body["error"]["message"])})
    done = tried(desk, wire)
    refused = done.failed["acme"]
    assert isinstance(refused, AccessRefused)
    assert not refused.is_retryable
    assert "the scope api.management.read" in str(refused)
    assert body["error"]["message"] in str(refused)
    assert (kept(desk), left(desk), len(wire.asked)) == ([], set(), 1)


def test_a_missing_key_is_an_error_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ACME_KEY", raising=False)
    here = Desk(tmp_path, base_url=VENDOR, admin_key_env="ACME_KEY")
    wire = Lists(organisation("a"))
    assert isinstance(tried(here, wire).failed["acme"], MissingKey)
    assert wire.asked == []


def test_an_interrupted_reading_goes_on_where_it_stopped(desk: Desk):
    broken = tried(desk, Lists(organisation("a", "b"), breaks_after=13))
    assert isinstance(broken.failed["acme"], ProviderUnavailable)
    assert broken.may_succeed_later
    assert (kept(desk), len(left(desk))) == ([], 13)
    wire = Lists(organisation("a", "b"))
    tried(desk, wire)
    assert [path.rpartition("/")[2] for path in wire.asked] == [*OF_A_PROJECT[2:]]
    assert len(kept(desk)) == 1


def test_a_read_that_was_resumed_is_the_one_that_was_not(desk: Desk, tmp_path: Path):
    tried(desk, Lists(organisation("a", "b"), breaks_after=9))
    tried(desk, Lists(organisation("a", "b")))
    at_once = Desk(tmp_path / "other")
    tried(at_once, Lists(organisation("a", "b")))
    assert kept(desk)[0].manifest == kept(at_once)[0].manifest


def test_a_refusal_is_not_asked_for_again_either(desk: Desk):
    refused = {"/organization/users": (403, "no")}
    tried(desk, Lists(organisation("a") | refused, breaks_after=7))
    wire = Lists(organisation("a"))
    tried(desk, wire)
    assert "/organization/users" not in wire.asked
    assert kept(desk)[0].manifest.absent == {"users": "HTTP 403: no"}


def test_nothing_is_left_of_a_reading_that_is_kept(desk: Desk):
    tried(desk, Lists(organisation("a"), breaks_after=4))
    assert left(desk)
    tried(desk, Lists(organisation("a")))
    assert left(desk) == set()
    folder = desk.archive.room("openai", "acme", "directory-unfinished")
    assert not folder.exists()


def test_the_lists_of_another_day_are_not_those_of_today(desk: Desk):
    tried(desk, Lists(organisation("a"), breaks_after=4))
    desk.now = NOON + timedelta(days=1)
    wire = Lists(organisation("a"))
    tried(desk, wire)
    assert len(wire.asked) == 11
    assert left(desk) == set()


def test_a_finished_list_whose_file_is_damaged_is_read_again(desk: Desk):
    tried(desk, Lists(organisation("a"), breaks_after=4))
    folder = Path(str(desk.archive.room("openai", "acme", "directory-unfinished")))
    (folder / str(DAY) / "users.msgpack").write_bytes(b"half")
    wire = Lists(organisation("a"))
    tried(desk, wire)
    assert wire.asked[0] == "/organization/users"


def test_reading_again_on_the_same_day_adds_a_newer_read(desk: Desk):
    tried(desk, Lists(organisation("a")))
    desk.now = NOON + timedelta(hours=1)
    wire = Lists(organisation("a", "b"))
    tried(desk, wire)
    assert len(wire.asked) == 16
    assert [read.manifest.read_at for read in kept(desk)] == [NOON, desk.now]


def test_a_reading_that_its_caller_did_not_keep_leaves_its_lists(desk: Desk):
    reading = desk.reader(Lists(organisation("a"))).read(
        desk.connection, whole_day(desk), desk.told.append
    )
    assert isinstance(next(reading), DayRead)
    reading.close()
    assert len(left(desk)) == 11


class Killed(Lists):
    """An organization whose reader is killed where a list would break off."""

    def break_down(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def read_and_be_killed(home: str, after: int) -> None:
    """One process of its own: read the directory, and be killed after some requests."""
    tried(Desk(Path(home)), Killed(organisation("a", "b", "c"), breaks_after=after))


@pytest.mark.parametrize("after", [1, 12])
def test_a_killed_reading_loses_the_list_it_was_reading_and_no_other(
    desk: Desk, tmp_path: Path, after: int
):
    victim = started(read_and_be_killed, str(tmp_path), after)
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    wire = Lists(organisation("a", "b", "c"))
    tried(desk, wire)
    assert len(wire.asked) == 21 - after
    assert len(kept(desk)) == 1


class Pace:
    """Lets limiters hold their rate on a clock that only they and the requests turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOON
        self.turns: dict[int, deque[datetime]] = defaultdict(deque)
        self.waits: Counter[int] = Counter()
        monkeypatch.setattr(Limiter, "try_acquire", lambda limiter, *_, **__: self.take(limiter))

    def take(self, limiter: Limiter) -> bool:
        rate, turns = limiter.bucket_factory.bucket.rates[0], self.turns[id(limiter)]
        if len(turns) >= rate.limit:
            free = turns[-rate.limit] + timedelta(milliseconds=rate.interval)
            self.waits[id(limiter)] += free > self.now
            self.now = max(self.now, free)
        turns.append(self.now)
        return True


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], tuple[Desk, Pace]]:
    """Read so many projects over a network address, at the vendor's pace."""

    def run(projects: int) -> tuple[Desk, Pace]:
        pace = Pace(monkeypatch)
        monkeypatch.setenv("ACME_KEY", "sk-admin-4711")
        desk = Desk(tmp_path, base_url=VENDOR, admin_key_env="ACME_KEY")
        reader = desk.reader(Lists(organisation(*(f"p{number:03}" for number in range(projects)))))
        list(
            replace(reader, clock=lambda: pace.now).read(
                desk.connection, whole_day(desk), desk.told.append
            )
        )
        return desk, pace

    return run


def test_a_hundred_projects_take_a_quarter_of_an_hour_because_each_list_has_its_own_pace(
    paced: Callable[[int], tuple[Desk, Pace]],
):
    _, pace = paced(100)
    assert sorted(map(len, pace.turns.values())) == [1] * 6 + [100] * 5
    assert sum(map(len, pace.turns.values())) == 506
    assert timedelta(minutes=15) < pace.now - NOON < timedelta(minutes=17)
    # Five lists a project share the waits: whichever is asked first waits for all of them.
    assert sum(pace.waits.values()) == 16


def test_no_endpoint_is_asked_more_than_six_times_in_any_minute(
    paced: Callable[[int], tuple[Desk, Pace]],
):
    _, pace = paced(30)
    for turns in pace.turns.values():
        for first, seventh in zip(turns, list(turns)[6:], strict=False):
            assert seventh - first >= timedelta(minutes=1)


def test_progress_is_shown_at_the_start_every_minute_and_at_the_end(
    paced: Callable[[int], tuple[Desk, Pace]],
):
    desk, _ = paced(20)
    assert desk.told == [
        "acme: directory 0 of 20 projects, about 4 min left",
        "acme: directory 7 of 20 projects, about 3 min left",
        "acme: directory 13 of 20 projects, about 2 min left",
        "acme: directory 19 of 20 projects, about 1 min left",
        "acme: directory 20 of 20 projects",
    ]


def test_without_a_pace_only_the_start_and_the_end_are_shown(desk: Desk):
    tried(desk, Lists(organisation("a", "b", "c")))
    assert desk.told == [
        "acme: directory 0 of 3 projects",
        "acme: directory 3 of 3 projects",
    ]


def created(desk: Desk) -> date | None:
    return recall(desk.archive.note("openai", "acme")).created


def test_the_day_the_oldest_thing_was_made_is_noted_with_a_whole_directory(desk: Desk):
    old = project("old", created_at=seconds(date(2024, 2, 3)))
    lists = organisation("a") | {"/organization/projects": [project("a"), old]}
    tried(desk, Lists(lists, breaks_after=4))
    assert created(desk) is None
    tried(desk, Lists(lists))
    assert created(desk) == date(2024, 2, 3)


@pytest.mark.parametrize("known", [date(2023, 1, 1), date(2025, 5, 31)])
def test_an_older_day_that_is_noted_already_stays(desk: Desk, known: date):
    note = desk.archive.note("openai", "acme")
    floor = date(2024, 1, 1)
    write_note(note, Hints(floor=floor, created=known))
    tried(desk, Lists(organisation("a")))
    assert recall(note) == Hints(floor=floor, created=known)


def test_no_address_is_in_any_message_or_log(desk: Desk, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    tried(desk, Lists(organisation("a"), breaks_after=5))
    done = tried(desk, Lists(organisation("a") | {"/organization/users": (400, "no")}))
    said = [*desk.told, *map(str, done.failed.values())]
    assert not [line for line in said if "@" in line]
    assert not [one for one in caplog.records if "@acme.example" in str(vars(one))]
