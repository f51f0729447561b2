"""What all kept readings of a registry together say of each token, and in turn. Pure.

Readings are missing: of the days between two of them it is not known which of the two held. Not
here: which bill a token is on by what they say (registry.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from openai_costs.kernel.days import ONE_DAY
from openai_costs.sources.gateway.listing import Listing, Named, TokenRow


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
        deleted: By source, the first day of those since it was live there that list it as deleted.
        made: By source, when its life there began.
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
    deleted: dict[str, date] = field(default_factory=dict)
    made: dict[str, datetime] = field(default_factory=dict)

    def is_made_again(self, row: TokenRow, source: str) -> bool:
        """Return whether a source lists another life of it than the one that is known."""
        made = self.made.get(source)
        is_younger = bool(made and row.created_at and row.created_at > made)
        return not row.is_deleted and (is_younger or source in self.deleted)

    def begin_again(self, source: str) -> None:
        """Leave out what a source has of the life before: no row of the next one repeats it."""
        named, mapping = self._on(date.max, without=source)
        self.mapping = mapping if named.openai_api_key_id else source
        self.row = self.row._replace(**named._asdict())

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

    def _on(self, day: date, *, without: str = "") -> tuple[Named, str]:
        """Return what the sources but one name on a day, and which of them named a key."""
        named, mapping = Named(), self.mapping
        for source, runs in self.runs.items():
            if source == without:
                continue
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
    sources = _Sources()
    for listing in listings:
        sources.add(listing)
        for row in listing.tokens():
            _add(found, row, listing)
        for last, before in listing.lives_before():
            known = found[before.token_id]
            runs = known.runs[listing.mapping]
            if runs[0].first == listing.day:  # of a life that a list has, the list says the days
                runs[0].first = last + ONE_DAY
                runs.insert(0, _Run(last, last, before.named))
                known.first = min(known.first, last)
    for known in found.values():
        known.is_current = sources.has(known)
        if not known.is_current:
            known.until = sources.until(known)
        known.lacking = sources.lacking(known)
    return found


def _add(tokens: dict[str, Known], row: TokenRow, listing: Listing) -> None:
    """Add what a reading says of a token; of a new life, what it does not say is not known."""
    before, source = tokens.get(row.token_id), listing.mapping
    is_made_again = before is not None and before.is_made_again(row, source)
    if before is not None and is_made_again:
        before.begin_again(source)
    known = tokens[row.token_id] = _with(before, row, listing)
    if row.is_deleted:
        known.deleted.setdefault(source, listing.day)
        return
    known.deleted.pop(source, None)
    if row.created_at:
        known.made[source] = row.created_at
    runs = known.runs.setdefault(source, [])
    if is_made_again and runs and runs[-1].named != row.named:
        runs.append(_Run(listing.day, listing.day, row.named))
    else:
        _note(runs, row, listing.day)


def _with(known: Known | None, row: TokenRow, listing: Listing) -> Known:
    """Add a reading; a later source fills in what an earlier one does not say.

    So does a row of what was deleted, of what was listed before. It does not make a token last;
    before it was ours to see it may have.
    """
    is_gone = row.is_deleted
    listed = row._replace(status=None) if is_gone else row
    if known is None:
        return Known(listed, listing.mapping, listing.day, listing.day, listing.is_partial)
    is_other = known.mapping != listing.mapping
    fills_in = is_other or (is_gone and known.runs)
    first, second = (known.row, listed) if fills_in else (listed, known.row)
    known_now = {name: value for name, value in first._asdict().items() if value is not None}
    if is_other and not known.row.openai_api_key_id:
        known.mapping = listing.mapping
    known.row = second._replace(**known_now)
    if not is_gone:
        known.first, known.last = min(known.first, listing.day), max(known.last, listing.day)
        known.is_partial = listing.is_partial
    return known


def _note(runs: list[_Run], row: TokenRow, day: date) -> None:
    """Add a reading to those of its source; what it does not say is as it was."""
    named = row.named
    if runs and named != runs[-1].named:
        named = named.or_else(runs[-1].named)
    if runs and named == runs[-1].named:
        runs[-1].last = day
    elif runs and day == runs[-1].first:
        runs[-1].named = named
    else:
        runs.append(_Run(day, day, named))


@dataclass
class _Sources:
    """Whose lists there are, and what they say together of where a token's life ends.

    Args:
        whole: The days of complete lists by source, in the order in which sources are believed.
        read_now: The sources that settings still name.
    """

    whole: dict[str, list[date]] = field(default_factory=dict)
    read_now: set[str] = field(default_factory=set)

    def add(self, listing: Listing) -> None:
        """Add a reading."""
        days = self.whole.setdefault(listing.mapping, [])
        if not listing.is_partial:
            days.append(listing.day)
        if listing.is_read_now:
            self.read_now.add(listing.mapping)

    def has(self, known: Known) -> bool:
        """Return whether a newest complete list has a token that none believed before deleted."""
        for source in (one for one in self.whole if one in self.read_now):
            if source in known.deleted:
                return False
            if runs := known.runs.get(source):
                last = runs[-1].last
                if last >= max(self.whole[source], default=last):
                    return True
        return False

    def until(self, known: Known) -> date:
        """Return the day before the first complete list without a token that is listed no more.

        A source that settings no longer name is followed by the others.
        """
        every = [day for days in self.whole.values() for day in days]
        ends, deleted = list[date](), date.max
        for source, whole in self.whole.items():
            if source in self.read_now:
                deleted = min(deleted, known.deleted.get(source, date.max))
            if runs := known.runs.get(source):
                after = whole if source in self.read_now else every
                later = (day - ONE_DAY for day in after if day > runs[-1].last)
                ends.append(min(min(later, default=runs[-1].last), deleted - ONE_DAY))
        return max(ends, default=known.last)

    def lacking(self, known: Known) -> list[date]:
        """Return the days of complete lists of which no source names it as before or after."""
        named = [(run.first, run.last) for runs in known.runs.values() for run in runs]
        read = sorted({day for source in known.runs for day in self.whole[source]})
        return [day for day in read if not any(first <= day <= last for first, last in named)]
