"""Reads the days of a dataset: from where its history starts, window by window."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from openai_costs.archive import Archive, DayRead
from openai_costs.days import Clock, DayRange
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai.connecting import NAME, connect
from openai_costs.sources.openai.start import find_start, first_day, since
from openai_costs.sources.openai.windows import Dataset, by_day, windows
from openai_costs.sources.source import Reach, Tell


@dataclass(frozen=True)
class Reader:
    """Reads one dataset of OpenAI organisations."""

    dataset: ClassVar[Dataset]

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
        find_start(self.settings, self.archive, self.reach, connection, tell)
        asked = since(days, first_day(self.archive, connection, self.dataset.note))
        if asked is None:
            return
        transport = connect(self.settings, connection, self.reach, tell)
        note = self.archive.note(NAME, connection.name, self.dataset.note)
        for read, read_at in windows(self.dataset, transport, note, asked, self.clock):
            done = (days.last - read.window.first).days + 1
            told = self.dataset.tell(read)
            tell(f"{connection.name}: {told} ({done} of {len(days)} days)")
            yield from by_day(self.dataset, connection, read, read_at)
