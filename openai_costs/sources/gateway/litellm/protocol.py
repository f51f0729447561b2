"""The proxy's numbered pages, without any I/O: what to ask next, and when an answer is complete.

The cursor is the number of the page. A list that changes while it is read is read again. Not here:
the loop over pages (sources/http/paging.py).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.gateway.litellm.endpoints import (
    DAILY,
    DELETED_KEYS,
    KEYS,
    REQUESTS,
    Endpoint,
)
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

FIRST = "1"
MOST_PAGES = 10_000
"""A busy proxy logs millions of requests a day, a thousand on a page."""


@dataclass(frozen=True)
class Query:
    """All rows of one endpoint."""

    endpoint: Endpoint
    params: tuple[tuple[str, str], ...] = ()

    def get(self, number: str | None) -> Get:
        """Return the request for a page: the largest there is, because each costs the proxy."""
        one = self.endpoint
        paging = (("page", number or FIRST), (one.size_name, str(one.most_rows)))
        return Get(one.path, (*one.fixed, *self.params, *paging), may_be_large=True)


Conversation = Generator[Get, Body, list[Page]]


def live_keys() -> Query:
    """Return the query for the keys there are."""
    return Query(KEYS)


def deleted_keys() -> Query:
    """Return the query for the keys there were."""
    return Query(DELETED_KEYS)


def daily_sums(day: date) -> Query:
    """Return the query for a day's sums. Without a time zone parameter the day is a UTC day."""
    return Query(DAILY, (("start_date", str(day)), ("end_date", str(day))))


def requests_of(day: date) -> Query:
    """Return the query for a day's requests. Both ends are included: midnight belongs to both."""
    ends = (("start_date", day), ("end_date", day + timedelta(days=1)))
    return Query(REQUESTS, tuple((name, f"{end} 00:00:00") for name, end in ends))


def complete(query: Query) -> Conversation:
    """Read every page of a query.

    Raises:
        IncompleteRead: A page is not JSON, is not the one asked for, or the pages together are not
            what the proxy counts; also when restarts did not help.
    """
    return restarted(lambda: _pages(query), query.endpoint.path)


@dataclass(frozen=True)
class _Count:
    """What a page says of itself and the whole.

    Args:
        number: Which page it is.
        rows: How many rows it has; None where rows are folded into sums.
        last: The number of the last page; None where the proxy does not count that far.
        total: How many rows there are; None where the proxy does not say.
    """

    number: int
    rows: int | None
    last: int | None
    total: int | None = None


@dataclass
class _Rows:
    """What the pages so far hold.

    Args:
        most_rows: The largest page there is.
        rows: The rows so far.
        last: What the newest page says of itself and the whole.
    """

    most_rows: int
    rows: int = 0
    last: _Count | None = None

    def end(self, body: Body, cursor: str | None) -> PageEnd:
        """Take in a page, and return whether another one follows."""
        number = int(cursor or FIRST)
        count = _count(body)
        if count.number != number:
            raise Garbled(f"page {number} was requested, but page {count.number} was returned")
        self.rows += count.rows or 0
        self.last = count
        return PageEnd(not _is_last(count, self.most_rows), str(number + 1), count.rows == 0)

    def check(self) -> None:
        """Refuse what is not as long as the proxy says."""
        count = self.last
        if count is None:
            return
        if count.total is None and count.number < (count.last or 0):
            raise Garbled(f"page {count.number} of {count.last} is empty")
        if count.total is not None and count.rows is not None and self.rows != count.total:
            raise Garbled(f"{self.rows} rows were returned where {count.total} were counted")


def _pages(query: Query) -> Conversation:
    found = _Rows(query.endpoint.most_rows)
    pages = yield from all_pages(Paging(query.get, found.end, "page", most_pages=MOST_PAGES))
    found.check()
    return pages


def _is_last(count: _Count, most_rows: int) -> bool:
    """Return whether no page follows; an empty page ends a list whatever it says of itself."""
    if count.rows == 0:
        return True
    if count.last is None:
        return count.rows is not None and count.rows < most_rows
    return count.number >= count.last


class _KeyPage(msgspec.Struct):
    keys: list[Any]
    total_count: int
    current_page: int
    total_pages: int


class _DailyMeta(msgspec.Struct):
    page: int
    total_pages: int
    has_more: bool = False


class _DailyPage(msgspec.Struct):
    results: list[Any]
    metadata: _DailyMeta


class _LogPage(msgspec.Struct):
    data: list[Any]
    total: int
    page: int
    total_pages: int
    total_is_capped: bool = False


_SHAPES: Sequence[type[_KeyPage] | type[_DailyPage] | type[_LogPage]] = (
    _KeyPage,
    _DailyPage,
    _LogPage,
)


def _count(body: Body) -> _Count:
    for shape in _SHAPES:
        try:
            page = msgspec.json.decode(body, type=shape)
        except UNREADABLE:
            continue
        return _counted(page)
    raise Garbled("the body is not the JSON of a page")


def _counted(page: _KeyPage | _DailyPage | _LogPage) -> _Count:
    match page:
        case _KeyPage():
            return _Count(page.current_page, len(page.keys), page.total_pages, page.total_count)
        case _DailyPage():
            rows = None if page.results else 0
            return _Count(page.metadata.page, rows, page.metadata.total_pages)
        case _:  # a log page; beyond its cap the proxy no longer counts
            last = None if page.total_is_capped else page.total_pages
            total = None if page.total_is_capped else page.total
            return _Count(page.page, len(page.data), last, total)
