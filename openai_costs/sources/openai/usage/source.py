"""Reads an organization's usage."""

from collections.abc import Generator
from dataclasses import replace
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CursorRefused, LookbackExceeded, RequestRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openai.costs.protocol import WindowRead, find_floor, richest
from openai_costs.sources.openai.hints import Hints
from openai_costs.sources.openai.paging import Answer, Query
from openai_costs.sources.openai.reader import Reader, first_day
from openai_costs.sources.openai.usage.endpoints import (
    DATASET,
    OLDEST,
    USAGE_ENDPOINTS,
    UsageEndpoint,
)
from openai_costs.sources.openai.windows import Dataset, open_day
from openai_costs.storage.archive import Archive

# The reads of a window of usage, without any I/O: each endpoint in its finest grouping.


def read_window(window: DayRange, open_day: date | None = None) -> Generator[Get, Body, WindowRead]:
    """Read a window from every usage endpoint, one part each.

    An endpoint that this organization is not given is absent from the read, with the message.

    Raises:
        RequestRefused: Every endpoint was refused.
        LookbackExceeded: The window begins before the history of usage does.
        IncompleteRead: See `complete`.
    """
    answers: dict[str, Answer] = {}
    absent: dict[str, RequestRefused] = {}
    for endpoint in USAGE_ENDPOINTS:
        try:
            answers[endpoint.dataset] = yield from _finest(endpoint, window, open_day)
        except CursorRefused:
            raise
        except RequestRefused as refused:
            if isinstance(refused, LookbackExceeded) and endpoint is OLDEST:
                raise
            absent[endpoint.dataset] = refused
    if not answers:
        raise next(iter(absent.values()))
    return WindowRead(
        window, answers, absent={name: error.message for name, error in absent.items()}
    )


def _finest(
    endpoint: UsageEndpoint, window: DayRange, open_day: date | None
) -> Generator[Get, Body, Answer]:
    """Ask one endpoint; one that is younger than the others is asked for the days it has."""
    query = Query(endpoint, window, open_day=open_day)
    try:
        answer, _ = yield from richest(query, endpoint.groupings)
    except LookbackExceeded:
        floor = window.first if endpoint is OLDEST else (yield from find_floor(window, endpoint))
        if not window.first < floor <= window.last:
            raise
        since = replace(query, window=DayRange(floor, window.last))
        answer, _ = yield from richest(since, endpoint.groupings)
    return answer


NOTE = "learned_usage"


def first_usage_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is usage for, as far as is known."""
    return first_day(archive, connection, NOTE)


def _talk(window: DayRange, _hints: Hints, today: date) -> Generator[Get, Body, WindowRead]:
    return read_window(window, open_day(window, today))


def _progress(read: WindowRead) -> str:
    without = f" without {', '.join(read.absent)}" if read.absent else ""
    return f"read usage of {read.window}{without}"


class OpenAIUsage(Reader):
    """Reads what OpenAI organizations used."""

    dataset = Dataset(DATASET, NOTE, OLDEST, _talk, _progress)
