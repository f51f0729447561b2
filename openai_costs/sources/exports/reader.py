"""Reads the days of a connection from the files of its exports: all of them, or none.

Everything that a file can be refused for is found before the first day is yielded. Not here: which
run counts (ownership.py), what a column means (a provider's dialects).
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

import polars as pl
from msgspec.structs import replace
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.sources import user_files
from openai_costs.sources.exports import noted_files
from openai_costs.sources.exports.covered import NOTHING, covered, newest
from openai_costs.sources.exports.evidence import (
    DayPart,
    LeftOut,
    Request,
    Source,
    billing_months,
    bodies,
    left_out_of,
    parts_of,
)
from openai_costs.sources.exports.gone_files import KeptDay
from openai_costs.sources.exports.kept_reads import KeptReads
from openai_costs.sources.exports.locating import Located, located, version
from openai_costs.sources.exports.notes import (
    DayNote,
    Seen,
    recall,
    refuse_counted_account,
    remember,
    unnoted_days,
)
from openai_costs.sources.exports.ownership import HeldRun, Owned, Run, owned
from openai_costs.sources.exports.settings import files_of, rules_text, store_options
from openai_costs.sources.exports.sheets import Rules, Sheet, refuse_copies, sheet
from openai_costs.sources.exports.to_come import to_come
from openai_costs.sources.exports.unproven import days_to_come, empty_days, withdrawn_texts
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import Archive, DayRead


@dataclass(frozen=True)
class ExportReader(RunReader):
    """Reads the exports of a provider.

    Args:
        rules: Returns what a connection makes of a file.
    """

    rules: Callable[[Connection], Rules] = field(kw_only=True)

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day that a run covers, as a complete read, newest first.

        A day of which the same rows are kept already is not kept again, but for one whose read is
        dated after now: it would never settle. Days that nothing proves are withdrawn.

        Raises:
            FileRefused: A file or a run cannot be used: nothing was yielded.
        """
        read_at = self.clock()
        folder = UPath(self.settings.config_file.parent)
        found = located(folder, files_of(connection), store_options(connection))
        reading = _Reading(self.archive, connection, self.rules(connection), read_at)
        reading.open(found, days)
        refuse_counted_account(self.archive, self.settings, connection, reading.accounts)
        for line in reading.lines():
            tell(line)
        yield from reading.kept_days(days)


class _Reading:
    """One reading of a connection's files."""

    def __init__(
        self, archive: Archive, connection: Connection, rules: Rules, read_at: datetime
    ) -> None:
        self._archive, self._connection = archive, connection
        self._kept, known = KeptReads(archive, connection), recall(archive, connection)
        self._noted = unnoted_days(known, self._kept)
        self._notes = replace(known, days=known.days | self._noted)
        self._rules, self._read_at = rules, read_at
        self._runs: list[HeldRun] = []
        self._parts: dict[date, list[DayPart]] = {}
        self._left_out: dict[date, list[LeftOut]] = {}
        self._covered, self._unread, self._withdrawn = set[date](), set[date](), set[date]()
        self._present, self.accounts = set[str](), set[str]()
        self._paths: Container[str] = ()
        self._beside: dict[str, frozenset[str]] = {}
        self._may_prove = noted_files.last_days(self._noted)
        self._versions: dict[str, str] = {}
        self._left_over: tuple[str, ...] = ()

    def open(self, files: Located, days: DayRange) -> None:
        """Read the files that may have charges of some days, and find out which rows count."""
        opened: dict[str, tuple[Sheet, Source]] = {}
        unread: set[str] = set()
        self._versions = {run.name: version(run, files.paths) for run in files.runs}
        for run in files.runs:
            is_now = self._versions[run.name]
            if run.days and noted_files.may_wait(self._notes, run, is_now, days.first):
                unread.update(run.files)
                self._unread.update(run.days)
                self._may_prove |= noted_files.known_until(self._notes, run)
                self._versions[run.name] = self._notes.runs.get(run.name, "")
                continue
            its = [self._sheet(run, name, files.paths[name]) for name in run.files]
            if not run.is_listed:
                refuse_copies([one for one, _ in its])
            opened |= {one.name: (one, source) for one, source in its}
            held = pl.concat([one.held for one, _ in its])
            self._runs.append(HeldRun(run, held, self._read_at.date()))
            self._may_prove |= dict.fromkeys(run.files, self._runs[-1].may_prove_until)
        self._present, self._left_over = set(files.paths) - unread, files.left_over
        self._take(owned(self._runs), opened)
        self._paths, runs = files.paths, [one.run for one in self._runs]
        self._beside = noted_files.kept_beside(self._notes, runs, files.paths)
        self._withdrawn = self._unproven(files.paths)

    def _take(self, own: Owned, opened: dict[str, tuple[Sheet, Source]]) -> None:
        self._covered = own.empty | set(own.cells["day"])
        for one, source in opened.values():
            self.accounts.update(one.facts.filter("is_taken")["payer"].drop_nulls())
            for day, part in parts_of(one, source, own.cells).items():
                self._parts.setdefault(day, []).append(part)
            for day, left in left_out_of(one, own.cells).items():
                self._left_out.setdefault(day, []).extend(left)

    def lines(self) -> Iterator[str]:
        """Yield what the log says of the files."""
        name, files = self._connection.name, sum(len(one.run.files) for one in self._runs)
        yield f"{name}: read {counted(files, 'file')} of {counted(len(self._runs), 'run')}"
        if left := self._left_over:
            yield f"{name}: ignored {counted(len(left), 'file')} that no manifest lists: {left[0]}"
        today = self._read_at.date()
        later = {day: its for day, its in self._parts.items() if day > today}
        if text := to_come((day, one) for day in later for part in later[day] for one in part.sums):
            yield f"{name}: {text}"
        for text in withdrawn_texts(self._withdrawn, today):
            yield f"{name}: {text}"
        kept = self._connection.deleted_before
        if kept and (old := sum(day < kept for day in self._parts)):
            yield (
                f"{name}: ignored {counted(old, 'day')} with charges before {kept}: "
                "older days are deleted, and not read again ([retention])"
            )

    def kept_days(self, days: DayRange) -> Iterator[DayRead]:
        """Yield the days that have changed; note those that have and were not asked for."""
        notes = self._notes
        asked, changed, rules = set(days), set[date](), rules_text(self._connection)
        present = self._present  # days of these files may have lost rows
        there = self._covered | {day for day, its in notes.days.items() if present & {*its.files}}
        losing, others = self._losing(there)
        noted = self._noted | others
        known = (notes.days | noted).items()
        kept = {day: replace(its, rules=rules) for day, its in known if day in asked}
        there = (there | losing) - self._withdrawn
        for day in sorted(there, reverse=True):
            if day not in asked and day not in notes.days:
                continue  # nothing of it was ever asked for
            requests, members = self._day(day)
            note = DayNote.of(requests, members, rules)
            if day in asked:
                kept[day] = note
                read = DayRead(*self._kept.whose, day, self._read_at, requests, members)
                if not self._kept.has(read):
                    yield read
            elif note.digest != notes.days[day].digest:
                changed.add(day)
        yield from self._kept.dated_again(asked - there - self._withdrawn, self._read_at)
        for day in sorted(self._withdrawn):
            yield DayRead(*self._kept.whose, day, self._read_at, {}, {}, is_withdrawn=True)
        covered, files = self._covered | self._unread, (self._may_prove, self._versions)
        seen = Seen(covered, self.accounts, self._withdrawn, *files, noted, self._read_at)
        remember(self._archive, self._connection, seen, kept, changed)

    def _unproven(self, paths: Container[str]) -> set[date]:
        """Return the kept days that nothing proves: without a row and a file, or still to come."""
        today, kept = self._read_at.date(), self._kept
        gone = noted_files.proven_by_gone_files(self._notes, paths)
        if ahead := kept.dated_after(self._read_at):
            to_come = [day for day in ahead if day > max(today, gone)]
            return days_to_come(self._runs, to_come, paths, kept.every)
        open_days = {day for day in kept.read_at if gone < day <= today}
        uncovered = sorted(open_days - self._covered - self._unread)
        return empty_days(self._runs, uncovered, paths, kept.every)

    def _losing(self, others: Container[date]) -> tuple[set[date], dict[date, DayNote]]:
        """Return the days that lose rows of files that are gone, and what to note of the rest."""
        losing, noted = set[date](), dict[date, DayNote]()
        runs, notes = self._runs, self._notes
        for day in noted_files.kept_from_gone_files(notes, runs, self._paths):
            if day not in others and (before := self._kept.newest(day)):
                kept = KeptDay.of(before, self._rules.dialects)
                if kept.loses(runs, self._present, self._beside):
                    losing.add(day)
                else:
                    noted[day] = replace(notes.days[day], months=billing_months(before.bodies))
        return losing, noted

    def _day(self, day: date) -> tuple[dict[str, Request], dict[str, bytes]]:
        """Return a day as it is kept: rows of the files there are, and of files that are gone."""
        there, left_out = self._parts.get(day, []), self._left_out.get(day, ())
        covering = covered(self._runs, day, self._read_at)
        if (before := self._kept.newest(day)) is None:
            return bodies(there, left_out, covering)
        kept = KeptDay.of(before, self._rules.dialects)
        stays = kept.stays(self._runs, self._present, self._beside)
        unsaid = set() if kept.covered else self._unsaid(day, there)
        parts = [*kept.counted(there, stays, unsaid), *stays]
        return bodies(parts, left_out, NOTHING if unsaid else newest(kept.covered, covering))

    def _unsaid(self, day: date, there: Iterable[DayPart]) -> set[str]:
        """Return the files of which a day that an earlier version kept says too little.

        It did not keep whether a newer run, which is gone, had replaced them.
        """
        note = self._notes.days.get(day)
        if note and note.rules != rules_text(self._connection):
            return set()
        until, paths = self._replaced_until, {one.source.path for one in there}
        return {one for one in paths if day <= until.get(one, date.min)}

    @cached_property
    def _replaced_until(self) -> dict[str, date]:
        """Until which day newer runs of their exports, which are gone, may have replaced files."""
        kept, runs = self._kept.sources, [one.run for one in self._runs]
        instants = {one.path: at for one in kept if (at := one.instant) and at <= self._read_at}
        return noted_files.replaced_until(self._notes, runs, self._paths, instants)

    def _sheet(self, run: Run, name: str, path: UPath) -> tuple[Sheet, Source]:
        content, etag = user_files.versioned(path)
        found = sheet(name, content, self._rules)
        ran_at = run.ran_at.isoformat() if run.ran_at else ""
        sha256 = hashlib.sha256(content).hexdigest()
        return found, Source(name, sha256, etag, run.name, ran_at, found.dialect.name)
