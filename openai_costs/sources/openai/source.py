"""Reads an organisation's costs, and says where its history starts."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from openai_costs.archive import Archive, DayRead
from openai_costs.days import Clock, DayRange
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai.connecting import NAME, connect
from openai_costs.sources.openai.endpoints import COSTS
from openai_costs.sources.openai.learned import Learned, recall
from openai_costs.sources.openai.paging import Body, Get, Query
from openai_costs.sources.openai.protocol import WindowRead, read_window
from openai_costs.sources.openai.windows import Dataset, by_day, open_day, windows
from openai_costs.sources.source import Reach, Tell


@dataclass(frozen=True)
class OpenAICosts:
    """Reads the costs of OpenAI organisations."""

    settings: Settings
    archive: Archive
    clock: Clock
    reach: Reach = field(default_factory=Reach)

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield every day of `days` that the provider has, as complete reads, newest window first.

        Raises:
            ReadFailed: A window could not be completed; the windows before it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        asked = since(days, first_day(self.archive, connection))
        if asked is None:
            return
        transport = connect(self.settings, connection, self.reach)
        note = self.archive.note(NAME, connection.name)
        for read, read_at in windows(COST_PAGES, transport, note, asked, self.clock):
            tell(_progress(connection, read, days))
            yield from by_day(COST_PAGES, connection, read, read_at)


def probe(settings: Settings, connection: Connection, reach: Reach, day: DayRange) -> None:
    """Ask for one day without grouping: the smallest request that shows whether we may read.

    Raises:
        ReadFailed: The request was refused or did not arrive.
        MissingKey: The connection has no key; nothing was sent.
    """
    get = Query(COSTS, day).get()
    with closing(connect(settings, connection, reach)) as transport:
        transport.get(get.path, get.params)


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is history for: the connection's start, or the floor met since."""
    floor = recall(archive.note(NAME, connection.name)).floor
    return max(connection.first_day, floor or connection.first_day)


def since(days: DayRange, first: date) -> DayRange | None:
    """Return the days from `first` on; None when there are none."""
    return DayRange(max(days.first, first), days.last) if first <= days.last else None


def _talk(window: DayRange, learned: Learned, today: date) -> Generator[Get, Body, WindowRead]:
    groupings = learned.groupings(window, today)
    return read_window(window, groupings, open_day(window, today))


COST_PAGES = Dataset(COSTS.dataset, COSTS, _talk)


def _progress(connection: Connection, read: WindowRead, days: DayRange) -> str:
    done = (days.last - read.window.first).days + 1
    grouping = ", ".join(read.answers["ledger"].query.grouping)
    return f"{connection.name}: read {read.window} by {grouping} ({done} of {len(days)} days)"
