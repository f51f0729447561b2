"""Days that are kept, and that neither a row nor a file proves: they are withdrawn. Pure.

Version 0.1 took every day before a charge for complete, also before one that is dated ahead: days
that were not exported yet were kept without a row, as $0.00. And a run under a clock ahead keeps
charges of days that have not come. Which of two clocks was wrong no clock says: as long as a read
is dated after now, only what the files that are there show counts.

A file that is gone stays the proof of its days. So a day without a row is withdrawn only where the
files that are there show how it came to be kept: one of them reaches over it with a charge, and
covers it no more; or it is after all that they have, and so are no rows of a file that is gone.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted
from openai_costs.sources.exports.evidence import CONTROL, LEFT_OUT, sources_of
from openai_costs.sources.exports.ownership import HeldRun
from openai_costs.storage.archive import KeptRead

ReadsOf = Callable[[date], Sequence[KeptRead]]
"""Returns all reads of a day that can be used."""


def empty_days(
    runs: Sequence[HeldRun], days: Iterable[date], paths: Container[str], reads_of: ReadsOf
) -> set[date]:
    """Return the days without any row that no file proves to be complete.

    Args:
        runs: The runs that are there.
        days: The kept days until today that no run covers.
        paths: The files that are there.
        reads_of: Returns what is kept of a day.
    """
    until = max((one.used_until for one in runs if one.used_until > date.min), default=date.max)
    dated = [_dated(one) for one in runs if not (one.run.days and one.run.ran_at)]
    asked = [
        day for day in days if day > until or any(one.first <= day <= one.last for one in dated)
    ]
    reads = {day: reads_of(day) for day in asked}
    is_gone = _is_gone([one for day in asked if day > until for one in reads[day]], paths)
    return {
        day
        for day, its in reads.items()
        if its and all(map(_is_empty, its)) and not (is_gone and day > until)
    }


def days_to_come(
    runs: Iterable[HeldRun], days: Iterable[date], paths: Container[str], reads_of: ReadsOf
) -> set[date]:
    """Return the days, read by a clock ahead of ours, that the files of their rows have no more.

    It may be our clock that is behind. So a day stays as long as a run has a row of it or of a
    later day, or is of such a day itself; and all stay where a file of one of them is gone.

    Args:
        runs: The runs that are there.
        days: The kept days after today whose newest read is dated after now.
        paths: The files that are there.
        reads_of: Returns what is kept of a day.
    """
    until = max((_shown_until(one) for one in runs), default=date.max)
    asked = {day: reads_of(day) for day in days if day > until}
    is_gone = _is_gone([one for its in asked.values() for one in its], paths)
    return set() if is_gone else {day for day, its in asked.items() if its}


def withdrawn_texts(days: Iterable[date], today: date) -> Iterator[str]:
    """Yield what the log says of withdrawn days: nothing where there are none."""
    found = sorted(days)
    empty = [day for day in found if day <= today]
    ahead = [day for day in found if day > today]
    for its, why in (
        (empty, "kept as $0.00 before, and in no file"),
        (ahead, "still to come, read by a clock ahead, and in their files no more"),
    ):
        if its:
            many = f"{counted(len(its), 'day')}, {DayRange(its[0], its[-1])}"
            yield f"withdrew {many}, {why}: not read, and the pages are set aside in raw/"


def _dated(one: HeldRun) -> DayRange:
    """Return the days until the last charge of a run of any kind, however far ahead it is dated.

    One that says its days and when it ran was never taken to have more than until then.
    """
    about, days = one.run.days, one.held["day"]
    first, last = min(days, default=date.max), max(days, default=date.min)
    return DayRange(about.first, min(about.last, last)) if about else DayRange(first, last)


def _shown_until(one: HeldRun) -> date:
    """Return the last day that a run shows to have come: of its rows, or when it ran."""
    ran_on = one.run.ran_at.date() if one.run.ran_at else date.min
    return max(max(one.held["day"], default=date.min), ran_on)


def _is_gone(reads: Iterable[KeptRead], paths: Container[str]) -> bool:
    """Return whether a file that some reads have rows of is not there."""
    return any(one.path not in paths for read in reads for one in sources_of(read.manifest))


def _is_empty(read: KeptRead) -> bool:
    """Return whether a read has no row, and names no charge that was left out."""
    return dict(read.bodies) == {CONTROL: b"[]", LEFT_OUT: b"[]"}
