"""What a connection's files held when they were last read: days, and a digest of each.

A hint, never evidence: what it lacks of the kept days is taken from their pages, and they are read
once more. Exports change days that were not requested: a charge of October that comes in the file
of November. Such days are owed.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from upath import UPath

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.exports.evidence import ROWS, Request, billing_months, digest
from openai_costs.sources.exports.kept_reads import KeptReads
from openai_costs.sources.exports.settings import files_of, rules_text
from openai_costs.sources.notes import read_note, write_note
from openai_costs.storage.archive import Archive, KeptRead

ABOUT = "files"


class DayNote(msgspec.Struct, frozen=True):
    """A day that was kept.

    Args:
        digest: Of what was kept.
        files: The files that its rows came from.
        rules: The settings that it was kept by.
        months: The billing months of its rows (`2026-11`); None in a note of an earlier version.
    """

    digest: str
    files: tuple[str, ...]
    rules: str = ""
    months: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls, requests: Mapping[str, Request], members: Mapping[str, bytes], rules: str
    ) -> "DayNote":
        """Return what is noted of a day as it is kept by some settings."""
        files = {path for name, (path, *_) in requests.items() if name.startswith(ROWS)}
        return cls(digest(members), tuple(sorted(files)), rules, billing_months(members))

    @classmethod
    def of_kept(cls, read: KeptRead, rules: str) -> "DayNote":
        """Return it from what is kept of the day."""
        return cls.of(read.requests, read.bodies, rules)


class Notes(msgspec.Struct, frozen=True):
    """What is known of a connection's files.

    Args:
        first: The first day that any run covers.
        days: What was kept, by day.
        accounts: The billing accounts whose charges were kept.
        owed: Days that have changed in the files and were not asked for since.
        files: All files of the readings so far, also those that are gone, and the last day that
            each may prove; None in a note of an earlier version.
        runs: What changes with the files of a run, as they were when they were read, by its name.
        at: When the files were read; None in a note of an earlier version.
    """

    first: date | None = None
    days: dict[date, DayNote] = {}
    accounts: tuple[str, ...] = ()
    owed: tuple[date, ...] = ()
    files: dict[str, date] | None = None
    runs: dict[str, str] = {}
    at: datetime | None = None


class Seen(NamedTuple):
    """What some files hold: the days that their runs cover, and billing accounts.

    Beside it the days that were withdrawn: nothing is kept of them any more; the last day that each
    file may prove; the runs as they are; what was noted anew of kept days; and when that was.
    """

    covered: Collection[date]
    accounts: Collection[str]
    withdrawn: Collection[date] = ()
    files: Mapping[str, date] = MappingProxyType({})
    runs: Mapping[str, str] = MappingProxyType({})
    noted: Mapping[date, DayNote] = MappingProxyType({})
    at: datetime | None = None


def recall(archive: Archive, connection: Connection) -> Notes:
    """Return what is known; nothing when there is no note or it cannot be read."""
    return read_note(_file(archive, connection), Notes) or Notes()


def unnoted_days(notes: Notes, kept: KeptReads) -> dict[date, DayNote]:
    """Return the kept days that a note does not know, as their pages have them.

    The note was lost, or it is of before: the reading that kept them was killed. By which settings
    a day was kept is not in its page: without a note it is due.
    """
    limit = kept.connection.deleted_before or date.min
    days = [
        day
        for day, at in kept.read_at.items()
        if day >= limit and (day not in notes.days or (notes.at and at > notes.at))
    ]
    rules = {day: its.rules for day, its in notes.days.items()}
    return {
        day: DayNote.of_kept(read, rules.get(day, "")) for day in days if (read := kept.newest(day))
    }


def remember(
    archive: Archive,
    connection: Connection,
    seen: Seen,
    kept: Mapping[date, DayNote],
    changed: Iterable[date],
) -> None:
    """Replace the note; nothing of days that are deleted stays in it.

    Args:
        archive: Where it is.
        connection: Whose files.
        seen: What the files hold now.
        kept: The days that were kept just now.
        changed: The days that have changed and were not asked for.
    """
    known = recall(archive, connection)
    firsts = [*seen.covered, *([known.first] if known.first else [])]
    owed = (set(known.owed) | set(changed)) - {*kept, *seen.withdrawn}
    limit = connection.deleted_before or date.min
    left = set(seen.withdrawn)
    days = {
        day: its
        for day, its in (known.days | dict(seen.noted) | dict(kept)).items()
        if day >= limit and day not in left
    }
    named = tuple(sorted({*known.accounts, *seen.accounts}))
    still = tuple(sorted(day for day in owed if day >= limit))
    files = {
        name: day
        for name, day in ((known.files or {}) | dict(seen.files)).items()
        if name in seen.files or day >= limit
    }
    runs = dict(seen.runs)
    note = Notes(min(firsts, default=None), days, named, still, files, runs, seen.at)
    write_note(_file(archive, connection), note)


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection that any of its files covers, as far as is known."""
    first = recall(archive, connection).first
    return max(connection.first_day, first) if first else connection.first_day


def owed_days(archive: Archive, connection: Connection) -> tuple[date, ...]:
    """Return the days that say something else than files and settings do now.

    Their charges have changed in the files since they were kept, or the settings say otherwise
    which rows count and what a currency is worth: a month has one rate.
    """
    known, now = recall(archive, connection), rules_text(connection)
    others = {day for day, its in known.days.items() if its.rules != now}
    return tuple(sorted({*known.owed, *others}))


def refuse_counted_account(
    archive: Archive, settings: Settings, connection: Connection, accounts: Iterable[str]
) -> None:
    """Refuse a billing account that a connection of another provider reads from its exports too.

    Raises:
        ReadFailed: One that comes first in the settings does.
    """
    for other in settings.connections:
        if other.name == connection.name:
            return
        known = set(recall(archive, other).accounts if files_of(other) else ())
        if other.provider != connection.provider and (both := sorted(known.intersection(accounts))):
            raise ReadFailed(
                f"Connection {connection.name!r}: billing account {both[0]} is counted by "
                f"connection {other.name!r} already. Nothing was kept. Leave its exports out of "
                "one of the two."
            )


def _file(archive: Archive, connection: Connection) -> UPath:
    return archive.note(connection.provider, connection.name, ABOUT)
