"""The list of seats, without any I/O: all of its pages, and whether they hold every seat. Pure.

GitHub says how many seats there are, and may list fewer. Such a list is taken for what it has: it
proves of no one that they hold no seat.
"""

from collections.abc import Generator
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from openai_costs.kernel.formatting import counted
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.github_copilot.endpoints import MOST_SEATS, seats_path
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    Page,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)

ALL_SEATS = "all seats"
"""What is absent where the list of seats is not whole."""


class _Person(msgspec.Struct):
    login: str


class _Seat(msgspec.Struct):
    assignee: _Person
    last_activity_at: datetime | None = None


class _Seats(msgspec.Struct):
    total_seats: int
    seats: list[_Seat]


class SeatList(NamedTuple):
    """What GitHub lists of the seats of an organization.

    Args:
        pages: The pages, in order.
        total: How many seats there are, by the newest page.
        seats: The seats in the pages.
    """

    pages: list[Page]
    total: int
    seats: list[_Seat]

    @property
    def lack(self) -> str:
        """What the list lacks, for a person; empty where it is whole."""
        if len(self.seats) >= self.total:
            return ""
        return f"GitHub counts {counted(self.total, 'seat')} and lists {len(self.seats):,}"

    def last_active(self) -> dict[str, date]:
        """Return who has been active, and the UTC day of their last activity."""
        return {
            one.assignee.login: one.last_activity_at.astimezone(UTC).date()
            for one in self.seats
            if one.last_activity_at is not None
        }


def seats_get(organization: str, page: str | None = None, size: int = MOST_SEATS) -> Get:
    """Return the request for a page of seats."""
    return Get(seats_path(organization), (("page", page or "1"), ("per_page", str(size))))


def read_seats(organization: str) -> Generator[Get, Body, SeatList]:
    """Read the pages of seats up to the number that GitHub counts, or to an empty one.

    Raises:
        IncompleteRead: A page is not a list of seats.
    """
    return restarted(lambda: _read(organization), seats_path(organization))


def _read(organization: str) -> Generator[Get, Body, SeatList]:
    given: list[_Seats] = []

    def seats() -> list[_Seat]:
        return [one for page in given for one in page.seats]

    def end(body: Body, cursor: str | None) -> PageEnd:
        try:
            page = msgspec.json.decode(body, type=_Seats)
        except UNREADABLE as broken:
            raise Garbled(f"the body is not a page of seats: {broken}") from None
        given.append(page)
        has_more = bool(page.seats) and len(seats()) < page.total_seats
        return PageEnd(has_more, str(int(cursor or "1") + 1), not page.seats)

    pages = yield from all_pages(Paging(lambda page: seats_get(organization, page), end, "page"))
    return SeatList(pages, given[-1].total_seats, seats())
