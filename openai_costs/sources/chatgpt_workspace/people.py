"""Who used a workspace, from the events that are kept: no request, and the list of its users.

The platform has no list of seats that this key may read. So a user is whoever used it in the last
90 days, as the events named them; the day of their last use says who does not need a seat.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl

from openai_costs.kernel.days import DayRange, naive
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.redaction import plain_name
from openai_costs.settings.connection import Connection
from openai_costs.sources.chatgpt_workspace.endpoints import (
    DATASET,
    DIRECTORY,
    KEPT_DAYS,
    NAME,
    list_path,
)
from openai_costs.sources.chatgpt_workspace.events import events
from openai_costs.sources.organization.kinds import Kind
from openai_costs.sources.organization.listings import LIST, Listing, entry_columns
from openai_costs.sources.page_fields import typed
from openai_costs.sources.provider import OrganizationSource, RawPages, Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.tables.core.users import Users

PEOPLE = "people"
LISTED_DAYS = 90
"""How long after their last use a person is listed."""


class Person(msgspec.Struct, frozen=True):
    """Someone who used the workspace."""

    id: str
    name: str | None
    email: str | None
    last_used_at: datetime


class _List(msgspec.Struct):
    data: list[Person]


class ChatGptPeople(RunReader):
    """Lists the people of ChatGPT workspaces from kept events."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield everyone who used the workspace as one read of the last of `days`."""
        name, last = connection.name, days.last
        listed = {one.id: one for one in self._before(name)}
        recent = DayRange(last - timedelta(days=KEPT_DAYS), last)
        for read in self.archive.newest(NAME, name, DATASET, recent):
            if isinstance(read, KeptRead):
                listed |= {one.id: one for one in _people(read)}
        since = last - timedelta(days=LISTED_DAYS)
        found = [one for one in listed.values() if one.last_used_at.date() >= since]
        tell(f"{name}: {counted(len(found), 'user')} from kept events")
        body = msgspec.json.encode(_List(sorted(found, key=lambda one: one.id)))
        of_events = (
            list_path(str(connection.organization_id)),
            list[tuple[str, str]](),
            list[str](),
        )
        asked = {PEOPLE: of_events}
        yield DayRead(NAME, name, DIRECTORY, last, self.clock(), asked, {PEOPLE: body})

    def _before(self, name: str) -> list[Person]:
        """Return who was listed at the newest reading."""
        for read in self.archive.newest_first(NAME, name, DIRECTORY):
            if isinstance(read, KeptRead):
                return typed(read, PEOPLE, _List).data
        return []


def _people(read: KeptRead) -> Iterator[Person]:
    """Yield who used the workspace on a kept day, in the order of their use."""
    day = read.manifest.day
    try:
        found = events(read)
    except PageRefused:
        return  # core.spend says what is wrong with it
    for event in sorted(found, key=lambda one: one.payload.hour or 0):
        who = event.payload.identity
        if who.user_id:
            yield Person(who.user_id, who.name, who.email, _used_at(day, event.payload.hour))


def _used_at(day: date, hour: int | None) -> datetime:
    return datetime.combine(day, time(min(max(hour or 0, 0), 23)), UTC)


def listing(kind: Kind, read: KeptRead) -> Listing:
    """Return who used the workspace; nothing of any other kind.

    Raises:
        PageRefused: The kept list has an unexpected form.
    """
    columns, is_ours = entry_columns(kind.table), kind.table is Users
    people = typed(read, PEOPLE, _List).data if is_ours else []
    rows = [[PEOPLE, *(_value(one, name) for name in columns)] for one in people]
    return Listing(
        naive(read.manifest.read_at),
        read.manifest.day,
        pl.DataFrame(rows, schema={LIST: pl.String(), **columns}, orient="row"),
        frozenset({PEOPLE} if is_ours else ()),
        frozenset(),
    )


def _value(one: Person, column: str) -> object:
    known: dict[str, object] = {
        "id": one.id,
        "name": plain_name(one.name),
        "email": one.email,
        "last_used_at": naive(one.last_used_at),
    }
    return known.get(column)


ORGANIZATION = OrganizationSource(
    pages=RawPages(
        provider=NAME,
        dataset=DIRECTORY,
        description="People that kept cost events name.",
        group="sources/chatgpt_workspace",
        reader=ChatGptPeople,
    ),
    listing=listing,
)
