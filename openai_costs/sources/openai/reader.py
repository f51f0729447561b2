"""Reads the days of a dataset: from where its history starts, window by window."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from openai_costs.kernel.clock_skew import ReadInstant
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.connection import NAME, connect
from openai_costs.sources.openai.hints import recall
from openai_costs.sources.openai.organization.protocol import earliest_day
from openai_costs.sources.openai.windows import Dataset, by_day, windows
from openai_costs.sources.provider import Reach, Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import Archive, DayRead

# Where a connection's history starts, found once, so that no empty years are paged. Not here: how
# the floor is met below which the provider refuses to answer (windows.py).

LEDGER_NOTE = "learned"
"""The note with hints about a connection and its ledger."""


def find_start(
    settings: Settings, archive: Archive, reach: Reach, connection: Connection, tell: Tell
) -> None:
    """Ask how old the organization is, unless that is known or the settings say where to start."""
    note = archive.note(NAME, connection.name, LEDGER_NOTE)
    hints = recall(note)
    if connection.start or hints.created or connection.access == "costs_only":
        return
    with closing(connect(settings, connection, reach, tell)) as transport:
        try:
            created = hold(earliest_day(), transport)
        except ReadFailed:
            return  # a key without api.management.read: the floor is searched for instead
    if created is not None:
        tell(f"{connection.name}: its oldest project or key was made on {created}")
        write_note(note, hints.with_created(created))


def first_day(archive: Archive, connection: Connection, note: str = LEDGER_NOTE) -> date:
    """Return the first day there is history for, as far as is known.

    That is the connection's start; without one, the day its oldest project or API key was made;
    and never before the floor that the provider refused to go below, for the ledger or for what
    explains it.

    Args:
        archive: Where the notes are kept.
        connection: Whose history.
        note: The note with hints about the pages in question.
    """
    ledger, own = (
        recall(archive.note(NAME, connection.name, about)) for about in (LEDGER_NOTE, note)
    )
    created = None if connection.start else ledger.created
    limits = (connection.first_day, created, ledger.floor, own.floor)
    return max(day for day in limits if day is not None)


def since(days: DayRange, first: date) -> DayRange | None:
    """Return the days from `first` on; None when there are none."""
    return DayRange(max(days.first, first), days.last) if first <= days.last else None


@dataclass(frozen=True)
class Reader(RunReader):
    """Reads one dataset of OpenAI organizations."""

    dataset: ClassVar[Dataset]

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

        def now() -> ReadInstant:
            return self.reach.instant(connection, self.clock())

        for read, read_at in windows(self.dataset, transport, note, asked, now):
            done = (days.last - read.window.first).days + 1
            text = self.dataset.tell(read)
            tell(f"{connection.name}: {text} ({done} of {len(days)} days)")
            yield from by_day(self.dataset, connection, read, read_at)
