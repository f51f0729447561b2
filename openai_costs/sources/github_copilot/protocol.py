"""The bill of a day, without any I/O: as a whole, and person by person. Pure.

GitHub names no person in a bill, and answers for one person who is asked for. So everyone who holds
a seat and was active on the day or later is asked for, on days with a bill, and everyone who had
a bill when the day was read before: who gave back a seat has spent what they spent. The bill of one
who is refused is kept again as it was; frames.py judges whether the whole bill has room for it.
"""

from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec

from openai_costs.kernel.errors import (
    AccessRefused,
    IncompleteRead,
    ProviderUnavailable,
    ReadFailed,
    RequestRefused,
)
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.daily_reader import Conversation, DayPages
from openai_costs.sources.github_copilot.endpoints import era_of
from openai_costs.sources.github_copilot.seat_list import ALL_SEATS, read_seats
from openai_costs.sources.http.paging import Body, Garbled, Get, Page, restarted

T = TypeVar("T")

WHOLE = "whole"
OF_PERSON = "user."
"""What the name of a part begins with that is of one person."""
PEOPLE = "people"
"""What is absent where the bill is not given by person."""


class _Period(msgspec.Struct):
    year: int
    month: int | None = None
    day: int | None = None


class _Answer(msgspec.Struct):
    timePeriod: _Period  # noqa: N815 - GitHub's name
    usageItems: list[Any]  # noqa: N815
    organization: str | None = None
    user: str | None = None


def bill(organization: str, day: date, login: str = "") -> Get:
    """Return the request for the bill of a day, of everyone or of one person."""
    asked = [("year", f"{day.year}"), ("month", f"{day.month}"), ("day", f"{day.day}")]
    return Get(era_of(day).path(organization), (*asked, *([("user", login)] if login else [])))


class Earlier(NamedTuple):
    """The bills of people of a day by the reads of it that are kept.

    Args:
        bills: Of those who can be asked for again, by login, the newest last.
        forgotten: Of those who cannot, because their name is forgotten, by pseudonym.
    """

    bills: dict[str, Page]
    forgotten: Mapping[str, Page]


@dataclass
class Bills:
    """The conversations about an organization's days in one reading.

    Args:
        organization: The organization's name.
        asks_people: Whether to ask for the bill of each person.
        earlier: Returns who had a bill of a day before, besides some logins that are asked for.
        seats: Who holds a seat, and on which day each was last active; None before it was asked.
        lack: Why some who hold a seat are not known; empty where all are.
        refusal: Why the bill is not given by person; empty where it is.
        answers: Whether people can be asked for; None before the first answer about one.
    """

    organization: str
    asks_people: bool
    earlier: Callable[[date, Collection[str]], Earlier]
    seats: dict[str, date] | None = None
    lack: str = field(default="")
    refusal: str = field(default="")
    answers: bool | None = None

    def read_day(self, day: date) -> Conversation:
        """Read the bill of a day, as a whole and by person.

        Raises:
            IncompleteRead: An answer is not JSON, or of another day, organization or person.
            RequestRefused: The bill as a whole was refused.
        """
        whole, is_empty = yield from self._asked(day)
        people, absent = dict[str, Page](), dict[str, str]()
        if self.asks_people and not is_empty:
            people, absent = yield from self._people(day)
        absent |= {PEOPLE: self.refusal} if self.refusal else {}
        absent |= {ALL_SEATS: self.lack} if self.lack else {}
        by_person = dict.fromkeys(people, ("user_id",))
        return DayPages({WHOLE: whole} | people, by_person, absent)

    def _people(self, day: date) -> Generator[Get, Body, tuple[dict[str, Page], dict[str, str]]]:
        """Read the bills of people; return them, and the messages about those who are refused.

        The bill of one who is refused is the one that was kept.
        """
        holders = yield from self._holders(day)
        earlier = self.earlier(day, holders)
        asked = {login.casefold(): login for login in (*holders, *earlier.bills)}
        seated = {login.casefold() for login in holders}
        answered, refused = yield from self._answers(day, dict(sorted(asked.items())), seated)
        if self.answers is False:
            known = [login for login in asked.values() if login in earlier.bills]
            refused = dict.fromkeys(known, self.refusal) | refused
        kept = {one: page for one, page in reversed(earlier.bills.items()) if one in refused}
        return _by_part({**earlier.forgotten, **answered, **kept}), _by_part(refused)

    def _answers(
        self, day: date, logins: Mapping[str, str], seated: Collection[str]
    ) -> Generator[Get, Body, tuple[dict[str, Page], dict[str, str]]]:
        """Ask for people; return the bills that are not empty, and the messages of refusals.

        GitHub may no longer know one of them, or answer for another. But 403 for one with a seat,
        before the first bill of anyone, means that no person can be asked for.
        """
        answered, refused = dict[str, Page](), dict[str, str]()
        for folded, login in logins.items() if self.answers is not False else ():
            try:
                page, is_empty = yield from self._asked(day, login)
            except (RequestRefused, IncompleteRead) as one:
                refused[login] = _message(one)
            except AccessRefused as one:
                if self.answers is None and folded in seated:
                    self.refusal, self.answers = _message(one), False
                    break
                refused[login] = _message(one)
            else:
                self.answers = True
                answered |= {} if is_empty else {login: page}
        return answered, refused

    def _holders(self, day: date) -> Generator[Get, Body, list[str]]:
        """Return who has a seat and was active on a day or later, as far as that is known.

        Who holds a seat explains the bill and never stops it.
        """
        if self.seats is None:
            self.seats = {}
            try:
                given = yield from read_seats(self.organization)
                self.seats, self.lack = given.last_active(), given.lack
            except (AccessRefused, RequestRefused) as refused:
                self.refusal = _message(refused)
            except ReadFailed as failed:
                self.lack = _message(failed)
        return [login for login, last in self.seats.items() if last >= day]

    def _asked(self, day: date, login: str = "") -> Generator[Get, Body, tuple[Page, bool]]:
        one = bill(self.organization, day, login)
        return (yield from restarted(lambda: self._answer(one, day, login), one.path))

    def _answer(self, one: Get, day: date, login: str) -> Generator[Get, Body, tuple[Page, bool]]:
        body = yield one
        try:
            found = msgspec.json.decode(body, type=_Answer)
        except UNREADABLE as broken:
            raise Garbled(f"the body is not a bill: {broken}") from None
        given = (found.timePeriod.year, found.timePeriod.month, found.timePeriod.day)
        if given != (day.year, day.month, day.day):
            shown = "-".join(f"{part:02}" for part in given if part is not None)
            raise Garbled(f"{day} was requested, but the response is for {shown}")
        _refuse_other("organization", self.organization, found.organization)
        _refuse_other("user", login or None, found.user)
        return Page(one, body), not found.usageItems


def _by_part(of_people: Mapping[str, T]) -> dict[str, T]:
    return {f"{OF_PERSON}{login}": one for login, one in of_people.items()}


def _message(failed: ReadFailed) -> str:
    match failed:
        case AccessRefused() | RequestRefused():
            return failed.message or f"HTTP {failed.status}"
        case ProviderUnavailable():
            return failed.message
        case IncompleteRead():
            return failed.why
    return str(failed)


def _refuse_other(what: str, asked: str | None, given: str | None) -> None:
    if given is not None and given.casefold() != (asked or "").casefold():
        wanted = f"the {what} {asked!r}" if asked else f"a bill without a {what}"
        raise Garbled(f"{wanted} was requested, but the response is for {given!r}")
