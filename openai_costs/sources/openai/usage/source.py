"""Reads an organisation's usage, window by window."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date

from openai_costs.archive import Archive, DayRead
from openai_costs.days import Clock, DayRange
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai.connecting import NAME, connect
from openai_costs.sources.openai.learned import Learned, recall
from openai_costs.sources.openai.paging import Body, Get
from openai_costs.sources.openai.protocol import WindowRead
from openai_costs.sources.openai.source import first_day, since
from openai_costs.sources.openai.usage.endpoints import DATASET, OLDEST
from openai_costs.sources.openai.usage.protocol import read_window
from openai_costs.sources.openai.windows import Dataset, by_day, open_day, windows
from openai_costs.sources.source import Reach, Tell

NOTE = "learned_usage"


@dataclass(frozen=True)
class OpenAIUsage:
    """Reads what OpenAI organisations used."""

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
        asked = since(days, first_usage_day(self.archive, connection))
        if asked is None:
            return
        transport = connect(self.settings, connection, self.reach)
        note = self.archive.note(NAME, connection.name, NOTE)
        for read, read_at in windows(USAGE_PAGES, transport, note, asked, self.clock):
            done = (days.last - read.window.first).days + 1
            tell(f"{connection.name}: read usage of {read.window} ({done} of {len(days)} days)")
            yield from by_day(USAGE_PAGES, connection, read, read_at)


def first_usage_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is usage for, as far as is known."""
    floor = recall(archive.note(NAME, connection.name, NOTE)).floor
    return max(first_day(archive, connection), floor or date.min)


def _talk(window: DayRange, _learned: Learned, today: date) -> Generator[Get, Body, WindowRead]:
    return read_window(window, open_day(window, today))


USAGE_PAGES = Dataset(DATASET, OLDEST, _talk)
