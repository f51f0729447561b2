"""Reads the cost events of ChatGPT workspaces, a week of days at a time, the newest first."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

from openai_costs.kernel.days import ONE_DAY, DayRange, midnight
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.chatgpt_workspace.endpoints import (
    DATASET,
    KEEPS,
    NAME,
    QUIET,
    VENDOR,
    kept_days,
)
from openai_costs.sources.chatgpt_workspace.late_events import note_late
from openai_costs.sources.chatgpt_workspace.protocol import list_files, read_files
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
"""Days held at a time: an hour of a large workspace is a file of some megabytes."""


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection: the first that still had its files at first."""
    return first_noted(archive, NAME, connection)


class ChatGptCosts(RunReader):
    """Reads the cost events of ChatGPT workspaces."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day whose files are all still there, newest week first.

        Each file since the first day is read once: a late event is in any of them.

        Raises:
            ReadFailed: A file could not be read; the weeks after it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        there = kept_days(self.reach.instant(connection, self.clock()).believed)
        history = History(there, first_day(self.archive, connection), KEEPS)
        say_lost(history, days, self.archive, (NAME, connection.name, DATASET), tell)
        if (wanted := history.of(days)) is None:
            return
        opened = transport_to(VENDOR, self.settings, connection, self.reach, tell)
        with closing(opened) as transport:
            read_at = self.clock()
            found = hold(list_files(str(connection.organization_id), wanted), transport)
            there = kept_days(answered_at(self.reach, connection, read_at))
            note_day(self.archive, NAME, connection.name, there.first)
            if (since := found.newest_end or midnight(wanted.first)) <= read_at - QUIET:
                tell(
                    f"{connection.name}: no file of cost events since {since:%Y-%m-%d %H:%M} UTC: "
                    f"days after it have no events, and settle {QUIET.days} days after their end"
                )
            for window in _windows(wanted):
                files = counted(hold(read_files(found, window.first), transport), "file")
                for day in reversed([*window]):
                    kept = (NAME, connection.name, DATASET, day, read_at)
                    yield DayRead(*kept, found.requests(day), found.bodies(day))
                    found.lines[day].clear()
                tell(f"{connection.name}: read {window} from {files}")
        note_late(self.archive, connection, found, there)


def _windows(days: DayRange) -> Iterator[DayRange]:
    """Yield some days in windows, the newest first."""
    left = days
    while left:
        window = left.newest(WINDOW)
        yield window
        left = DayRange(left.first, window.first - ONE_DAY)
