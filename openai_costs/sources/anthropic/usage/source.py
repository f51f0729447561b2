"""Reads an organization's usage."""

from collections.abc import Generator
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CursorRefused, RequestRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.costs.protocol import Reading, WindowRead
from openai_costs.sources.anthropic.paging import Answer, Query, complete
from openai_costs.sources.anthropic.reader import LEDGER_NOTE, Dataset, Reader, first_day
from openai_costs.sources.anthropic.usage.endpoints import (
    ANALYTICS_USAGE,
    DATASET,
    GROUPING,
    OLDER_GROUPING,
    PLAINER_GROUPING,
    USAGE_REPORT,
)
from openai_costs.sources.http.paging import Body, Get
from openai_costs.storage.archive import Archive

# The reads of a window of usage, without any I/O.


def read_analytics(window: DayRange, open_day: date | None = None) -> Reading:
    """Read a window from the analytics API; see `costs.protocol.read_analytics`."""
    query = Query(ANALYTICS_USAGE, window, GROUPING, open_day)
    return WindowRead(window, {DATASET: (yield from complete(query))})


def read_older(window: DayRange, open_day: date | None = None) -> Reading:
    """Read a window from the older report, with users where it knows them."""
    query = Query(USAGE_REPORT, window, OLDER_GROUPING, open_day)
    return WindowRead(window, {DATASET: (yield from _finest(query))})


def _finest(query: Query) -> Generator[Get, Body, Answer]:
    try:
        return (yield from complete(query))
    except CursorRefused:
        raise
    except RequestRefused:
        return (yield from complete(query.by(PLAINER_GROUPING)))


NOTE = "learned_usage"


def first_usage_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is usage for, as far as is known."""
    ledger, own = (first_day(archive, connection, note) for note in (LEDGER_NOTE, NOTE))
    return max(ledger, own)


class AnthropicUsage(Reader):
    """Reads what Anthropic organizations used."""

    dataset = Dataset(DATASET, NOTE, ANALYTICS_USAGE, read_analytics, read_older)
