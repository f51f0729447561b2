"""Who and what the sample organization is made of: people, projects, keys, and the paperwork.

Types only; the invented company itself is in `company.py`. Identifiers look like the vendor's
but can be read aloud. Every instant is an aware UTC datetime.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

OwnerType = Literal["user", "service_account"]
Role = Literal["owner", "reader"]


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the organization; `left_day` is set once the account was removed."""

    id: str
    name: str
    email: str
    role: Role
    team: str
    added_at: datetime
    left_day: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A robot of one project; the bill knows it by `user_id`, the directory by `id`."""

    id: str
    user_id: str
    project_id: str
    name: str
    role: Literal["owner", "member"]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Project:
    """A project; archived ones vanish from the directory but never from the bill."""

    id: str
    name: str
    member_ids: tuple[str, ...]
    created_at: datetime
    archived_at: datetime | None
    residency: str = "GLOBAL"

    @property
    def status(self) -> Literal["active", "archived"]:
        """The vendor's word for whether the project still accepts work in the end."""
        return "active" if self.archived_at is None else "archived"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key and its one owner; `user_id` is the owner as a user.

    `billed_user_id` and `metered_user_id` are the users that the bill and the usage endpoints name
    for its spend; None for a key that is older than the vendor's record of users.
    """

    id: str
    name: str
    redacted_value: str
    project_id: str
    owner_type: OwnerType
    owner_id: str
    user_id: str
    billed_user_id: str | None
    metered_user_id: str | None
    created_at: datetime
    last_used_at: datetime | None
    deleted_at: datetime | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation to the organization."""

    id: str
    email: str
    role: Role
    project_ids: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None


@dataclass(frozen=True, slots=True)
class AdminKey:
    """An admin key; only owners of the organization make them."""

    id: str
    name: str
    redacted_value: str
    owner_id: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A hard limit of a project, or of the organization where `project_id` is None."""

    project_id: str | None
    threshold_cents: int
    created_at: datetime
    is_enforced: bool


@dataclass(frozen=True, slots=True)
class SpendAlert:
    """A threshold of a project or of the organization that sends mail."""

    id: str
    project_id: str | None
    threshold_cents: int
    recipients: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True)
class Fixtures:
    """Everyone and everything the bill can mention, with look-ups by id."""

    organization_id: str
    company: str
    people: tuple[Person, ...]
    service_accounts: tuple[ServiceAccount, ...]
    projects: tuple[Project, ...]
    api_keys: tuple[ApiKey, ...]
    invites: tuple[Invite, ...] = ()
    admin_keys: tuple[AdminKey, ...] = ()
    limits: tuple[SpendLimit, ...] = ()
    alerts: tuple[SpendAlert, ...] = ()

    @cached_property
    def key_by_id(self) -> dict[str, ApiKey]:
        """API keys by `key_...` id."""
        return {key.id: key for key in self.api_keys}

    @cached_property
    def person_by_id(self) -> dict[str, Person]:
        """People by `user-...` id, those who left included."""
        return {person.id: person for person in self.people}

    @cached_property
    def account_by_id(self) -> dict[str, ServiceAccount]:
        """Service accounts by `svc_acct_...` id."""
        return {account.id: account for account in self.service_accounts}

    @cached_property
    def project_names(self) -> dict[str, str]:
        """Project names by `proj_...` id, archived ones included."""
        return {project.id: project.name for project in self.projects}

    @cached_property
    def user_emails(self) -> dict[str, str]:
        """E-mail addresses by `user-...` id; service accounts have none."""
        return {person.id: person.email for person in self.people}
