"""Reads a connection one day at a time, the newest first, where its provider answers for a day.

What a day is asked with is a provider's own conversation. Not here: holding it (http/), keeping
what came (ingest.py).
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from openai_costs.kernel.days import Clock, DayRange, consecutive
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import Vendor, transport_to
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.paging import Body, Get, Page
from openai_costs.sources.notes import read_note
from openai_costs.sources.provider import Reach, Tell, start_of
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import replace_file

LOST = "lost_days"
"""The note with the days that were named as lost."""
NOTE = "history"
"""The note with the first day that a provider still had when a connection was first read."""


@dataclass(frozen=True)
class DayPages:
    """What a provider gave for a day.

    Args:
        pages: The pages, by the name under which they are kept.
        grouping: The dimensions that each part was asked by, where it was.
        absent: What it refused to give, and its message.
    """

    pages: Mapping[str, Page]
    grouping: Mapping[str, Sequence[str]] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)


Conversation = Generator[Get, Body, DayPages]
Talk = Callable[[date], Conversation]
"""Starts the conversation about a day."""


def up_to_today(today: date) -> DayRange:
    """Return the days of a provider that forgets nothing: all, also the running one."""
    return DayRange(date.min, today)


@dataclass(frozen=True)
class DailyApi:
    """An API that is read a day at a time.

    Args:
        provider: The provider's name.
        dataset: The archive's name for the pages.
        vendor: What is asked.
        talk: Returns what starts the conversations with a connection in one reading, given what
            is kept of its days.
        there: Returns the days that there is an answer for, given today.
        keeps: How long the provider keeps a day, for a person; empty where it forgets none.
    """

    provider: str
    dataset: str
    vendor: Vendor
    talk: Callable[[Connection, Archive], Talk]
    there: Callable[[date], DayRange] = up_to_today
    keeps: str = ""

    def reader(self, settings: Settings, archive: Archive, clock: Clock, reach: Reach) -> "Daily":
        """Return its reader."""
        return Daily(self, settings, archive, clock, reach)

    def first_day(self, archive: Archive, connection: Connection) -> date:
        """Return the first day of a connection, as far as is known.

        Where the provider forgets days, it is the first one that was still there at the first
        reading. What was gone by then was never owed.
        """
        return first_noted(archive, self.provider, connection)


@dataclass(frozen=True)
class Daily:
    """Reads connections of an API that answers for a day."""

    api: DailyApi
    settings: Settings
    archive: Archive
    clock: Clock
    reach: Reach

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day that the provider still has as a complete read, newest first.

        Raises:
            ReadFailed: A day could not be completed; the days after it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        there = self.api.there(self.reach.instant(connection, self.clock()).believed.date())
        history = History(there, self.api.first_day(self.archive, connection), self.api.keeps)
        say_lost(history, days, self.archive, self._whose(connection), tell)
        if (wanted := history.of(days)) is None:
            return
        talk = self.api.talk(connection, self.archive)
        opened = transport_to(self.api.vendor, self.settings, connection, self.reach, tell)
        with closing(opened) as transport:
            for day in reversed([*wanted]):
                read_at = self.clock()
                found = hold(talk(day), transport)
                if self.api.keeps:
                    had = self.api.there(answered_at(self.reach, connection, read_at).date())
                    note_day(self.archive, self.api.provider, connection.name, had.first)
                yield self._day_read(connection, day, read_at, found)
        tell(f"{connection.name}: read {wanted}")

    def _whose(self, connection: Connection) -> tuple[str, str, str]:
        return self.api.provider, connection.name, self.api.dataset

    def _day_read(
        self, connection: Connection, day: date, read_at: datetime, given: DayPages
    ) -> DayRead:
        requests = {
            name: page.get.as_kept(given.grouping.get(name, ()))
            for name, page in given.pages.items()
        }
        bodies = {name: bytes(page.body) for name, page in given.pages.items()}
        kept = (*self._whose(connection), day, read_at)
        return DayRead(*kept, requests, bodies, given.absent)


class History(NamedTuple):
    """The days of a connection that can be read.

    Args:
        there: The days that the provider has.
        owed: The first day that it had at the first reading: what was gone by then is not reported.
        keeps: How long it keeps a day, for a person; empty where it forgets none.
    """

    there: DayRange
    owed: date
    keeps: str

    def of(self, days: DayRange) -> DayRange | None:
        """Return which of some days can still be read; None where none can."""
        first, last = max(days.first, self.there.first), min(days.last, self.there.last)
        return DayRange(first, last) if first <= last else None

    def lost(self, days: DayRange) -> list[date]:
        """Return which of some days can no longer be read."""
        return [day for day in days if self.keeps and self.owed <= day < self.there.first]


def say_lost(
    history: History,
    days: DayRange,
    archive: Archive,
    whose: tuple[str, str, str],
    tell: Tell,
) -> None:
    """Say once which days can no longer be read: not those that were read, or named before.

    Args:
        history: What can be read.
        days: The days that are asked for.
        archive: Where reads and notes are kept.
        whose: The provider, the connection, and the dataset that is read.
        tell: Takes the sentence.
    """
    if not (lost := history.lost(days)):
        return
    provider, name, dataset = whose
    note = archive.note(provider, name, LOST)
    named = read_note(note, list[date]) or []
    unread = [day for day in lost if not archive.reads(provider, name, dataset, day)]
    if new := [day for day in unread if day not in named]:
        ranges = ", ".join(map(str, consecutive(new)))
        tell(f"{name}: {ranges} can no longer be read: {history.keeps}")
        replace_file(note, msgspec.json.encode(sorted([*named, *new])))


def first_noted(archive: Archive, provider: str, connection: Connection) -> date:
    """Return the first day of a connection, or the first that was there at its first reading."""
    start = start_of(archive, connection)
    return max(start, noted_day(archive, provider, connection.name) or start)


def noted_day(archive: Archive, provider: str, name: str) -> date | None:
    """Return the first day that was there at a connection's first reading; None before it."""
    return read_note(archive.note(provider, name, NOTE), date)


def answered_at(reach: Reach, connection: Connection, ours: datetime) -> datetime:
    """Return an instant as the server of a connection has it, which has answered since."""
    return reach.instant(connection, ours)._replace(is_of_now=True).believed


def note_day(archive: Archive, provider: str, name: str, first: date) -> None:
    """Note the first day that is there, at a connection's first reading.

    It never becomes earlier again, so one that is after it was noted under a clock ahead.
    """
    noted = noted_day(archive, provider, name)
    if noted is None or first < noted:
        replace_file(archive.note(provider, name, NOTE), msgspec.json.encode(first))
