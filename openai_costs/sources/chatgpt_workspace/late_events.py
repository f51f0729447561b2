"""Events that were written after their day had been read: what they cost, and which days owe them.

Each reading notes those that it finds in its files. What the newest read of their day has since is
no longer among them: a note that is lost is made again, as long as their file is read. Not here:
reading files (protocol.py), the sentence about them (checks.py).
"""

from collections.abc import Container, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from itertools import chain

import msgspec

from openai_costs.kernel.days import DayRange, midnight
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.sources.chatgpt_workspace.endpoints import DATASET, NAME, complete_from
from openai_costs.sources.chatgpt_workspace.events import CREDITS, Event, events
from openai_costs.sources.chatgpt_workspace.protocol import Events, Stray
from openai_costs.sources.notes import read_note, write_note
from openai_costs.storage.archive import Archive, DamagedRead, KeptRead

NOTE = "late_events"
"""The note with the events that no read of their day has."""

Bill = list[tuple[Decimal, str]]
"""What an event costs: a value and its unit for each of its charges."""


class Late(msgspec.Struct, frozen=True):
    """Events of a day that no read of it has.

    Args:
        bills: What they cost, by the id of the event.
        may_count: Whether they count once the day is read again.
    """

    bills: dict[str, Bill]
    may_count: bool

    @property
    def credits(self) -> Decimal:
        """The credits of all of them."""
        charges = chain.from_iterable(self.bills.values())
        return sum((value for value, unit in charges if unit == CREDITS), Decimal(0))


LateDays = dict[date, Late]


class _Named(msgspec.Struct):
    event_id: str


def late_events(read: Events, there: DayRange, kept_days: Container[date]) -> LateDays:
    """Return the events in files that should have none of their day, whether it has them or not.

    A day of which no read is kept was not asked for, unless it cannot be read any more.

    Args:
        read: What was read.
        there: The days that can still be read.
        kept_days: The days of which a read is kept.
    """
    late = LateDays()
    for day, strays in read.strays.items():
        is_gone = day < there.first and day not in kept_days
        its = [one for one in strays if _is_late(read, day, one)] if is_gone else strays
        if its and (is_gone or day in kept_days):
            in_order = sorted(its, key=lambda one: (one.file.end_time, one.file.id))
            is_dated = all(one.file.end_time > midnight(day) for one in its)
            late[day] = Late(dict(map(_bill, in_order)), is_dated and day in there)
    return late


def _is_late(read: Events, day: date, stray: Stray) -> bool:
    """Return whether an event was surely written after its day was complete."""
    began = read.began(stray.file)
    return began is not None and began > complete_from(day)


def _bill(stray: Stray) -> tuple[str, Bill]:
    """Return the id of an event, and what it costs: nothing where it cannot be read."""
    try:
        event = msgspec.json.decode(stray.line, type=Event)
    except UNREADABLE:
        return msgspec.json.decode(stray.line, type=_Named).event_id, []
    return event.event_id, _costs(event)


def _costs(event: Event) -> Bill:
    return [(one.cost.value, one.cost.unit) for one in event.payload.billing]


def uncounted(archive: Archive, name: str, late: Mapping[date, Late]) -> LateDays:
    """Return the events that the newest read of their day does not have."""
    left = LateDays()
    for day, one in sorted(late.items()):
        known = dict[str, Bill]()
        for read in archive.newest(NAME, name, DATASET, [day]):
            with suppress(OpenAICostsError):  # the ledger says what is wrong with it
                known = {} if isinstance(read, DamagedRead) else _kept_bills(read)
        if bills := {id_: bill for id_, bill in one.bills.items() if known.get(id_) != bill}:
            left[day] = Late(bills, one.may_count)
    return left


def _kept_bills(read: KeptRead) -> dict[str, Bill]:
    return {one.event_id: _costs(one) for one in events(read)}


def noted(archive: Archive, name: str) -> LateDays:
    """Return the noted events that the newest read of their day does not have."""
    late = read_note(archive.note(NAME, name, NOTE), LateDays)
    return uncounted(archive, name, late or {})


def note_late(archive: Archive, connection: Connection, read: Events, there: DayRange) -> None:
    """Note which events no read of their day has.

    Those of a day that can be read stay noted until a read has them.

    Args:
        archive: Where reads and notes are kept.
        connection: Whose events.
        read: What was read.
        there: The days that can still be read.
    """
    name, file = connection.name, archive.note(NAME, connection.name, NOTE)
    late = {day: one for day, one in noted(archive, name).items() if one.may_count and day in there}
    for day, one in late_events(read, there, set(archive.days(NAME, name, DATASET))).items():
        if day >= connection.first_day:
            before = late[day].bills if day in late else {}
            late[day] = Late(before | one.bills, one.may_count)
    left = uncounted(archive, name, late)
    if left or file.exists():
        write_note(file, left)


def owed_days(archive: Archive, connection: Connection) -> set[date]:
    """Return the days that have more events than their newest read, and can be read again."""
    return {day for day, one in noted(archive, connection.name).items() if one.may_count}
