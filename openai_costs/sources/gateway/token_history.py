"""What all kept readings of a registry together say of each token, and in turn. Pure.

Readings are missing: of the days between two of them it is not known which of the two held. Not
here: which bill a token is on by what they say (registry.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from openai_costs.kernel.days import ONE_DAY

DELETED = "deleted"


class TokenRow(NamedTuple):
    """A token as one source lists it; None where it does not say."""

    token_id: str
    name: str | None = None
    status: str | None = None
    team: str | None = None
    owner_id: str | None = None
    openai_api_key_id: str | None = None
    openai_project_id: str | None = None
    openai_key_hint: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True)
class Listing:
    """One complete reading of a registry.

    Args:
        day: The UTC day it was read on.
        mapping: What a key named in it is known by: token_metadata or registry_file.
        tokens: The tokens listed.
        is_read_now: Whether settings still name the source; what they do not is listed no more.
        is_partial: Whether rows of it were set aside, or most of it is missing: a token it lacks
            may be there all the same.
    """

    day: date
    mapping: str
    tokens: Sequence[TokenRow]
    is_read_now: bool = True
    is_partial: bool = False


class Named(NamedTuple):
    """What decides which bill a token is on."""

    name: str | None = None
    openai_api_key_id: str | None = None
    openai_project_id: str | None = None
    openai_key_hint: str | None = None

    def or_else(self, other: "Named") -> "Named":
        """Return it with what another one says where it says nothing."""
        both = zip(self, other, strict=True)
        return Named(*(then if one is None else one for one, then in both))


@dataclass
class _Run:
    """Readings of one source that name a token alike, one after the other."""

    first: date
    last: date
    named: Named


class Turn(NamedTuple):
    """What was known of a token from one reading to another, until one listed it otherwise.

    Args:
        first: The first day it was listed so.
        last: The last one.
        row: What the sources list together.
        mapping: What a key that it names is known by.
    """

    first: date
    last: date
    row: TokenRow
    mapping: str


@dataclass
class Known:
    """What all readings together say of a token.

    Args:
        row: The last values.
        mapping: What a key that it names is known by.
        first: The first day it was listed.
        last: The last one.
        is_partial: Whether the last list with it held more than was read.
        is_current: Whether a newest complete list has it.
        until: The last day on which it may have been there; None while it is listed.
        lacking: The days of complete lists without it, between readings that name it otherwise.
        runs: The readings by source, in the order in which sources are believed.
    """

    row: TokenRow
    mapping: str
    first: date
    last: date
    is_partial: bool = False
    is_current: bool = True
    until: date | None = None
    lacking: Sequence[date] = ()
    runs: dict[str, list[_Run]] = field(default_factory=dict)

    def turns(self) -> Iterator[Turn]:
        """Yield what was known in turn, oldest first; the last turn has the last values."""
        starts = sorted({run.first for runs in self.runs.values() for run in runs})
        first = self.first
        for start, following in pairwise(starts):
            named, mapping = self._on(start)
            row = self.row._replace(**named._asdict())
            yield Turn(first, self._last_before(following), row, mapping)
            first = following
        yield Turn(first, self.last, self.row, self.mapping)

    def _on(self, day: date) -> tuple[Named, str]:
        """Return what the sources name on a day, and which of them named a key."""
        named, mapping = Named(), self.mapping
        for source, runs in self.runs.items():
            if so_far := [run.named for run in runs if run.first <= day]:
                mapping = mapping if named.openai_api_key_id else source
                named = named.or_else(so_far[-1])
        return named, mapping

    def _last_before(self, start: date) -> date:
        """Return the last reading of what a source lists otherwise from a day on."""
        pairs = (pair for runs in self.runs.values() for pair in pairwise(runs))
        ended = [before.last for before, after in pairs if after.first == start]
        return max(ended, default=start - ONE_DAY)


def folded(listings: Iterable[Listing]) -> dict[str, Known]:
    """Return what is known of each token.

    Args:
        listings: Every kept reading, oldest first, of one source after the other.
    """
    found: dict[str, Known] = {}
    whole: dict[str, list[date]] = {}
    read_now: set[str] = set()
    for listing in listings:
        if listing.is_read_now:
            read_now.add(listing.mapping)
        if not listing.is_partial:
            whole.setdefault(listing.mapping, []).append(listing.day)
        for row in listing.tokens:
            known = found[row.token_id] = _with(found.get(row.token_id), row, listing)
            if row.status != DELETED:
                _note(known.runs.setdefault(listing.mapping, []), row, listing.day)
    for known in found.values():
        lasts = {source: runs[-1].last for source, runs in known.runs.items()}
        known.is_current = any(
            last >= max(whole.get(source, ()), default=last)
            for source, last in lasts.items()
            if source in read_now
        )
        if not known.is_current:
            known.until = _until(known, lasts, whole, read_now)
        known.lacking = _lacking(known, whole)
    return found


def _with(known: Known | None, row: TokenRow, listing: Listing) -> Known:
    """Add a reading; a later source fills in what an earlier one does not say.

    A list of what was deleted does not make a token last; before it was ours to see it may have.
    """
    if known is None:
        return Known(row, listing.mapping, listing.day, listing.day, listing.is_partial)
    is_other = known.mapping != listing.mapping
    first, second = (known.row, row) if is_other else (row, known.row)
    known_now = {name: value for name, value in first._asdict().items() if value is not None}
    merged = second._replace(**known_now)
    mapping = listing.mapping if is_other and not known.row.openai_api_key_id else known.mapping
    days = (known.first, known.last, known.last if row.status == DELETED else listing.day)
    is_partial = known.is_partial if row.status == DELETED else listing.is_partial
    return Known(merged, mapping, min(days), max(days), is_partial, runs=known.runs)


def _note(runs: list[_Run], row: TokenRow, day: date) -> None:
    """Add a reading to those of its source; what it does not say is as it was."""
    named = Named(row.name, row.openai_api_key_id, row.openai_project_id, row.openai_key_hint)
    if runs and named != runs[-1].named:
        named = named.or_else(runs[-1].named)
    if runs and named == runs[-1].named:
        runs[-1].last = day
    elif runs and day == runs[-1].first:
        runs[-1].named = named
    else:
        runs.append(_Run(day, day, named))


def _lacking(known: Known, whole: Mapping[str, Sequence[date]]) -> list[date]:
    """Return the days of complete lists of which no source names it as before or after."""
    named = [(run.first, run.last) for runs in known.runs.values() for run in runs]
    read = sorted({day for source in known.runs for day in whole.get(source, ())})
    return [day for day in read if not any(first <= day <= last for first, last in named)]


def _until(
    known: Known,
    lasts: Mapping[str, date],
    whole: Mapping[str, Sequence[date]],
    read_now: Iterable[str],
) -> date:
    """Return the day before the first complete list without a token that is listed no more.

    A source that settings no longer name is followed by the others.
    """
    every = [day for days in whole.values() for day in days]
    ends = []
    for source, last in lasts.items():
        days = whole.get(source, ()) if source in read_now else every
        ends.append(min((day - ONE_DAY for day in days if day > last), default=last))
    return max(ends, default=known.last)
