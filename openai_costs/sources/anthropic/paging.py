"""One query of a report, without any I/O: what to ask next, and which day an entry is of. Pure.

The rows of the analytics API are fanned out by kind of cost and of token, and these do not count
towards `limit`: only what the page says about the next one ends an answer. Not here: the loop over
pages (sources/http/paging.py).
"""

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import msgspec

from openai_costs.kernel.days import ONE_DAY, DayRange, midnight
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.anthropic.costs.endpoints import Report
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)


@dataclass(frozen=True)
class Query:
    """Whole UTC days of one report in one grouping. Frozen: paging may not change it.

    Args:
        report: The report.
        window: The days.
        grouping: The dimensions, by the vendor's names.
        open_day: A day that is not over: what there is of it may be cut short.
    """

    report: Report
    window: DayRange
    grouping: tuple[str, ...] = ()
    open_day: date | None = None

    def by(self, grouping: tuple[str, ...]) -> "Query":
        """Return the same query in a grouping."""
        return replace(self, grouping=grouping)

    def get(self, cursor: str | None = None) -> Get:
        """Return the request for a page: whole days, explicit end, the longest page there is."""
        params = [
            ("starting_at", _instant(self.window.first)),
            ("ending_at", _instant(self.window.last + ONE_DAY)),
            (self.report.width, "1d"),
            ("limit", str(self.report.limit)),
            *self.report.params,
            *(("group_by[]", dimension) for dimension in self.grouping),
        ]
        if cursor is not None:
            params.append(("page", cursor))
        return Get(self.report.path, tuple(params))


@dataclass(frozen=True)
class Answer:
    """A complete answer to a query.

    Args:
        query: The query.
        entries: The entries of every day of its window, each verbatim; none for a day without any.
        refreshed_at: Until when the data of every page was complete, as the vendor wrote it.
    """

    query: Query
    entries: dict[date, list[msgspec.Raw]]
    refreshed_at: str | None = None

    def body(self, day: date) -> bytes:
        """Return what is kept of a day: its entries, and until when they were complete."""
        refreshed = msgspec.json.encode(self.refreshed_at)
        entries = b",".join(map(bytes, self.entries[day]))
        return b'{"data_refreshed_at":%b,"data":[%b]}' % (refreshed, entries)


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool | None = None
    next_page: str | None = None
    data_refreshed_at: str | None = None


class _Edges(msgspec.Struct):
    starting_at: datetime
    ending_at: datetime


def complete(query: Query) -> Generator[Get, Body, Answer]:
    """Read every page of a query.

    Raises:
        IncompleteRead: A cursor is missing or repeats, a body is not readable, or an entry is not
            of a day of the window; also when restarts did not help.
        RequestRefused: The query, or a page of it, was refused.
    """
    return restarted(lambda: _answer(query), query.report.path)


def _answer(query: Query) -> Generator[Get, Body, Answer]:
    entries: dict[date, list[msgspec.Raw]] = {day: [] for day in query.window}
    refreshed: list[str] = []

    def end(body: Body, _cursor: str | None) -> PageEnd:
        page = _parsed(body)
        for entry in page.data:
            _add(query, entries, entry)
        refreshed.extend(filter(None, [page.data_refreshed_at]))
        has_more = bool(page.next_page) if page.has_more is None else page.has_more
        return PageEnd(has_more, page.next_page or "", not page.data)

    yield from all_pages(Paging(query.get, end, "next_page", about=str(query.window)))
    return Answer(query, entries, min(refreshed, default=None))


def _parsed(body: Body) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except UNREADABLE as broken:
        raise Garbled(f"the body is not the JSON of a page: {broken}") from None


def _add(query: Query, entries: dict[date, list[msgspec.Raw]], entry: msgspec.Raw) -> None:
    try:
        edges = msgspec.json.decode(entry, type=_Edges)
        start, end = edges.starting_at.astimezone(UTC), edges.ending_at.astimezone(UTC)
    except (*UNREADABLE, OverflowError) as broken:
        raise Garbled(f"an entry has no readable starting_at and ending_at: {broken}") from None
    day = start.date()
    is_whole = start == midnight(day) and end == midnight(day) + ONE_DAY
    if not is_whole and day != query.open_day:
        raise Garbled(
            f"the entry of {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} is not a UTC day"
        )
    if day not in entries:
        raise Garbled(f"an entry of {day}, which was not requested")
    if query.report.has_buckets and entries[day]:
        raise Garbled(f"the entry of {day} came twice")
    entries[day].append(entry)


def _instant(day: date) -> str:
    return f"{day}T00:00:00Z"
