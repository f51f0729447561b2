"""Reads a gateway's files and keeps of them what is used: rows in our names, by UTC day.

The files themselves are not kept: a callback's line holds the prompt. Their digests are.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import msgspec
from upath import UPath

from openai_costs.kernel.clock_skew import MOST_SKEW
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import FileRefused, PageRefused
from openai_costs.kernel.formatting import counted, exact_dollars, total_usd
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.files.cells import Cells, by_day, dollars, once, utc_day
from openai_costs.sources.gateway.files.frames import meter_row, token
from openai_costs.sources.gateway.files.layouts import (
    METER,
    NAME,
    REGISTRY,
    REQUEST_ID,
    Layout,
    meter_layout,
    registry_layout,
)
from openai_costs.sources.gateway.files.odd_rows import (
    FileRows,
    OddRow,
    add_rows,
    odd_days,
    refuse_mistyped,
)
from openai_costs.sources.provider import Tell
from openai_costs.sources.text_rows import TextRow, text_rows
from openai_costs.sources.user_files import all_files, content
from openai_costs.storage.archive import Archive, DayRead, KeptRead, open_read

Digests = list[tuple[str, str]]


JSON_NAME = re.compile(r"\.(json|jsonl|ndjson|log)(\.gz|\.zstd?)?$", re.IGNORECASE)
"""A file whose records need not all have the same fields."""


@dataclass
class _Matches:
    """What is in some files.

    Args:
        files: The rows of each.
        digests: The name of each, and what proves which file it was.
    """

    files: list[FileRows] = field(default_factory=list)
    digests: Digests = field(default_factory=list)

    @property
    def rows(self) -> list[Cells]:
        """The rows that can be used."""
        return [row for file in self.files for row in file.rows]

    @property
    def odd(self) -> list[OddRow]:
        """The rows that were set aside."""
        return [row for file in self.files for row in file.odd]

    def counted(self, noun: str) -> str:
        """Return how much was found, for a person."""
        read = f"{counted(len(self.rows), noun)} in {counted(len(self.digests), 'file')}"
        return f"{read}, {counted(len(self.odd), 'row')} set aside" if self.odd else read


@dataclass(frozen=True)
class GatewayFiles:
    """Reads the files that settings name.

    Args:
        gateway: Which files, and what their columns are called.
        folder: Where names begin that are not absolute.
        clock: Returns the current time.
        archive: Where reads are kept.
    """

    gateway: Gateway
    folder: UPath
    clock: Clock
    archive: Archive

    def registry(self, today: date, tell: Tell) -> Iterator[DayRead]:
        """Yield the tokens of the registry files, as one read of today.

        Raises:
            FileRefused: A file is not there, or no row of it can be used.
            SettingsError: The settings name a column that is none of ours.
        """
        if self.gateway.token_files:
            layout = registry_layout(self.gateway)
            found = self._read(self.gateway.token_files, layout, token)
            odd = {row.place: row.reason for row in found.odd}
            yield self._kept(REGISTRY, today, found.rows, found.digests, odd)
            tell(f"{self.gateway.name}: {found.counted('token')}")

    def meter(self, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield what the files hold of each of some days.

        A day between the first and the last of the files without a row was free of requests; a day
        behind the last is not delivered yet, and not yielded. One of which every row was set aside
        has no body: what was metered on it is not known. A row dated after today shows nothing of
        the days before it: those that were kept as free of requests because of one are withdrawn.

        Raises:
            FileRefused: A file is not there, or no row of it can be used.
            SettingsError: The settings name a column that is none of ours.
        """
        if self.gateway.spend_files:
            layout = meter_layout(self.gateway)
            found = self._read(self.gateway.spend_files, layout, _metered)
            rows, odd = by_day(once(found.rows, layout)), odd_days(found.files)
            come = [day for day in rows if day <= self.clock().date()]
            if unproven := list(self._unproven(found.digests, rows.keys() | odd.keys())):
                span = DayRange(unproven[0].day, unproven[-1].day)
                many = f"{counted(len(unproven), 'day')}, {span}"
                tell(f"{self.gateway.name}: withdrew {many}, kept before: in no file")
            yield from unproven
            for day in days:
                of_day, why = rows.get(day, []), odd.get(day, {})
                read = self._kept(METER, day, of_day, found.digests, why)
                if why and not of_day:
                    yield replace(read, requests={}, bodies={})
                elif come and min(come) <= day <= max(come):
                    yield read
            tell(f"{self.gateway.name}: {found.counted('metered row')}{_ahead(rows, set(come))}")

    def _unproven(self, digests: Digests, rows: Collection[date]) -> Iterator[DayRead]:
        """Yield the days behind the last that are kept as free of requests, by files of now alone.

        A file that is gone may have shown it: its days stay. So do all days while a read is dated
        after now, but for days to come behind every row: it may be this clock that is behind.
        """
        whose, now = (NAME, self.gateway.name, METER), self.clock()
        kept, today = self.archive.newest_at(*whose), now.date()
        ahead = [day for day, at in kept.items() if at - now > MOST_SKEW and day > today]
        is_doubted = any(at - now > MOST_SKEW for at in kept.values())
        asked = ahead if is_doubted else [day for day in kept if day <= today]
        last = max((day for day in rows if is_doubted or day <= today), default=date.max)
        names = {name for name, _ in digests}
        for day in sorted(one for one in asked if one > last):
            with suppress(PageRefused):
                reads = [open_read(one) for one in self.archive.reads(*whose, day)]
                if all(_is_of(one, names) and (is_doubted or _is_quiet(one)) for one in reads):
                    yield DayRead(*whose, day, now, {}, {}, is_withdrawn=True)

    def _read(
        self, patterns: Sequence[str], layout: Layout, validate: Callable[[Cells], object]
    ) -> _Matches:
        """Return the rows of all files, and what proves which files they were."""
        found = _Matches()
        loose: list[TextRow] = []
        for name, file in _named(all_files(self.folder, patterns)):
            body, rows = content(file), FileRows()
            texts = list(text_rows(name, body, layout.records, rows.set_aside))
            if JSON_NAME.search(name):
                loose += texts
            else:
                _refuse_mistyped(texts, layout, is_table=True)
            add_rows(rows, texts, layout, validate)
            digest = hashlib.sha256(body).hexdigest()
            copies = [other for other, known in found.digests if known == digest]
            if copies and not all(REQUEST_ID in row.values for row in rows.rows):
                raise FileRefused(name, f"is a copy of {copies[0]}", "Remove one of them.")
            found.digests.append((name, digest))
            found.files.append(rows)
        _refuse_mistyped(loose, layout, is_table=False)
        if found.odd and not found.rows:
            first = found.odd[0]
            raise FileRefused(first.place, first.why, first.remedy)
        return found

    def _kept(
        self, dataset: str, day: date, rows: list[Cells], digests: Digests, odd: Mapping[str, str]
    ) -> DayRead:
        return DayRead(
            provider=NAME,
            connection=self.gateway.name,
            dataset=dataset,
            day=day,
            read_at=self.clock(),
            requests={"rows": (dataset, digests, [])},
            bodies={"rows": msgspec.json.encode(rows)},
            absent=odd,
        )


def _is_quiet(read: KeptRead) -> bool:
    """Return whether a read has no row, and none was set aside."""
    return all(body == b"[]" for body in read.bodies.values()) and not read.manifest.absent


def _is_of(read: KeptRead, names: Container[str]) -> bool:
    """Return whether a read is of files that are all there."""
    return all(name in names for part in read.manifest.parts.values() for name, _ in part.params)


def _ahead(rows: Mapping[date, Sequence[Cells]], come: Container[date]) -> str:
    """Return the words about rows of days that have not come; empty where there are none."""
    later = {day: its for day, its in rows.items() if day not in come}
    if not later:
        return ""
    every = [row for its in later.values() for row in its]
    usd = exact_dollars(total_usd([Decimal(text) for row in every if (text := dollars(row))]))
    first = f"the first {min(later)}"
    return f", {len(every):,} of them ({usd}) dated after today, {first}: not counted"


def _metered(row: Cells) -> None:
    """Refuse a row of a meter that cannot be used.

    Raises:
        FileRefused: A cell is not what its column holds.
    """
    utc_day(row)
    meter_row(row)


def _named(files: Sequence[UPath]) -> Iterator[tuple[str, UPath]]:
    """Yield files with their names, and with their folder's where two have one name."""
    names = [file.name for file in files]
    for file in files:
        is_alone = names.count(file.name) == 1
        yield file.name if is_alone else f"{file.parent.name}/{file.name}", file


def _refuse_mistyped(texts: Sequence[TextRow], layout: Layout, *, is_table: bool) -> None:
    if texts:
        seen = set().union(*(row.cells for row in texts))
        refuse_mistyped(texts[0].place, seen, layout, is_table=is_table)
