"""Reads the days of a dataset, window by window, the newest first.

Days that the analytics API has are read there; older ones, and those of an organization that is
refused it, from the older report. Not here: what is asked (the protocols).
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import AccessRefused, ReadFailed, RequestRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.connection import NAME, connect
from openai_costs.sources.anthropic.costs.endpoints import (
    MOST_DAYS,
    ORGANIZATION,
    ORGANIZATION_PART,
    Report,
    analytics_floor,
)
from openai_costs.sources.anthropic.costs.protocol import (
    UNAUTHORIZED,
    Reading,
    WindowRead,
    newest_or_older,
)
from openai_costs.sources.anthropic.hints import Hints, recall
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.notes import write_note
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import Archive, DayRead, KeptRead

Talk = Callable[[DayRange, date | None], Reading]
"""Starts the conversation about a window, given the day that is not over."""


@dataclass(frozen=True)
class Dataset:
    """A kind of pages that are read by day.

    Args:
        name: The archive's name for its reads.
        note: The name of the note with hints.
        newer: The report of the analytics API.
        talk: Starts the conversation with that report.
        older_talk: Starts the conversation with the older one.
    """

    name: str
    note: str
    newer: Report
    talk: Talk
    older_talk: Talk


LEDGER_NOTE = "learned"
"""The note with hints about the costs of a connection."""


def first_day(archive: Archive, connection: Connection, note: str = LEDGER_NOTE) -> date:
    """Return the first day there is history for, as far as is known.

    Args:
        archive: Where the notes are kept.
        connection: Whose history.
        note: The note with hints about the pages in question.
    """
    floor = recall(archive.note(NAME, connection.name, note)).floor
    return max(connection.first_day, floor) if floor else connection.first_day


@dataclass(frozen=True)
class Reader(RunReader):
    """Reads one dataset of Anthropic organizations."""

    dataset: ClassVar[Dataset]

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield every day of `days` that the provider has, as complete reads, newest window first.

        Raises:
            ReadFailed: A window could not be completed; the windows before it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        with closing(connect(self.settings, connection, self.reach, tell)) as transport:
            reading = _Reading(self, connection, transport, tell)
            left = _until(days, reading.today())
            while left is not None:
                window, read_at = newest_window(left, reading.today()), self.clock()
                read = reading.window(window)
                if window.last > reading.today():
                    left = _until(left, reading.today())
                    continue  # the server's clock says so, which was not known before it answered
                if read is None:
                    return
                yield from reading.days(read, read_at)
                left = _until(left, window.first - ONE_DAY)


def newest_window(days: DayRange, today: date) -> DayRange:
    """Return the newest of some days that one request may span and that one report has."""
    floor = analytics_floor(today)
    first = floor if days.first < floor <= days.last else days.first
    return DayRange(first, days.last).newest(MOST_DAYS)


def _until(days: DayRange, last: date) -> DayRange | None:
    """Return the days up to one; None where there are none."""
    return DayRange(days.first, min(days.last, last)) if days.first <= last else None


class _Reading:
    """One reading of a connection: remembers which report answers it."""

    def __init__(
        self, reader: Reader, connection: Connection, transport: Transport, tell: Tell
    ) -> None:
        self._reader, self._dataset, self._archive = reader, reader.dataset, reader.archive
        self._connection, self._transport, self._tell = connection, transport, tell
        self._has_analytics = self._was_answered()
        self._organization: bytes | None = None

    def today(self) -> date:
        """Return the current day, by our clock or the server's."""
        now = self._reader.reach.instant(self._connection, self._reader.clock())
        return now.believed.date()

    def window(self, window: DayRange) -> WindowRead | None:
        """Return the reads of a window; None where the history begins after it.

        Raises:
            ReadFailed: The window could not be completed.
        """
        try:
            return self._read(window, self.today())
        except ReadFailed:
            if window.last <= self.today():
                raise
            return None  # it was asked for days that are in the future

    def _read(self, window: DayRange, today: date) -> WindowRead | None:
        open_day = today if window.first <= today <= window.last else None
        older = self._dataset.older_talk(window, open_day)
        if window.last < analytics_floor(today):
            return self._before_analytics(older, window, today)
        newer = self._dataset.talk(window, open_day)
        talk = newer if self._has_analytics else newest_or_older(newer, older)
        read = hold(talk, self._transport)
        self._has_analytics = self._has_analytics or _is_of(self._dataset.newer, read)
        return read

    def days(self, read: WindowRead, read_at: datetime) -> Iterator[DayRead]:
        """Cut a window's reads into days."""
        name, dataset = self._connection.name, self._dataset
        parts = " and ".join(sorted({one.query.report.path for one in read.answers.values()}))
        self._tell(f"{name}: read {dataset.name} of {read.window} from {parts}")
        requests = {
            part: answer.query.get().as_kept(answer.query.grouping)
            for part, answer in read.answers.items()
        }
        named = self._named()
        requests |= {part: (ORGANIZATION, [], []) for part in named}
        is_older = not _is_of(dataset.newer, read)
        for day in read.window:
            if is_older and self._is_kept_from_analytics(day):
                continue  # it has keys and users, which the older report does not know
            bodies = {part: answer.body(day) for part, answer in read.answers.items()} | named
            kept = (NAME, name, dataset.name, day, read_at)
            yield DayRead(*kept, requests, bodies, read.absent)

    def _before_analytics(self, older: Reading, window: DayRange, today: date) -> WindowRead | None:
        """Read days that only the older report has, and note where it does not answer."""
        note = self._archive.note(NAME, self._connection.name, self._dataset.note)
        hints = recall(note)
        if hints.floor and window.last < hints.floor and hints.is_believed(today):
            return None
        try:
            return hold(older, self._transport)
        except (AccessRefused, RequestRefused) as refused:
            if not self._has_analytics or refused.status == UNAUTHORIZED:
                raise
            write_note(note, Hints(window.last + ONE_DAY, today))
            self._tell(
                f"{self._connection.name}: its history begins on {window.last + ONE_DAY}, because "
                f"the older report is refused: HTTP {refused.status}: {refused.message}"
            )
            return None

    def _was_answered(self) -> bool:
        """Return whether the newest kept read is the analytics API's: it is not left for less."""
        kept = self._archive.newest_first(NAME, self._connection.name, self._dataset.name)
        newest = next((one for one in kept if isinstance(one, KeptRead)), None)
        return newest is not None and self._is_from_analytics(newest)

    def _is_kept_from_analytics(self, day: date) -> bool:
        kept = self._archive.newest(NAME, self._connection.name, self._dataset.name, [day])
        return any(isinstance(one, KeptRead) and self._is_from_analytics(one) for one in kept)

    def _is_from_analytics(self, read: KeptRead) -> bool:
        return any(part.path == self._dataset.newer.path for part in read.manifest.parts.values())

    def _named(self) -> dict[str, bytes]:
        """Return the part that names the organization; none where it may not be asked."""
        if self._connection.access == "costs_only":
            return {}
        if self._organization is None:
            try:
                self._organization = bytes(self._transport.get(ORGANIZATION, ()))
            except (AccessRefused, RequestRefused):
                self._organization = b""  # an explanation: the bill is read without it
        return {ORGANIZATION_PART: self._organization} if self._organization else {}


def _is_of(report: Report, read: WindowRead) -> bool:
    return any(answer.query.report is report for answer in read.answers.values())
