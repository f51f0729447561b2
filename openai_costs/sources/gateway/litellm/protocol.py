"""The proxy's numbered pages, without any I/O: what to ask next, and when an answer is complete.

A conversation is a generator: it yields a `Get`, is sent the body, and returns all pages. All pages
or none: a list that changes while it is read is read again.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from openai_costs.kernel.errors import IncompleteRead
from openai_costs.sources.gateway.litellm.endpoints import (
    DAILY,
    DELETED_KEYS,
    KEYS,
    REQUESTS,
    Endpoint,
)

MOST_PAGES = 10_000
MOST_RESTARTS = 3

Body = bytes | bytearray


@dataclass(frozen=True)
class Get:
    """One request: a path and its parameters, in the order they are sent."""

    path: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One request and the body that answered it."""

    get: Get
    body: bytes


@dataclass(frozen=True)
class Query:
    """All rows of one endpoint."""

    endpoint: Endpoint
    params: tuple[tuple[str, str], ...] = ()

    def get(self, number: int) -> Get:
        """Return the request for a page: the largest there is, because each costs the proxy."""
        one = self.endpoint
        paging = (("page", str(number)), (one.size_name, str(one.most_rows)))
        return Get(one.path, (*one.fixed, *self.params, *paging))


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
    for restart in range(MOST_RESTARTS + 1):
        try:
            return (yield from _pages(query))
        except _Garbled as garbled:
            if restart == MOST_RESTARTS:
                raise IncompleteRead(query.endpoint.path, str(garbled)) from None
    raise AssertionError("the last restart returns or raises")  # pragma: no cover


class _Garbled(Exception):  # noqa: N818 - a signal to start again
    """The answer made no sense; a new start may."""


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


def _pages(query: Query) -> Conversation:
    pages: list[Page] = []
    rows = 0
    for number in range(1, MOST_PAGES + 1):
        get = query.get(number)
        body = bytes((yield get))
        count = _count(body)
        if count.number != number:
            raise _Garbled(f"page {number} was asked for and page {count.number} came")
        pages.append(Page(get, body))
        rows += count.rows or 0
        if _is_last(count, query.endpoint.most_rows):
            if count.total is None and number < (count.last or 0):
                raise _Garbled(f"page {number} of {count.last} is empty")
            if count.total is not None and count.rows is not None and rows != count.total:
                raise _Garbled(f"{rows} rows came where {count.total} were counted")
            return pages
    raise _Garbled(f"more than {MOST_PAGES} pages")


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
        except msgspec.DecodeError:
            continue
        return _counted(page)
    raise _Garbled("the body is not the JSON of a page")


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
