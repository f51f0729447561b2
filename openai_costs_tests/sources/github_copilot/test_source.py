"""Copilot's days that are read again: a seat is of now, and a bill is of its day."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from openai_costs.kernel.errors import (
    AccessRefused,
    ErrorAnswer,
    ProviderUnavailable,
    RequestRefused,
)
from openai_costs.kernel.known_texts import known
from openai_costs.sources.daily_reader import DayPages
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.github_copilot.frames import ledger
from openai_costs.sources.github_copilot.source import talk
from openai_costs.sources.http.paging import Body, Get
from openai_costs.storage.archive import Archive, DayRead, open_read
from openai_costs.storage.forget_key import made_key
from openai_costs.storage.forgotten import remember
from openai_costs.storage.slices import Batch
from openai_costs_tests.sources.openai.wire import converse
from openai_costs_tests.sources.vendor_pages import DAY, READ_AT

ONE = GITHUB_COPILOT.connection(name="one", organization_id="acme")
REFUSED = ErrorAnswer("one", 404, "/usage", "Not Found")
USD = {"ana-l": 4, "ben-smith": 2, "cleo-t": 1}
BY_PERSON = {"ana-l": Decimal(4), "ben-smith": Decimal(2), "cleo-t": Decimal(1), None: Decimal(3)}


class GitHub:
    """An organization whose bill of every day is $10.00, and which says so, whoever has a seat."""

    def __init__(self, home: Path) -> None:
        self.archive, self.reads = Archive(UPath(home)), 0
        self.seats: list[str] = [*USD]
        self.total_seats: int | None = None
        self.usd: dict[str, float] = {**USD}
        self.whole: float = 10
        self.refuses: dict[str, Exception] = {}
        self.asked: list[str] = []

    def answer(self, get: Get) -> Body | Exception:
        asked = dict(get.params)
        if get.path.endswith("/seats"):
            return self.refuses.get("seats") or self._page_of_seats(is_first=asked["page"] == "1")
        login = asked.get("user", "")
        self.asked += [login] if login else []
        refused = self.refuses.get(login)
        return refused or _bill(asked, self.usd[login.casefold()] if login else self.whole)

    def _page_of_seats(self, *, is_first: bool) -> Body:
        seats = [
            {"assignee": {"login": one}, "last_activity_at": f"{DAY}T12:00:00Z"}
            for one in self.seats
        ]
        total = len(seats) if self.total_seats is None else self.total_seats
        return json.dumps({"total_seats": total, "seats": seats if is_first else []}).encode()

    def read(self) -> Batch:
        """Read the day once more, keep it, and return what the ledger has of it."""
        self.asked.clear()
        given, _asked = converse(talk(ONE, self.archive)(DAY), self.answer)
        self.reads += 1
        kept = open_read(self.archive.keep(_day_read(given, self.reads)))
        (batch,) = ledger([kept], ONE)
        return batch


def _bill(asked: Mapping[str, str], usd: float) -> Body:
    amounts = {"grossQuantity": usd * 100, "grossAmount": usd, "netAmount": usd}
    line = {"product": "Copilot", "sku": "Copilot AI Credits", "model": "GPT-5.6"} | amounts
    period = {part: int(asked[part]) for part in ("year", "month", "day")}
    return json.dumps({"timePeriod": period, "usageItems": [line]}).encode()


def _day_read(given: DayPages, number: int) -> DayRead:
    requests: dict[str, Any] = {
        name: (page.get.path, list(page.get.params), list(given.grouping.get(name, ())))
        for name, page in given.pages.items()
    }
    bodies = {name: bytes(page.body) for name, page in given.pages.items()}
    at = READ_AT + timedelta(days=number)
    return DayRead("github_copilot", "one", "costs", DAY, at, requests, bodies, given.absent)


@pytest.fixture
def github(tmp_path: Path) -> GitHub:
    return GitHub(tmp_path)


def spent(batch: Batch) -> dict[str | None, Decimal]:
    return dict(batch.frame.select("user_id", "billed_usd").iter_rows())


def without_ben(github: GitHub) -> None:
    github.seats = ["ana-l", "cleo-t"]


def without_anyone(github: GitHub) -> None:
    github.seats = []


def refused_seats(github: GitHub) -> None:
    github.refuses["seats"] = AccessRefused(REFUSED, "GITHUB_COPILOT_TOKEN")


def fewer_seats_than_counted(github: GitHub) -> None:
    without_ben(github)
    github.total_seats = 3


def unavailable_seats(github: GitHub) -> None:
    github.refuses["seats"] = ProviderUnavailable("one", "/seats", "HTTP 502")


def seats_of_another_form(github: GitHub) -> None:
    github.seats = [None]  # type: ignore[list-item]


CHANGES_OF_SEATS = [
    without_ben,
    without_anyone,
    refused_seats,
    fewer_seats_than_counted,
    unavailable_seats,
    seats_of_another_form,
]


@pytest.mark.parametrize("change", CHANGES_OF_SEATS)
def test_a_day_read_again_is_the_same_whoever_holds_a_seat_by_then(
    github: GitHub, change: Callable[[GitHub], None]
):
    first = github.read()
    assert spent(first) == BY_PERSON
    change(github)
    for _ in range(2):
        assert github.read().frame.equals(first.frame)


@pytest.mark.parametrize(
    ("change", "people", "why"),
    [
        (fewer_seats_than_counted, ["ana-l", "cleo-t"], "GitHub counts 3 seats and lists 2"),
        (unavailable_seats, [], "HTTP 502"),
        (seats_of_another_form, [], "not a page of seats"),
    ],
)
def test_a_list_of_seats_that_is_not_whole_stops_no_bill_and_says_why(
    github: GitHub, change: Callable[[GitHub], None], people: list[str], why: str
):
    change(github)
    batch = github.read()
    assert (batch.frame["billed_usd"].sum(), github.asked) == (Decimal(10), people)
    (remark,) = batch.remarks.values()
    assert "the list of seats is not whole" in remark
    assert why in remark
    assert "refused" not in remark


def test_a_person_for_whom_another_is_answered_keeps_their_bill_and_stops_no_one_elses(
    github: GitHub,
):
    first = github.read()
    answer = github.answer

    def renamed(get: Get) -> Body | Exception:
        body = answer(get)
        is_ben = ("user", "ben-smith") in get.params
        return json.dumps(json.loads(body) | {"user": "ben-s"}).encode() if is_ben else body  # type: ignore[arg-type]

    github.answer = renamed  # type: ignore[method-assign]
    batch = github.read()
    assert batch.frame.equals(first.frame)
    (remark,) = batch.remarks.values()
    assert "ben-smith is refused, and their bill of an earlier read stays" in remark
    assert "the response is for 'ben-s'" in remark


def test_who_has_no_seat_and_had_no_bill_is_not_asked_for(github: GitHub):
    without_ben(github)
    github.read()
    github.read()
    assert github.asked == ["ana-l", "cleo-t"]


def test_a_person_that_an_earlier_read_missed_comes_back(github: GitHub):
    first = github.read()
    missed = {"whole": github.answer(Get("/usage", _params()))}
    requests = {"whole": ("/usage", list(_params()), list[str]())}
    at = READ_AT + timedelta(days=30)
    bodies = {name: bytes(body) for name, body in missed.items() if isinstance(body, bytes)}
    github.archive.keep(DayRead("github_copilot", "one", "costs", DAY, at, requests, bodies))
    without_ben(github)
    github.reads = 40
    assert github.read().frame.equals(first.frame)


def _params() -> tuple[tuple[str, str], ...]:
    return (("year", f"{DAY.year}"), ("month", f"{DAY.month}"), ("day", f"{DAY.day}"))


def test_a_login_in_other_letters_is_one_person(github: GitHub):
    first = github.read()
    github.seats = ["Ana-L", "cleo-t"]
    assert github.read().frame.equals(first.frame)
    assert github.asked == ["ana-l", "ben-smith", "cleo-t"]


def unknown(github: GitHub) -> None:
    github.refuses["ben-smith"] = RequestRefused(REFUSED)


def gone(github: GitHub) -> None:
    without_ben(github)
    unknown(github)


def forbidden_for_one(github: GitHub) -> None:
    github.refuses["ben-smith"] = AccessRefused(REFUSED, "GITHUB_COPILOT_TOKEN")


def forbidden_for_one_without_a_seat(github: GitHub) -> None:
    github.seats = ["cleo-t"]
    github.refuses["ana-l"] = github.refuses["ben-smith"] = AccessRefused(REFUSED, "TOKEN")


@pytest.mark.parametrize("change", [gone, unknown, forbidden_for_one])
def test_one_who_is_refused_keeps_their_dollars_with_a_remark_and_no_harm_to_the_others(
    github: GitHub, change: Callable[[GitHub], None]
):
    first = github.read()
    change(github)
    for _ in range(2):
        batch = github.read()
        assert batch.frame.equals(first.frame)
        assert github.asked == ["ana-l", "ben-smith", "cleo-t"]
        (remark,) = batch.remarks.values()
        assert "ben-smith is refused, and their bill of an earlier read stays" in remark
        assert "ana-l" not in remark


def test_those_without_a_seat_may_be_refused_before_the_first_answer(github: GitHub):
    first = github.read()
    forbidden_for_one_without_a_seat(github)
    assert github.read().frame.equals(first.frame)
    assert github.asked == ["ana-l", "ben-smith", "cleo-t"]


def test_one_who_is_refused_and_had_no_bill_before_is_a_remark(github: GitHub):
    unknown(github)
    batch = github.read()
    assert spent(batch) == {"ana-l": Decimal(4), "cleo-t": Decimal(1), None: Decimal(5)}
    (remark,) = batch.remarks.values()
    assert "read without ben-smith, who is refused; the provider's message: 'Not Found'" in remark


def forbid_everyone(github: GitHub) -> None:
    github.refuses |= dict.fromkeys(github.usd, AccessRefused(REFUSED, "GITHUB_COPILOT_TOKEN"))


def test_where_no_person_can_be_asked_for_a_day_that_was_read_before_keeps_its_people(
    github: GitHub,
):
    first = github.read()
    forbid_everyone(github)
    for _ in range(2):
        batch = github.read()
        assert batch.frame.equals(first.frame)
        assert github.asked == ["ana-l"]
        (remark,) = batch.remarks.values()
        assert "people are refused, and those of earlier reads stay" in remark
        assert "ben-smith" not in remark


def test_where_no_person_can_be_asked_for_a_day_that_was_not_read_has_none(github: GitHub):
    forbid_everyone(github)
    batch = github.read()
    assert (spent(batch), github.asked) == ({None: Decimal(10)}, ["ana-l"])
    assert "read without people, who are refused" in "".join(batch.remarks.values())


def test_the_bill_of_a_login_that_was_renamed_counts_once(github: GitHub):
    github.usd["gus-w"] = 3
    github.seats.append("gus-w")
    github.read()
    github.refuses["gus-w"] = RequestRefused(REFUSED)
    github.usd["gus-wu"] = github.usd["gus-w"]
    github.seats[-1] = "gus-wu"
    renamed = {"ana-l": Decimal(4), "ben-smith": Decimal(2), "cleo-t": Decimal(1)}
    renamed["gus-wu"] = Decimal(3)
    batch = github.read()
    assert spent(batch) == renamed
    assert "read without gus-w, who is refused" in "".join(batch.remarks.values())
    forbid_everyone(github)
    assert spent(github.read()) == renamed


def test_sums_of_floats_leave_room_for_the_bill_that_they_are_of(github: GitHub):
    github.usd = {"ana-l": 0.1, "ben-smith": 0.2, "cleo-t": 0.7}
    github.whole = 0.1 + 0.2 + 0.7 - 1e-15
    first = github.read()
    gone(github)
    assert github.read().frame.equals(first.frame)


@pytest.mark.parametrize("seats", [["ana-l", "cleo-t"], [*USD]])
def test_a_person_who_was_forgotten_keeps_their_dollars_and_is_asked_for_by_no_pseudonym(
    github: GitHub, tmp_path: Path, seats: list[str]
):
    github.read()
    key = made_key(tmp_path / "key")
    ben = known(key.secret, "id", "ben-smith", "ben-smith")
    remember(UPath(tmp_path), [ben], key, date(2026, 11, 21))
    github.seats = seats
    without_name = {
        (ben.pseudonym if who == "ben-smith" else who): usd for who, usd in BY_PERSON.items()
    }
    for _ in range(2):
        assert spent(github.read()) == without_name
        assert github.asked == seats
    for refuse in (unknown, forbid_everyone):
        refuse(github)
        assert spent(github.read()) == without_name
