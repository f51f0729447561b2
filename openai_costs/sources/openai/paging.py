"""One query of day buckets, without any I/O: what to ask next, and when its days are complete.

Not here: the loop over pages (sources/http/paging.py).
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import msgspec

from openai_costs.kernel.days import DayRange, consecutive, epoch
from openai_costs.kernel.errors import CursorRefused, RequestRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.http.paging import (
    Body,
    CursorBroken,
    Garbled,
    Get,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)
from openai_costs.sources.openai.costs.endpoints import Endpoint

SECONDS_A_DAY = 86_400

Buckets = dict[date, msgspec.Raw]
"""Each bucket verbatim, as a view into the body it came in."""


@dataclass(frozen=True)
class Query:
    """Whole UTC days of one endpoint in one grouping. Frozen: paging may not change it."""

    endpoint: Endpoint
    window: DayRange
    grouping: tuple[str, ...] = ()
    open_day: date | None = None
    """A day that is not over: its bucket may be cut short, or not be there yet."""

    def get(self, cursor: str | None = None) -> Get:
        """Return the request for a page: whole days, explicit end, room for every bucket."""
        params = [
            ("start_time", str(epoch(self.window.first))),
            ("end_time", str(epoch(self.window.last + timedelta(days=1)))),
            ("bucket_width", "1d"),
            ("limit", str(min(len(self.window), self.endpoint.most_buckets))),
            *(("group_by[]", dimension) for dimension in self.grouping),
        ]
        if cursor is not None:
            params.append(("page", cursor))
        return Get(self.endpoint.path, tuple(params), may_be_large=len(self.window) == 1)


@dataclass(frozen=True)
class Answer:
    """A complete answer to a query: every day of its window, each bucket verbatim."""

    query: Query
    buckets: Buckets

    def covers(self, day: date) -> bool:
        """Return whether the day was asked for."""
        return self.query.window.first <= day <= self.query.window.last


class _Page(msgspec.Struct):
    object: str
    data: list[msgspec.Raw]
    has_more: bool
    next_page: str | None = None


class _BucketEdges(msgspec.Struct):
    start_time: int
    end_time: int


Conversation = Generator[Get, Body, Answer]


def complete(query: Query) -> Conversation:
    """Read every page of a query.

    A cursor that cannot be used does not lose the days before it: the missing rest of the window
    is asked for without one.

    Raises:
        IncompleteRead: A cursor is missing or repeats, a body is not readable, or a day of the
            window is missing or comes twice; also when restarts did not help.
        RequestRefused: The query, or a page of it, was refused.
    """
    return restarted(lambda: _answer(query), query.endpoint.path)


def _answer(query: Query) -> Conversation:
    buckets: Buckets = {}
    try:
        yield from _pages(query, buckets)
    except (CursorRefused, CursorBroken) as broken:
        yield from _rest(query, buckets, broken)
    return Answer(query, _checked(query, buckets))


def _rest(query: Query, buckets: Buckets, broken: Exception) -> Generator[Get, Body, None]:
    """Ask for the days that the pages before a broken cursor lack, as windows of their own."""
    held = 0
    while len(buckets) > held and (missing := _missing(query, buckets)):
        held = len(buckets)
        try:
            yield from _pages(replace(query, window=consecutive(missing)[0]), buckets)
        except (CursorRefused, CursorBroken):
            pass  # what came before this cursor is kept; the loop asks for what is still missing
        except (Garbled, RequestRefused):
            raise broken from None
    if not held or _missing(query, buckets):
        raise broken


def _pages(query: Query, buckets: Buckets) -> Generator[Get, Body, None]:
    """Read the pages of a query into `buckets`.

    A page that only repeats, byte for byte, what the pages before it hold is as good as empty.
    """

    def end(body: Body, _cursor: str | None) -> PageEnd:
        page, held = _parsed(body), list(buckets.values())
        is_new = not all(bucket in held for bucket in page.data)
        for bucket in page.data if is_new else ():
            _add(buckets, bucket, query.open_day)
        return PageEnd(page.has_more, page.next_page or "", not is_new)

    def is_whole() -> bool:
        return _is_whole(query, buckets)

    yield from all_pages(Paging(query.get, end, "next_page", is_whole, about=str(query.window)))


def _parsed(body: Body) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except UNREADABLE as broken:
        raise Garbled(
            f"the body is not the JSON of a page: {broken}{_near(body, broken)}"
        ) from None


def _near(body: Body, broken: Exception) -> str:
    """Return what the parser stopped at: a few bytes, because a page holds people's names."""
    digits = "".join(filter(str.isdigit, str(broken).rpartition("byte")[2]))
    if not digits:
        return ""
    at = int(digits)
    return f", near {body[at : at + 8].decode('utf-8', 'replace')!r}"


def _add(buckets: Buckets, bucket: msgspec.Raw, open_day: date | None) -> None:
    try:
        edges = msgspec.json.decode(bucket, type=_BucketEdges)
    except UNREADABLE as broken:
        raise Garbled(f"a bucket has no readable start_time and end_time: {broken}") from None
    try:
        start = datetime.fromtimestamp(edges.start_time, UTC)
    except (ValueError, OverflowError, OSError):
        raise Garbled(f"a bucket starts at {edges.start_time}, which is not a date") from None
    is_cut_short = edges.end_time - edges.start_time != SECONDS_A_DAY and start.date() != open_day
    if edges.start_time % SECONDS_A_DAY or is_cut_short:
        raise Garbled(f"the bucket at {start:%Y-%m-%d %H:%M} UTC is not one whole UTC day")
    if start.date() in buckets:
        raise Garbled(f"the bucket of {start.date()} came twice")
    buckets[start.date()] = bucket


def _missing(query: Query, buckets: Buckets) -> list[date]:
    return [day for day in query.window if day not in buckets and day != query.open_day]


def _is_whole(query: Query, buckets: Buckets) -> bool:
    return not _missing(query, buckets)


def _checked(query: Query, buckets: Buckets) -> Buckets:
    """A missing bucket is not an empty one: every day must be there exactly once, and no other."""
    if not _is_whole(query, buckets):
        missing = [str(day) for day in query.window if day not in buckets]
        raise Garbled(f"no bucket for {', '.join(missing[:5])} ({len(missing)} days missing)")
    strange = [str(day) for day in buckets if not query.window.first <= day <= query.window.last]
    if strange:
        raise Garbled(f"a bucket for {', '.join(strange[:5])}, which was not requested")
    return buckets
