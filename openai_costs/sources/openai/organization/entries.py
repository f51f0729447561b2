"""The entries of the lists, field by field: a field that bears our column's name is that column.

Pure. A field that has another type refuses its page, and so does an entry without its id or a limit
without its threshold; any other field that is gone is null. E-mail addresses are read for members
and invites only.
"""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

import msgspec

Instant = Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800)]
"""Unix seconds, up to the year 9999."""

Cents = Annotated[int, msgspec.Meta(ge=0, lt=1_000_000_000_000_000)]

DOLLARS = {"usd", "USD"}
_CENT = -2
"""A cent is a dollar times ten to this power: no division, so nothing is rounded."""


class _Party(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _Owner(_Party):
    type: str | None = None
    user: _Party | None = None
    service_account: _Party | None = None

    @property
    def party(self) -> _Party:
        """Who it is: one level down for projects' keys, at the top for admin keys."""
        return self.user or self.service_account or self

    @property
    def kind(self) -> str | None:
        """What it is; without a type, by the place it is found in."""
        return self.type or (
            "user" if self.user else "service_account" if self.service_account else None
        )


class Project(msgspec.Struct):
    """A project."""

    id: str
    name: str | None = None
    status: str | None = None
    created_at: Instant | None = None
    archived_at: Instant | None = None
    residency: str | None = None


class AdminKey(msgspec.Struct):
    """An admin key, and what every key has."""

    id: str
    name: str | None = None
    redacted_value: str | None = None
    created_at: Instant | None = None
    last_used_at: Instant | None = None
    expires_at: Instant | None = None
    owner: _Owner | None = None

    @property
    def owner_type(self) -> str | None:
        """What the owner is."""
        return self.owner.kind if self.owner else None

    @property
    def owner_id(self) -> str | None:
        """Who the owner is."""
        return self.owner.party.id if self.owner else None

    @property
    def owner_name(self) -> str | None:
        """What the owner is called."""
        return self.owner.party.name if self.owner else None


class ApiKey(AdminKey):
    """A project's API key."""

    owner_project_access: str | None = None


class _Person(msgspec.Struct):
    email: str | None = None
    name: str | None = None
    banned: bool | None = None
    enabled: bool | None = None


class User(msgspec.Struct, rename={"reported_name": "name", "reported_email": "email"}):
    """A member of the organization; name and address may be one level down."""

    id: str
    reported_name: str | None = None
    reported_email: str | None = None
    role: str | None = None
    created: Instant | None = None
    added_at: Instant | None = None
    is_service_account: bool | None = None
    api_key_last_used_at: Instant | None = None
    user: _Person | None = None

    @property
    def name(self) -> str | None:
        """What the member is called."""
        return self.reported_name or (self.user.name if self.user else None)

    @property
    def email(self) -> str | None:
        """The member's address."""
        return self.reported_email or (self.user.email if self.user else None)

    @property
    def status(self) -> str | None:
        """What keeps the member out; None when nothing does."""
        if self.user is None:
            return None
        return "banned" if self.user.banned else "disabled" if self.user.enabled is False else None

    @property
    def created_at(self) -> int | None:
        """When the account was made."""
        return self.created

    @property
    def last_used_at(self) -> int | None:
        """When one of the member's keys was last used."""
        return self.api_key_last_used_at


class Invite(msgspec.Struct):
    """An invitation."""

    id: str
    email: str | None = None
    role: str | None = None
    status: str | None = None
    created_at: Instant | None = None
    expires_at: Instant | None = None
    accepted_at: Instant | None = None


class Member(msgspec.Struct):
    """A user in a project."""

    id: str
    name: str | None = None
    role: str | None = None
    added_at: Instant | None = None


class ServiceAccount(msgspec.Struct):
    """A project's service account."""

    id: str
    name: str | None = None
    role: str | None = None
    created_at: Instant | None = None


class _Threshold(msgspec.Struct):
    threshold_amount: Cents
    currency: str
    interval: str | None = None

    @property
    def threshold_usd(self) -> Decimal:
        """The threshold, which is in cents on the wire and nowhere else."""
        return Decimal(self.threshold_amount).scaleb(_CENT)


class _Enforcement(msgspec.Struct):
    status: str | None = None


class Limit(_Threshold):
    """A spend limit: a single object without an id or a name."""

    enforcement: _Enforcement | None = None
    kind: ClassVar[str] = "limit"
    recipients: ClassVar[None] = None

    @property
    def status(self) -> str | None:
        """Whether it is being enforced right now."""
        return self.enforcement.status if self.enforcement else None


class _Channel(msgspec.Struct):
    recipients: list[Any] | None = None


class Alert(_Threshold, kw_only=True):
    """A spend alert; the people it is sent to are counted here and named nowhere."""

    id: str
    notification_channel: _Channel | None = None
    kind: ClassVar[str] = "alert"

    @property
    def recipients(self) -> int | None:
        """How many addresses it is sent to."""
        people = self.notification_channel.recipients if self.notification_channel else None
        return None if people is None else len(people)


Entry = Project | AdminKey | ApiKey | User | Invite | Member | ServiceAccount | Limit | Alert
