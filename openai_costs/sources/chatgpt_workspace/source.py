"""Reads the cost events of ChatGPT workspaces, a week of files at a time, the newest first."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.chatgpt_workspace.endpoints import (
    DATASET,
    KEEPS,
    NAME,
    VENDOR,
    kept_days,
)
from openai_costs.sources.chatgpt_workspace.protocol import read_events
from openai_costs.sources.daily_reader import (
    History,
    answered_at,
    first_noted,
    note_day,
    say_lost,
)
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import Archive, DayRead

WINDOW = 7
"""Days read at a time: an hour of a large workspace is a file of some megabytes."""


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection: the first that still had its files at first."""
    return first_noted(archive, NAME, connection)


class ChatGptCosts(RunReader):
    """Reads the cost events of ChatGPT workspaces."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day whose files are all still there, newest week first.

        Raises:
            ReadFailed: A file could not be read; the weeks after it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        there = kept_days(self.reach.instant(connection, self.clock()).believed)
        history = History(there, first_day(self.archive, connection), KEEPS)
        say_lost(history, days, self.archive, (NAME, connection.name, DATASET), tell)
        left = history.of(days)
        opened = transport_to(VENDOR, self.settings, connection, self.reach, tell)
        with closing(opened) as transport:
            while left is not None:
                window, read_at = left.newest(WINDOW), self.clock()
                found = hold(read_events(str(connection.organization_id), window), transport)
                had = kept_days(answered_at(self.reach, connection, read_at))
                note_day(self.archive, NAME, connection.name, had.first)
                for day in reversed([*window]):
                    kept = (NAME, connection.name, DATASET, day, read_at)
                    yield DayRead(*kept, found.requests(day), found.bodies(day))
                files = counted(len(found.files), "file")
                tell(f"{connection.name}: read {window} from {files}")
                last = window.first - ONE_DAY
                left = DayRange(left.first, last) if left.first <= last else None
