"""Copilot's seats: a list with fewer than GitHub counts is taken, and takes no one's seat away."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.money import MONEY
from openai_costs.settings.load import Settings
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.github_copilot.seats import CopilotSeats, listing
from openai_costs.sources.organization.checks import read_complete
from openai_costs.sources.organization.frames import folded, usable
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.provider import Reach, silent
from openai_costs.storage.archive import Archive, KeptRead, open_read
from openai_costs.tables.core.users import Users
from openai_costs_tests.sources.vendor_pages import DAY, READ_AT

ONE = GITHUB_COPILOT.connection(name="one", organization_id="acme", requests_per_minute=100_000)
(USERS,) = (kind for kind in KINDS if kind.table is Users)
LEDGER = pl.DataFrame(
    schema={"id": pl.String(), "first_day": pl.Date(), "last_day": pl.Date(), "billed_usd": MONEY}
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_COPILOT_TOKEN", "github_pat_sample")


def read(home: Path, later: int, *logins: str, total: int) -> KeptRead:
    """Read a list of seats some days later, and keep it."""

    def answer(request: httpx.Request) -> httpx.Response:
        is_first = request.url.params["page"] == "1"
        seats = [{"assignee": {"login": one}} for one in logins] if is_first else []
        return httpx.Response(200, content=json.dumps({"total_seats": total, "seats": seats}))

    settings = Settings(home=str(home), config_file=home / "none.toml", connections=(ONE,))
    at, day = READ_AT + timedelta(days=later), DAY + timedelta(days=later)
    reach = Reach(lambda _: httpx.MockTransport(answer))
    archive = Archive(UPath(home))
    reader = CopilotSeats(settings, archive, lambda: at, reach)
    (found,) = reader.read(ONE, DayRange(day, day), silent)
    return open_read(archive.keep(found))


def current(*reads: KeptRead) -> dict[str, bool]:
    """Return who is known, and whether they hold a seat."""
    listed = usable([USERS], listing, reads)[Users]
    frame = folded(USERS, ("one", "github_copilot"), listed, LEDGER).frame
    return dict(frame.select("id", "is_current").iter_rows())


def test_fewer_seats_than_github_counts_are_a_warning_with_both_numbers(tmp_path: Path):
    found = read(tmp_path, 0, "ana-l", "cleo-t", total=3)
    verdict = read_complete({}, [found], [], ["one"])
    assert (verdict.passed, verdict.severity.name) == (False, "WARN")
    assert "did not give all seats (GitHub counts 3 seats and lists 2)" in str(verdict.description)
    whole = read(tmp_path, 1, "ana-l", "cleo-t", total=2)
    assert read_complete({}, [whole], [], ["one"]).passed


def test_a_list_that_is_not_whole_adds_seats_and_takes_none_away(tmp_path: Path):
    before = read(tmp_path, 0, "ana-l", "ben-s", total=2)
    partial = read(tmp_path, 1, "ana-l", "cleo-t", total=3)
    assert current(before, partial) == {"ana-l": True, "ben-s": True, "cleo-t": True}
    after = read(tmp_path, 2, "ana-l", "cleo-t", total=2)
    assert current(before, partial, after) == {"ana-l": True, "ben-s": False, "cleo-t": True}


def test_a_first_list_that_is_not_whole_has_the_seats_that_it_lists(tmp_path: Path):
    assert current(read(tmp_path, 0, "ana-l", total=10)) == {"ana-l": True}
    assert current(read(tmp_path, 1, total=10)) == {}
