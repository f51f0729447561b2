"""The entries of some days, without any I/O: what to ask next, and which day an entry is of."""

from collections.abc import Generator
from datetime import date

import msgspec

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)
from openai_costs_tests.sources.acme_ai.endpoints import ENTRIES

Entries = dict[date, list[msgspec.Raw]]


class _Page(msgspec.Struct):
    entries: list[msgspec.Raw]
    resume: str | None = None


class _Dated(msgspec.Struct):
    date: date


def get(days: DayRange, cursor: str | None = None) -> Get:
    """Return the request for a page of some days; the end is not included."""
    params = [("from", str(days.first)), ("until", str(days.last + ONE_DAY))]
    return Get(ENTRIES, (*params, *([("resume", cursor)] if cursor else [])))


def entries(days: DayRange) -> Generator[Get, Body, Entries]:
    """Read every page of some days; return each day's entries verbatim, also of an empty day."""
    return restarted(lambda: _entries(days), ENTRIES)


def _entries(days: DayRange) -> Generator[Get, Body, Entries]:
    found: Entries = {day: [] for day in days}

    def end(body: Body, _cursor: str | None) -> PageEnd:
        try:
            page = msgspec.json.decode(body, type=_Page)
            for entry in page.entries:
                found[msgspec.json.decode(entry, type=_Dated).date].append(entry)
        except (msgspec.DecodeError, KeyError) as broken:
            raise Garbled(f"the body is not a page of these days: {broken}") from None
        return PageEnd(page.resume is not None, page.resume or "", not page.entries)

    yield from all_pages(Paging(lambda cursor: get(days, cursor), end, "resume"))
    return found
