"""The seats of an organization: read once a day, and listed as the users of the connection.

A seat's last activity is kept by GitHub for 90 days, in any editor and on its website.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import msgspec
import polars as pl

from openai_costs.kernel.days import DayRange, naive
from openai_costs.kernel.redaction import plain_name
from openai_costs.settings.connection import Connection
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.github_copilot.endpoints import DIRECTORY, NAME, VENDOR
from openai_costs.sources.github_copilot.seat_list import ALL_SEATS, read_seats
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.organization.kinds import Kind
from openai_costs.sources.organization.listings import LIST, Listing, entry_columns
from openai_costs.sources.page_fields import new_fields, plain, typed
from openai_costs.sources.provider import OrganizationSource, RawPages, Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead, KeptRead
from openai_costs.tables.core.users import Users

SEATS = "seats"


class _Person(msgspec.Struct):
    login: str
    name: str | None = None


class Seat(msgspec.Struct):
    """A seat, and who holds it."""

    assignee: _Person
    created_at: datetime | None = None
    updated_at: datetime | None = None
    pending_cancellation_date: str | None = None
    last_activity_at: datetime | None = None
    last_activity_editor: str | None = None
    last_authenticated_at: datetime | None = None
    plan_type: str | None = None
    assigning_team: dict[str, object] | None = None
    organization: dict[str, object] | None = None


class _Page(msgspec.Struct):
    seats: list[Seat]


class CopilotSeats(RunReader):
    """Reads the seats of GitHub organizations."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield the seats as one read of the last of `days`: who holds one is of now.

        Raises:
            ReadFailed: The list could not be completed.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        read_at = self.clock()
        opened = transport_to(VENDOR, self.settings, connection, self.reach, tell)
        with closing(opened) as transport:
            given = hold(read_seats(str(connection.organization_id)), transport)
        named = {f"{SEATS}.{number}": page for number, page in enumerate(given.pages)}
        tell(f"{connection.name}: read {SEATS}")
        yield DayRead(
            NAME,
            connection.name,
            DIRECTORY,
            days.last,
            read_at,
            {part: page.get.as_kept() for part, page in named.items()},
            {part: bytes(page.body) for part, page in named.items()},
            {ALL_SEATS: given.lack} if given.lack else {},
        )


def listing(kind: Kind, read: KeptRead) -> Listing:
    """Return who holds a seat; nothing of a kind that GitHub does not list.

    A list that is not whole has seats, and proves that no one holds none.

    Raises:
        PageRefused: A page has a seat without what we rely on, or with another type.
    """
    columns = entry_columns(kind.table)
    is_ours, is_whole = kind.table is Users, ALL_SEATS not in read.manifest.absent
    seats = [one for part in read.bodies for one in typed(read, part, _Page).seats]
    newest = {one.assignee.login: one for one in sorted(seats, key=_activity)} if is_ours else {}
    rows = [[SEATS, *(_value(one, name) for name in columns)] for one in newest.values()]
    loose = (seat for part in read.bodies for seat in plain(read.bodies[part], SEATS))
    return Listing(
        naive(read.manifest.read_at),
        read.manifest.day,
        pl.DataFrame(rows, schema={LIST: pl.String(), **columns}, orient="row"),
        frozenset({SEATS} if is_ours and is_whole else ()),
        frozenset(() if is_whole else {SEATS}),
        "; ".join(new_fields(loose, Seat)) if is_ours else "",
    )


def _activity(seat: Seat) -> datetime:
    return seat.last_activity_at or datetime.min.replace(tzinfo=UTC)


def _value(seat: Seat, column: str) -> object:
    """Return what a seat has for a column of core.users; null where GitHub has no such thing."""
    is_leaving = seat.pending_cancellation_date is not None
    created, active = seat.created_at, seat.last_activity_at
    known: dict[str, object] = {
        "id": seat.assignee.login,
        "name": plain_name(seat.assignee.name or seat.assignee.login),
        "status": "pending_cancellation" if is_leaving else None,
        "created_at": naive(created) if created else None,
        "added_at": naive(created) if created else None,
        "last_used_at": naive(active) if active else None,
        "role": seat.plan_type,
    }
    return known.get(column)


ORGANIZATION = OrganizationSource(
    pages=RawPages(
        provider=NAME,
        dataset=DIRECTORY,
        description="Seats as GitHub sent them. Kept and never edited.",
        group="sources/github_copilot",
        reader=CopilotSeats,
    ),
    listing=listing,
)
