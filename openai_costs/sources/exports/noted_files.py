"""What the note of a connection's files says of files that are gone, or are as they were read.

Not here: the note itself (notes.py), what becomes of a day (gone_files.py).
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from openai_costs.sources.exports.layout import is_of, months
from openai_costs.sources.exports.notes import DayNote, Notes
from openai_costs.sources.exports.ownership import HeldRun, Run

LATE: Final = timedelta(days=31)
"""How far ahead of what is known of a file a charge in it may be dated; late ones are behind."""


def may_wait(notes: Notes, run: Run, version: str, first: date) -> bool:
    """Return whether a run says nothing of the days from some day on, and nothing new of others.

    A month may be written anew long after its end, or exported once more: days that are kept have
    changed with it then.

    Args:
        notes: What is known of the files.
        run: The run.
        version: What changes with its files.
        first: The first day that is asked for.
    """
    last = max(known_until(notes, run).values()) + LATE
    is_as_it_was = bool(version) and notes.runs.get(run.name) == version
    is_before_all = last < min(notes.days, default=date.max)
    return run.days is not None and last < first and (is_as_it_was or is_before_all)


def known_until(notes: Notes, run: Run) -> dict[str, date]:
    """Return the last day that each file of a run is about, or had a charge of when it was read."""
    about, known = run.days.last if run.days else date.min, notes.files or {}
    return {name: max(known.get(name, about), about) for name in run.files}


def last_days(days: Mapping[date, DayNote]) -> dict[str, date]:
    """Return the last day that each file has rows of, by what is noted of some days."""
    return {name: day for day in sorted(days) for name in days[day].files}


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


def kept_from_gone_files(
    notes: Notes, runs: Iterable[HeldRun], paths: Container[str]
) -> Iterator[date]:
    """Yield the days of files that are gone that have rows of a month which a run is about.

    Such a run replaces them also on days that it has no row of, and that are not in the month.
    """
    whole = [one.run.days for one in runs if one.run.is_whole_months and one.run.days]
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
