"""The entries of the lists, field by field: a field that bears our column's name is that column.

Pure. A field that has another type refuses its page, and so does an entry without its id; any other
field that is gone is null. E-mail addresses are read for users and invites only.
"""

from datetime import datetime

import msgspec

from openai_costs.sources.anthropic.costs.frames import DEFAULT_WORKSPACE

_USER = ("user", "user_actor")
_SERVICE_ACCOUNT = ("service_account", "service_account_actor")


class Workspace(msgspec.Struct):
    """A workspace: what other providers call a project."""

    id: str
    name: str | None = None
    created_at: datetime | None = None
    archived_at: datetime | None = None


class Party(msgspec.Struct):
    """Whom a key acts as, or who made it."""

    type: str
    id: str | None = None
    user_id: str | None = None
    service_account_id: str | None = None

    @property
    def kind(self) -> str | None:
        """What it is, in the words of core.api_keys; None for another kind of party."""
        if self.type in _USER:
            return "user"
        return "service_account" if self.type in _SERVICE_ACCOUNT else None

    @property
    def named(self) -> str | None:
        """Its id."""
        return self.id or self.user_id or self.service_account_id


class Scope(msgspec.Struct):
    """Where a key belongs: a workspace, or the organization."""

    type: str
    workspace_id: str | None = None


class ApiKey(msgspec.Struct):
    """An API key."""

    id: str
    name: str | None = None
    status: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    partial_key_hint: str | None = None
    workspace_id: str | None = None
    scope: Scope | None = None
    principal: Party | None = None
    created_by: Party | None = None

    @property
    def project_id(self) -> str | None:
        """The workspace; the default one has no id in older answers. None: the organization's."""
        if self.scope and self.scope.type == "organization":
            return None
        named = self.scope.workspace_id if self.scope else self.workspace_id
        return named or DEFAULT_WORKSPACE

    @property
    def owner(self) -> Party | None:
        """Whom the key acts as; a key that is bound to no one belongs to who made it."""
        return self.principal or self.created_by

    @property
    def owner_type(self) -> str | None:
        """What the owner is."""
        return self.owner.kind if self.owner else None

    @property
    def owner_id(self) -> str | None:
        """Who the owner is."""
        return self.owner.named if self.owner else None

    @property
    def redacted_value(self) -> str | None:
        """The key as the vendor shows it."""
        return self.partial_key_hint


class User(msgspec.Struct):
    """A member of the organization."""

    id: str
    email: str | None = None
    name: str | None = None
    role: str | None = None
    added_at: datetime | None = None


class Invite(msgspec.Struct):
    """An invitation."""

    id: str
    email: str | None = None
    role: str | None = None
    status: str | None = None
    invited_at: datetime | None = None
    expires_at: datetime | None = None
    accepted_at: datetime | None = None

    @property
    def created_at(self) -> datetime | None:
        """When the invitation was sent."""
        return self.invited_at


class ServiceAccount(msgspec.Struct):
    """A service account, as far as the keys that act as it tell: it has no list of its own."""

    id: str
    project_id: str | None


Entry = Workspace | ApiKey | User | Invite | ServiceAccount
