"""What a connection's files held when they were last read: days, and a digest of each.

A hint, never evidence: losing the file makes the files be read once more. Exports change days that
were not requested: a charge of October that comes in the file of November. Such days are owed.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec
from upath import UPath

from openai_costs.settings.connection import Connection
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import replace_file

ABOUT = "files"


class DayNote(msgspec.Struct, frozen=True):
    """A day that was kept: a digest of it, and the files its rows came from."""

    digest: str
    files: tuple[str, ...]


class Notes(msgspec.Struct, frozen=True):
    """What is known of a connection's files.

    Args:
        first: The first day that any run covers.
        days: What was kept, by day.
        owed: Days that have changed in the files and were not asked for since.
    """

    first: date | None = None
    days: dict[date, DayNote] = {}
    owed: tuple[date, ...] = ()


def recall(archive: Archive, connection: Connection) -> Notes:
    """Return what is known; nothing when there is no note or it cannot be read."""
    try:
        return msgspec.json.decode(_file(archive, connection).read_bytes(), type=Notes)
    except (FileNotFoundError, msgspec.DecodeError):
        return Notes()


def remember(
    archive: Archive,
    connection: Connection,
    covered: Iterable[date],
    kept: Mapping[date, DayNote],
    changed: Iterable[date],
) -> None:
    """Replace the note.

    Args:
        archive: Where it is.
        connection: Whose files.
        covered: The days that runs cover now.
        kept: The days that were kept just now.
        changed: The days that have changed and were not asked for.
    """
    known = recall(archive, connection)
    firsts = [*covered, *([known.first] if known.first else [])]
    owed = (set(known.owed) | set(changed)) - set(kept)
    note = Notes(min(firsts, default=None), known.days | dict(kept), tuple(sorted(owed)))
    replace_file(_file(archive, connection), msgspec.json.format(msgspec.json.encode(note)))


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection that any of its files covers, as far as is known."""
    first = recall(archive, connection).first
    return max(connection.first_day, first) if first else connection.first_day


def owed_days(archive: Archive, connection: Connection) -> tuple[date, ...]:
    """Return the days whose charges have changed in the files since they were kept."""
    return recall(archive, connection).owed


def _file(archive: Archive, connection: Connection) -> UPath:
    return archive.note(connection.provider, connection.name, ABOUT)
