"""Reads an organization's costs."""

from collections.abc import Generator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.openai.connection import connect
from openai_costs.sources.openai.costs.endpoints import COSTS, USER_VIEW
from openai_costs.sources.openai.costs.protocol import WindowRead, read_window
from openai_costs.sources.openai.hints import Hints
from openai_costs.sources.openai.paging import Query
from openai_costs.sources.openai.reader import LEDGER_NOTE, Reader
from openai_costs.sources.openai.windows import Dataset, open_day
from openai_costs.sources.provider import Reach


def probe(settings: Settings, connection: Connection, reach: Reach, day: DayRange) -> None:
    """Ask for one day without grouping: the smallest request that shows whether we may read.

    Raises:
        ReadFailed: The request was refused or did not arrive.
        MissingKey: The connection has no key; nothing was sent.
    """
    get = Query(COSTS, day).get()
    with closing(connect(settings, connection, reach)) as transport:
        transport.get(get.path, get.params)


def _talk(window: DayRange, hints: Hints, today: date) -> Generator[Get, Body, WindowRead]:
    groupings = hints.groupings(window, today)
    return read_window(window, groupings, open_day(window, today))


def _progress(read: WindowRead) -> str:
    without = ", without users" if USER_VIEW in read.absent else ""
    return f"read {read.window} by {', '.join(read.answers['ledger'].query.grouping)}{without}"


class OpenAICosts(Reader):
    """Reads the costs of OpenAI organizations."""

    dataset = Dataset(COSTS.dataset, LEDGER_NOTE, COSTS, _talk, _progress)
