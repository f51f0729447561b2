"""Where a connection's history starts, found once, so that no empty years are paged.

Not here: how the floor is met below which the provider refuses to answer (windows.py).
"""

from contextlib import closing
from datetime import date

from openai_costs.archive import Archive
from openai_costs.days import DayRange
from openai_costs.errors import ReadFailed
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai.connecting import NAME, connect
from openai_costs.sources.openai.directory.protocol import earliest_day
from openai_costs.sources.openai.learned import recall, remember
from openai_costs.sources.openai.windows import hold
from openai_costs.sources.source import Reach, Tell

LEDGER_NOTE = "learned"
"""The note of what was learned about a connection and its ledger."""


def find_start(
    settings: Settings, archive: Archive, reach: Reach, connection: Connection, tell: Tell
) -> None:
    """Ask how old the organisation is, unless that is known or the settings say where to start."""
    note = archive.note(NAME, connection.name, LEDGER_NOTE)
    learned = recall(note)
    if connection.start or learned.created or connection.access == "costs_only":
        return
    with closing(connect(settings, connection, reach, tell)) as transport:
        try:
            created = hold(earliest_day(), transport)
        except ReadFailed:
            return  # a key without api.management.read: the floor is searched for instead
    if created is not None:
        tell(f"{connection.name}: its oldest project or key was made on {created}")
        remember(note, learned.with_created(created))


def first_day(archive: Archive, connection: Connection, note: str = LEDGER_NOTE) -> date:
    """Return the first day there is history for, as far as is known.

    That is the connection's start; without one, the day its oldest project or API key was made;
    and never before the floor that the provider refused to go below, for the ledger or for what
    explains it.

    Args:
        archive: Where the notes are kept.
        connection: Whose history.
        note: The note of what was learned about the pages in question.
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
