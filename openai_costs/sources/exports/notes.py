"""What a connection's files held when they were last read: days, and a digest of each.

A hint, never evidence: losing the file makes the files be read once more. Exports change days that
were not requested: a charge of October that comes in the file of November. Such days are owed.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from upath import UPath

from openai_costs.kernel.errors import ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.exports.evidence import ROWS, Request, billing_months, digest
from openai_costs.sources.exports.layout import is_of, months
from openai_costs.sources.exports.ownership import Run
from openai_costs.sources.exports.settings import files_of, rules_text
from openai_costs.sources.notes import read_note, write_note
from openai_costs.storage.archive import Archive

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


class Notes(msgspec.Struct, frozen=True):
    """What is known of a connection's files.

    Args:
        first: The first day that any run covers.
        days: What was kept, by day.
        accounts: The billing accounts whose charges were kept.
        owed: Days that have changed in the files and were not asked for since.
        files: All files of the readings so far, also those that are gone, and the last day that
            each may prove; None in a note of an earlier version.
    """

    first: date | None = None
    days: dict[date, DayNote] = {}
    accounts: tuple[str, ...] = ()
    owed: tuple[date, ...] = ()
    files: dict[str, date] | None = None


class Seen(NamedTuple):
    """What some files hold: the days that their runs cover, and billing accounts.

    Beside it the days that were withdrawn: nothing is kept of them any more; the files that are
    there, with the last day that each may prove; and the billing months of some kept days.
    """

    covered: Collection[date]
    accounts: Collection[str]
    withdrawn: Collection[date] = ()
    files: Mapping[str, date] = MappingProxyType({})
    months: Mapping[date, tuple[str, ...]] = MappingProxyType({})


def recall(archive: Archive, connection: Connection) -> Notes:
    """Return what is known; nothing when there is no note or it cannot be read."""
    return read_note(_file(archive, connection), Notes) or Notes()


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
        day: msgspec.structs.replace(its, months=seen.months.get(day, its.months))
        for day, its in (known.days | dict(kept)).items()
        if day >= limit and day not in left
    }
    named = tuple(sorted({*known.accounts, *seen.accounts}))
    still = tuple(sorted(day for day in owed if day >= limit))
    files = {
        name: day
        for name, day in ((known.files or {}) | dict(seen.files)).items()
        if name in seen.files or day >= limit
    }
    note = Notes(min(firsts, default=None), days, named, still, files)
    write_note(_file(archive, connection), note)


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection that any of its files covers, as far as is known."""
    first = recall(archive, connection).first
    return max(connection.first_day, first) if first else connection.first_day


def proven_by_gone_files(notes: Notes, paths: Container[str], export: str = "") -> date:
    """Return the last day that a file which is gone may have proven to be complete, in any way.

    Args:
        notes: What is known of the files; of an earlier version they say nothing of them.
        paths: The files that are there.
        export: The export that the file was of; empty for any.
    """
    if notes.files is None:
        return date.max
    gone = {name: day for name, day in notes.files.items() if name not in paths}
    its = (day for name, day in gone.items() if not export or is_of(export, name))
    return max(its, default=date.min)


def known_until(notes: Notes, run: Run) -> dict[str, date]:
    """Return the last day that each file of a run is about, or had a charge of when it was read."""
    about, known = run.days.last if run.days else date.min, notes.files or {}
    return {name: max(known.get(name, about), about) for name in run.files}


def kept_from_gone_files(
    notes: Notes, runs: Iterable[Run], paths: Container[str]
) -> Iterator[date]:
    """Yield the days of files that are gone that have rows of a month which a run is about.

    Such a run replaces them also on days that it has no row of, and that are not in the month.
    """
    whole = [one.days for one in runs if one.is_whole_months and one.days]
    about = {f"{month:%Y-%m}" for days in whole for month in months(days)}
    for day, its in notes.days.items():
        is_about = bool(about) if its.months is None else not about.isdisjoint(its.months)
        if is_about and not all(one in paths for one in its.files):
            yield day


def replaced_until(
    notes: Notes, runs: Sequence[Run], paths: Container[str], instants: Mapping[str, datetime]
) -> dict[str, date]:
    """Return the files that a newer run of their export, which is gone, has replaced, until a day.

    Args:
        notes: What is known of the files.
        runs: The runs that are there.
        paths: The files that are there.
        instants: When the runs were, of which rows are kept, by file.
    """
    gone = [(path, at) for path, at in instants.items() if path not in paths]
    replaced = [
        one
        for one in runs
        if any(one.ran_at and one.ran_at < at and is_of(one.export, path) for path, at in gone)
    ]
    until = {one.export: proven_by_gone_files(notes, paths, one.export) for one in replaced}
    return {name: until[one.export] for one in replaced for name in one.files}


def kept_beside(
    notes: Notes, runs: Sequence[Run], paths: Container[str]
) -> dict[str, frozenset[str]]:
    """Return the files and exports that a day was kept from together with each file that is gone.

    Args:
        notes: What is known of the files.
        runs: The runs that are there.
        paths: The files that are there.
    """
    beside: dict[str, set[str]] = {}
    for its in notes.days.values():
        for name in its.files:
            if name not in paths:
                beside.setdefault(name, set()).update(its.files)
    exports = {one.export for one in runs if one.ran_at or one.is_listed}
    names = {one for files in beside.values() for one in files}
    of = {one: {one, *(export for export in exports if is_of(export, one))} for one in names}
    return {name: frozenset().union(*(of[one] for one in its)) for name, its in beside.items()}


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
