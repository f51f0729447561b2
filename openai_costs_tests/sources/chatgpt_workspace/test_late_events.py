"""Events that are written late: a day is the same however it is read, and none goes in silence."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, DayRange, midnight
from openai_costs.settings.load import Settings
from openai_costs.sources.chatgpt_workspace import source
from openai_costs.sources.chatgpt_workspace.assets import CHATGPT_WORKSPACE
from openai_costs.sources.chatgpt_workspace.checks import verdict
from openai_costs.sources.chatgpt_workspace.frames import ledger
from openai_costs.sources.chatgpt_workspace.late_events import owed_days
from openai_costs.sources.chatgpt_workspace.source import ChatGptCosts
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive

ONE = CHATGPT_WORKSPACE.connection.model_validate(
    {
        "name": "one",
        "organization_id": "org-kestrel",
        "usd_per_credit": "0.04",
        "requests_per_minute": 1_000_000,
    }
)
FIRST = date(2027, 1, 10)
NOW = datetime(2027, 1, 24, 20, tzinfo=UTC)
SPAN = DayRange(FIRST, date(2027, 1, 24))
CREDITS = {"unit": "CREDITS"}
HOURS = 6


def after(days: float, day: date = FIRST) -> datetime:
    return midnight(day) + timedelta(days=days)


@dataclass(frozen=True)
class Use:
    """An event: what its day has, and when it was written."""

    id: str
    day: date
    written: datetime
    credits: str = "10"

    @property
    def line(self) -> bytes:
        who = {"user_id": "user-ada", "email": "ada@kestrel.example", "name": "Ada Voss"}
        bill = [{"sku": "Codex - Output", "cost": {"value": float(self.credits), **CREDITS}}]
        payload = {"day": str(self.day), "identity": who, "product": "Codex", "billing": bill}
        return json.dumps({"event_id": self.id, "payload": payload}).encode()


@dataclass
class Platform:
    """The logs of a workspace: a file for every six hours in which anything was written."""

    uses: list[Use]
    now: datetime = NOW
    downloads: list[str] = field(default_factory=list)

    def files(self) -> Iterator[tuple[str, datetime, bytes]]:
        ends: dict[datetime, list[bytes]] = {}
        for use in sorted(self.uses, key=lambda one: one.written):
            since = midnight(use.written.date())
            part = (use.written - since) // timedelta(hours=HOURS) + 1
            ends.setdefault(since + part * timedelta(hours=HOURS), []).append(use.line)
        for end, lines in ends.items():
            if self.now - timedelta(days=30) < end <= self.now:
                yield f"log_{end:%Y%m%d%H}", end, b"\n".join(lines) + b"\n"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        files, last = {id_: body for id_, _, body in self.files()}, request.url.path.split("/")[-1]
        if last != "logs":
            self.downloads.append(last)
            return httpx.Response(200, content=files[last])
        since = datetime.fromisoformat(request.url.params["after"])
        data = [
            {
                "id": id_,
                "event_type": "COSTS",
                "end_time": end.isoformat(),
                "file_sha256": hashlib.sha256(body).hexdigest(),
            }
            for id_, end, body in self.files()
            if end > since
        ]
        return httpx.Response(200, json={"data": data, "has_more": False, "last_end_time": None})


@dataclass
class Home:
    """A home that reads the workspace."""

    folder: Path
    platform: Platform
    told: list[str] = field(default_factory=list)

    @property
    def archive(self) -> Archive:
        return Archive(UPath(self.folder))

    def read(self, first: date, last: date) -> None:
        its = Settings(home=str(self.folder), config_file=self.folder / "none", connections=(ONE,))
        reach = Reach(lambda _one: httpx.MockTransport(self.platform))
        reader = ChatGptCosts(its, self.archive, lambda: self.platform.now, reach)
        for read in reader.read(ONE, DayRange(first, last), self.told.append):
            self.archive.keep(read)

    def credits_of(self, day: date) -> Decimal:
        reads = self.archive.newest("chatgpt_workspace", "one", "costs", [day])
        return sum((one.frame["quantity"].sum() for one in ledger(reads, ONE)), Decimal(0))

    @property
    def owed(self) -> list[date]:
        return sorted(owed_days(self.archive, ONE))

    @property
    def objection(self) -> str:
        judged = verdict(self.archive, [ONE], NOW.date())
        return "" if judged.passed else judged.because


@pytest.fixture(autouse=True)
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATGPT_ADMIN_KEY", "sk-kestrel")
        yield


def daily(last: date = SPAN.last) -> list[Use]:
    """An event a day, written four hours after it."""
    return [Use(f"evt_{day}", day, after(0.55, day)) for day in DayRange(FIRST, last)]


def kept_bodies(home: Home, days: DayRange = SPAN) -> dict[date, dict[str, bytes]]:
    reads = home.archive.newest("chatgpt_workspace", "one", "costs", days)
    return {one.manifest.day: dict(one.bodies) for one in reads}  # type: ignore[union-attr]  # whole


@settings(max_examples=25, deadline=None)
@given(
    delays=st.lists(st.tuples(st.integers(0, 14), st.integers(3, 300)), min_size=1, max_size=20),
    ranges=st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=1, max_size=4),
    window=st.integers(1, 9),
)
def test_the_same_files_give_the_same_day_whatever_is_asked_for_and_however_it_is_cut(
    delays: list[tuple[int, int]], ranges: list[tuple[int, int]], window: int
):
    uses = [
        Use(f"evt_{number}", FIRST + days * ONE_DAY, after(days) + timedelta(hours=hours))
        for number, (days, hours) in enumerate(delays)
    ]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        whole = Home(Path(folder) / "whole", Platform(uses))
        whole.read(SPAN.first, SPAN.last)
        patch.setattr(source, "WINDOW", window)
        cut = Home(Path(folder) / "cut", Platform(uses))
        for one, other in ranges:
            first, last = sorted((one, other))
            cut.read(FIRST + first * ONE_DAY, FIRST + last * ONE_DAY)
        expected, found = kept_bodies(whole), kept_bodies(cut)
        assert found == {day: expected[day] for day in found}
        written = [use for use in uses if use.written <= midnight(NOW.date()) + timedelta(hours=18)]
        lines = [body for parts in expected.values() for body in parts.values()]
        assert sum(body.count(b"event_id") for body in lines) == len(written)


@pytest.mark.parametrize("days_late", [1, 3, 6, 9])
def test_a_late_event_counts_and_stays_counted_in_every_later_reading(
    days_late: int, tmp_path: Path
):
    day = FIRST + 2 * ONE_DAY
    late = Use("evt_late", day, after(days_late + 0.4, day), "100")
    home = Home(tmp_path, Platform([*daily(), late]))
    counted = []
    for number in range(2, 15):
        home.platform.now = after(number + 0.9)
        home.read(max(FIRST, home.platform.now.date() - 7 * ONE_DAY), home.platform.now.date())
        for owed in home.owed:
            home.read(owed, owed)
        counted.append(home.credits_of(day) > 100)
    assert counted == sorted(counted)
    assert counted.count(True) == 13 - days_late


def test_a_day_alone_is_read_from_every_file_since_it_began(tmp_path: Path):
    late = Use("evt_late", FIRST, after(12.3), "100")
    home = Home(tmp_path, Platform([*daily(), late]))
    home.read(FIRST, FIRST)
    assert home.credits_of(FIRST) == 110


def test_each_file_is_downloaded_once_however_many_windows_are_read(tmp_path: Path):
    home = Home(tmp_path, Platform(daily()))
    home.read(SPAN.first, SPAN.last)
    assert sorted(home.platform.downloads) == [id_ for id_, _, _ in home.platform.files()]
    assert len(home.platform.downloads) > source.WINDOW


def test_an_event_of_a_day_that_was_read_before_is_named_with_its_dollars_and_the_day_is_owed(
    tmp_path: Path,
):
    home = Home(tmp_path, Platform(daily(), after(3.9)))
    home.read(FIRST, FIRST + 3 * ONE_DAY)
    home.platform.uses.append(Use("evt_late", FIRST, after(12.3), "50"))
    home.platform.now = after(12.9)
    home.read(FIRST + 5 * ONE_DAY, FIRST + 12 * ONE_DAY)
    assert home.owed == [FIRST]
    assert home.objection == (
        "one: 2027-01-10 lacks 1 event of 50.0 credits ($2.00) in files that came later: "
        "`openai-costs backfill` reads the day again."
    )
    home.read(FIRST, FIRST)
    assert (home.credits_of(FIRST), home.owed, home.objection) == (60, [], "")


def test_a_day_stays_owed_through_readings_of_other_days(tmp_path: Path):
    home = Home(tmp_path, Platform(daily(), after(3.9)))
    home.read(FIRST, FIRST + 3 * ONE_DAY)
    home.platform.uses.append(Use("evt_late", FIRST, after(5.3), "50"))
    home.platform.now = after(12.9)
    home.read(FIRST + 5 * ONE_DAY, FIRST + 12 * ONE_DAY)
    home.read(FIRST + 12 * ONE_DAY, FIRST + 12 * ONE_DAY)
    assert home.owed == [FIRST]


def test_an_event_of_a_day_that_can_be_read_no_more_is_named_and_its_day_is_not_owed(
    tmp_path: Path,
):
    home = Home(tmp_path, Platform(daily(FIRST + 40 * ONE_DAY), after(3.9)))
    home.read(FIRST, FIRST + 3 * ONE_DAY)
    home.platform.uses.append(Use("evt_late", FIRST, after(34.3), "50"))
    home.platform.now = after(34.9)
    home.read(FIRST + 27 * ONE_DAY, FIRST + 34 * ONE_DAY)
    assert home.owed == []
    assert home.objection == (
        "one: 2027-01-10 lacks 1 event of 50.0 credits ($2.00) in files that came later, and "
        "cannot be read again: compare it with the Global Admin Console."
    )


def test_an_event_that_is_delivered_again_late_or_is_of_a_day_not_asked_for_is_not_named(
    tmp_path: Path,
):
    again = Use(f"evt_{FIRST}", FIRST, after(8.3))
    home = Home(tmp_path, Platform([*daily(), again], after(3.9)))
    home.read(FIRST, FIRST + 3 * ONE_DAY)
    home.platform.now = NOW
    home.platform.uses.append(Use("evt_late", FIRST + 4 * ONE_DAY, after(9.3)))
    home.read(FIRST + 5 * ONE_DAY, SPAN.last)
    assert (home.owed, home.objection) == ([], "")


def test_a_correction_that_comes_late_is_named_like_an_event(tmp_path: Path):
    home = Home(tmp_path, Platform(daily(), after(3.9)))
    home.read(FIRST, FIRST + 3 * ONE_DAY)
    home.platform.uses.append(Use(f"evt_{FIRST}", FIRST, after(8.3), "12"))
    home.platform.now = NOW
    home.read(FIRST + 5 * ONE_DAY, SPAN.last)
    assert home.owed == [FIRST]
    home.read(FIRST, FIRST)
    assert (home.credits_of(FIRST), home.owed) == (12, [])


def test_a_workspace_without_new_files_has_its_last_one_named(tmp_path: Path):
    home = Home(tmp_path, Platform(daily(FIRST + 8 * ONE_DAY)))
    home.read(SPAN.first, SPAN.last)
    said = "one: no file of cost events since 2027-01-18 18:00 UTC: days after it have no events"
    assert [one for one in home.told if one.startswith(said)]
    assert home.credits_of(SPAN.last) == 0


@pytest.mark.parametrize(("last", "states"), [(14, ["OK"]), (8, ["OK", "WARN"])])
def test_the_doctor_warns_where_no_file_came_for_four_days(
    last: int, states: list[str], tmp_path: Path
):
    platform = Platform(daily(FIRST + last * ONE_DAY))
    its = Settings(home=str(tmp_path), config_file=tmp_path / "none", connections=(ONE,))
    reach = Reach(lambda _one: httpx.MockTransport(platform))
    facts = [*CHATGPT_WORKSPACE.diagnose(its, ONE, reach, SPAN.last)]
    asked = [one for one in facts if "files" in {one.about, *one.text.split()}]
    assert [one.state for one in asked] == states
    assert all("since 2027-01-20" in one.text for one in asked)
