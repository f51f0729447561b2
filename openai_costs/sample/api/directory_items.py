"""The fixtures as directory objects on the wire: one function per kind, at a given moment.

Only what exists at that moment: what was made later is not there yet, what was deleted or removed
is gone without a trace. Archived projects are still there for those who ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.company.fixtures import (
        ApiKey,
        Fixtures,
        Person,
        Project,
        ServiceAccount,
    )


def second(at: datetime | None) -> int | None:
    """An instant in unix seconds."""
    return None if at is None else int(at.timestamp())


def is_there(made: datetime, gone: datetime | None, at: datetime) -> bool:
    """Whether something made and perhaps gone at these instants exists at a moment."""
    return made <= at and (gone is None or gone > at)


def project_item(project: Project, at: datetime) -> Json:
    """A project; archived from its archive day on."""
    is_archived = project.archived_at is not None and project.archived_at <= at
    return {
        "object": "organization.project",
        "id": project.id,
        "name": project.name,
        "created_at": second(project.created_at),
        "archived_at": second(project.archived_at) if is_archived else None,
        "status": "archived" if is_archived else "active",
        "residency": project.residency,
        "external_key_id": None,
    }


def api_key_item(fixtures: Fixtures, key: ApiKey, at: datetime) -> Json:
    """A project's key with its owner; never the key itself."""
    return {
        "object": "organization.project.api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": key.redacted_value,
        "created_at": second(key.created_at),
        "last_used_at": second(last_used(key, at)),
        "expires_at": None,
        "owner": _owner(fixtures, key),
        "owner_project_access": "active" if has_access(fixtures, key, at) else "inactive",
    }


def last_used(key: ApiKey, at: datetime) -> datetime | None:
    """When a key was last used, as known at a moment; one in use was used just now."""
    if key.last_used_at is None:
        return None
    return at.replace(microsecond=0) if key.is_in_use else min(key.last_used_at, at)


def has_access(fixtures: Fixtures, key: ApiKey, at: datetime) -> bool:
    """Whether the owner still has access to the key's project: people may have left."""
    if key.owner_type == "service_account":
        return True
    person = fixtures.person_by_id[key.owner_id]
    return is_there(person.added_at, person.left_day, at)


def _owner(fixtures: Fixtures, key: ApiKey) -> Json:
    if key.owner_type == "service_account":
        account = fixtures.account_by_id[key.owner_id]
        item = {
            "id": account.id,
            "name": account.name,
            "role": account.role,
            "created_at": second(account.created_at),
        }
        return {"type": "service_account", "service_account": item}
    person = fixtures.person_by_id[key.owner_id]
    item = {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "role": "member",
        "created_at": second(person.added_at),
    }
    return {"type": "user", "user": item}


def member_item(person: Person, project: Project) -> Json:
    """A person as a member of a project; the first one named owns it."""
    return {
        "object": "organization.project.user",
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "role": "owner" if person.id == project.member_ids[0] else "member",
        "added_at": second(max(person.added_at, project.created_at)),
    }


def service_account_item(account: ServiceAccount) -> Json:
    """A robot of a project."""
    return {
        "object": "organization.project.service_account",
        "id": account.id,
        "name": account.name,
        "role": account.role,
        "created_at": second(account.created_at),
    }


def person_item(fixtures: Fixtures, person: Person, at: datetime) -> Json:
    """A person as a member of the organization."""
    used = (last_used(key, at) for key in fixtures.api_keys if key.user_id == person.id)
    return {
        **_user(person.id, person.name, person.email, person.role, person.added_at),
        "api_key_last_used_at": second(max((one for one in used if one), default=None)),
        "is_service_account": False,
        "projects": {"object": "list", "data": list(_memberships(fixtures, person, at))},
    }


def robot_item(fixtures: Fixtures, account: ServiceAccount) -> Json:
    """A service account as the list of users has it: with the id that the bill uses."""
    project = {
        "id": account.project_id,
        "name": fixtures.project_names[account.project_id],
        "role": account.role,
    }
    return {
        **_user(account.user_id, account.name, None, "reader", account.created_at),
        "is_service_account": True,
        "projects": {"object": "list", "data": [project]},
    }


def _user(id_: str, name: str, email: str | None, role: str, added_at: datetime) -> Json:
    return {
        "object": "organization.user",
        "id": id_,
        "name": name,
        "email": email,
        "role": role,
        "added_at": second(added_at),
        "created": second(added_at),
        "is_default": False,
        "is_scim_managed": False,
        "user": {"object": "user", "id": id_, "name": name, "email": email, "enabled": True},
    }


def _memberships(fixtures: Fixtures, person: Person, at: datetime) -> Iterator[Json]:
    for project in fixtures.projects:
        if person.id in project.member_ids and is_there(
            project.created_at, project.archived_at, at
        ):
            role = member_item(person, project)["role"]
            yield {"id": project.id, "name": project.name, "role": role}
