"""Finds the kept reads of each day and hands them to the comparison (restatements.py)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, dropwhile

import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange, is_settled
from openai_costs.kernel.errors import PageRefused
from openai_costs.questions.spend.restatements import Reading, restatements
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, KeptRead, open_read
from openai_costs.storage.packing import Manifest
from openai_costs.storage.read_names import read_at, read_number
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.mart.restatements import Restatements

DAYS_AT_ONCE = 31
"""Days whose reads are cleaned together: bounds the ledgers in memory."""


def changes(archive: Archive, settings: Settings, days: DayRange) -> Iterator[Batch]:
    """Yield mart.restatements for every day that was read, one batch per connection."""
    for connection in settings.connections:
        pages = provider_of(connection).costs.pages
        differing: list[tuple[date, Sequence[UPath]]] = []
        newest: dict[Slice, datetime] = {}
        numbers: dict[Slice, int] = {}
        for day in days:
            files = pages.reads(archive, connection, day)
            if files:
                key = Slice(connection.name, day)
                newest[key], numbers[key] = read_at(files[-1]), read_number(files[-1])
            comparable = _since_settled(files, day, settings)
            if _differ(comparable):
                differing.append((day, comparable))
        found = [Restatements.no_rows()]
        for start in range(0, len(differing), DAYS_AT_ONCE):
            some = dict(differing[start : start + DAYS_AT_ONCE])
            found += _Comparison(connection, settings.reading.grace).changes(some)
        yield Batch(pl.concat(found), newest, read_number=numbers)


def _since_settled(files: Iterable[UPath], day: date, settings: Settings) -> list[UPath]:
    """Return the reads of a day from the first one on that was read after it had settled.

    What was read before is compared with nothing later, and is not opened.
    """
    grace = settings.reading.grace
    return list(dropwhile(lambda file: not is_settled(day, read_at(file), grace), files))


def _differ(files: Sequence[UPath]) -> bool:
    """Return whether the pages of some reads differ: where they do not, nothing is cleaned."""
    parts: object = None
    for file in files if len(files) > 1 else ():
        with suppress(PageRefused):
            before, parts = parts, open_read(file).manifest.parts
            if before not in (None, parts):
                return True
    return False


@dataclass(frozen=True)
class _Comparison:
    """Compares the reads of some days: the first ones of all days, then the second ones, and so on.

    Cleaning costs as much for one read of a day as for those of a month. A read that cannot be
    cleaned is passed over.

    Args:
        connection: Whose reads they are.
        grace: How long after its end a day stays provisional.
        before: The last read of each day that could be cleaned.
        parts: What its pages were.
    """

    connection: Connection
    grace: timedelta
    before: dict[date, Reading] = field(default_factory=dict)
    parts: dict[date, object] = field(default_factory=dict)

    def changes(self, files: Mapping[date, Sequence[UPath]]) -> Iterator[pl.DataFrame]:
        """Yield the rows of mart.restatements, day by day."""
        found: dict[date, list[pl.DataFrame]] = {day: [] for day in files}
        for number in range(max(map(len, files.values()))):
            some = {day: its[number] for day, its in files.items() if number < len(its)}
            for day, (before, after) in self._compared(some):
                found[day].append(restatements([before, after]))
        yield from chain.from_iterable(found.values())

    def _compared(
        self, files: Mapping[date, UPath]
    ) -> Iterator[tuple[date, tuple[Reading, Reading]]]:
        """Yield the days that have a read before this one, with both."""
        opened: dict[date, Manifest] = {}
        ledgers = _ledgers(self._changed(files, opened), self.connection)
        for day, manifest in opened.items():
            before = self.before.get(day)
            is_same = before is not None and self.parts[day] == manifest.parts
            ledger = before.ledger if before and is_same else ledgers.get(day)
            if ledger is None:
                continue
            at = read_at(files[day])
            latest = max(filter(None, (at, manifest.clock_at, manifest.server_at)))
            settled = is_settled(day, at, self.grace)
            after = Reading(self.connection.name, day, at, settled, ledger, latest)
            self.before[day], self.parts[day] = after, manifest.parts
            if before is not None:
                yield day, (before, after)

    def _changed(
        self, files: Mapping[date, UPath], opened: dict[date, Manifest]
    ) -> Iterator[KeptRead]:
        """Yield the reads that have to be cleaned: those with the pages of the one before do not.

        Args:
            files: A read of each day.
            opened: Takes what each of those is that can be compared.
        """
        for day, file in files.items():
            before = self.before.get(day)
            if not is_settled(day, read_at(file), self.grace) and not (
                before and before.is_settled
            ):
                continue
            with suppress(PageRefused):
                read = open_read(file)
                opened[day] = read.manifest
                if before is None or self.parts[day] != read.manifest.parts:
                    yield read


def _ledgers(reads: Iterator[KeptRead], connection: Connection) -> dict[date, pl.DataFrame]:
    """Return the rows of core.spend of reads of different days; none where they are refused."""
    found: dict[date, pl.DataFrame] = {}
    if (first := next(reads, None)) is None:
        return found
    for batch in provider_of(connection).costs.ledger(chain([first], reads), connection):
        by_day = batch.frame.partition_by("day", as_dict=True)
        for key in batch.read_at.keys() - batch.refused.keys():
            found[key.day] = by_day.get((key.day,), batch.frame.clear())
    return found
