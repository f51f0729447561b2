"""Who and what the sample organisation is made of: people, service accounts, projects, API keys.

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


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the organisation; `left_at` is set once the account was removed."""

    id: str
    name: str
    email: str
    role: Literal["owner", "reader"]
    team: str
    added_at: datetime
    left_at: datetime | None


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

    @property
    def status(self) -> Literal["active", "archived"]:
        """The vendor's word for whether the project still accepts work."""
        return "active" if self.archived_at is None else "archived"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key and its one owner; `user_id` is whom the bill attributes its spend to."""

    id: str
    name: str
    redacted_value: str
    project_id: str
    owner_type: OwnerType
    owner_id: str
    user_id: str
    created_at: datetime
    last_used_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True)
class Cast:
    """Everyone and everything the bill can mention, with look-ups by id."""

    organization_id: str
    company: str
    people: tuple[Person, ...]
    service_accounts: tuple[ServiceAccount, ...]
    projects: tuple[Project, ...]
    api_keys: tuple[ApiKey, ...]

    @cached_property
    def key_by_id(self) -> dict[str, ApiKey]:
        """API keys by `key_...` id."""
        return {key.id: key for key in self.api_keys}

    @cached_property
    def project_names(self) -> dict[str, str]:
        """Project names by `proj_...` id, archived ones included."""
        return {project.id: project.name for project in self.projects}

    @cached_property
    def user_emails(self) -> dict[str, str]:
        """E-mail addresses by `user-...` id; service accounts have none."""
        return {person.id: person.email for person in self.people}
