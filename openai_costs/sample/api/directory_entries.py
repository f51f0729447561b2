"""Which things are in which list of the directory at a moment, oldest first."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

from openai_costs.sample.api.directory_items import (
    api_key_item,
    has_access,
    is_there,
    member_item,
    person_item,
    project_item,
    robot_item,
    second,
    service_account_item,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.api.directory import ListQuery
    from openai_costs.sample.company.fixtures import (
        AdminKey,
        ApiKey,
        Fixtures,
        Invite,
        SpendAlert,
        SpendLimit,
    )

    Things = Iterator[tuple[datetime, Json]]


# What only administrators see, as the directory writes it: invitations, admin keys, limits.
# Thresholds are cents, unlike everything else that is money here.

_MONTHLY: Final = {"currency": "USD", "interval": "month"}


def invite_item(invite: Invite, at: datetime) -> Json:
    """An invitation, with the state it is in at a moment."""
    is_accepted = invite.accepted_at is not None and invite.accepted_at <= at
    status = "accepted" if is_accepted else "expired" if invite.expires_at <= at else "pending"
    return {
        "object": "organization.invite",
        "id": invite.id,
        "email": invite.email,
        "role": invite.role,
        "status": status,
        "created_at": second(invite.created_at),
        "expires_at": second(invite.expires_at),
        "accepted_at": second(invite.accepted_at) if is_accepted else None,
        "projects": [{"id": project_id, "role": "member"} for project_id in invite.project_ids],
    }


def admin_key_item(fixtures: Fixtures, key: AdminKey, at: datetime) -> Json:
    """An admin key, and the owner of the organization who made it."""
    owner = fixtures.person_by_id[key.owner_id]
    return {
        "object": "organization.admin_api_key",
        "id": key.id,
        "name": key.name,
        "redacted_value": key.redacted_value,
        "created_at": second(key.created_at),
        "expires_at": second(key.expires_at),
        "last_used_at": second(key.last_used_at and min(key.last_used_at, at)),
        "owner": {
            "type": "user",
            "object": "organization.user",
            "id": owner.id,
            "name": owner.name,
            "created_at": second(owner.added_at),
            "role": "owner",
        },
    }


def spend_alert_item(alert: SpendAlert) -> Json:
    """A threshold that sends mail, and to whom."""
    kind = "project.spend_alert" if alert.project_id else "organization.spend_alert"
    channel = {
        "type": "email",
        "recipients": list(alert.recipients),
        "subject_prefix": "Tidewater spend",
    }
    return {
        "object": kind,
        "id": alert.id,
        "threshold_amount": alert.threshold_cents,
        **_MONTHLY,
        "notification_channel": channel,
    }


def spend_limit_item(limit: SpendLimit) -> Json:
    """A threshold at which the vendor stops answering."""
    return {
        "object": "project.spend_limit" if limit.project_id else "organization.spend_limit",
        "threshold_amount": limit.threshold_cents,
        **_MONTHLY,
        "enforcement": {"status": "enforcing" if limit.is_enforced else "inactive"},
    }


def things(
    fixtures: Fixtures, name: str, query: ListQuery, project_id: str | None, at: datetime
) -> list[Json]:
    """Everything a list holds at a moment, before it is cut into pages."""
    found = _LISTS[name](fixtures, query, project_id, at)
    in_order = sorted(found, key=lambda made: (made[0], made[1]["id"]))
    return list(map(itemgetter(1), in_order))


def spend_limit(fixtures: Fixtures, project_id: str | None, at: datetime) -> Json | None:
    """The hard limit of a project, or of the organization; None where none is set."""
    for limit in fixtures.limits:
        if limit.project_id == project_id and limit.created_at <= at:
            return spend_limit_item(limit)
    return None


def _projects(
    fixtures: Fixtures, query: ListQuery, _project_id: str | None, at: datetime
) -> Things:
    for project in fixtures.projects:
        gone = None if query.include_archived else project.archived_at
        if is_there(project.created_at, gone, at):
            yield project.created_at, project_item(project, at)


def _api_keys(fixtures: Fixtures, query: ListQuery, project_id: str | None, at: datetime) -> Things:
    for key in fixtures.api_keys:
        is_listed = key.project_id == project_id and is_there(key.created_at, key.deleted_at, at)
        if is_listed and _is_wanted(fixtures, key, query, at):
            yield key.created_at, api_key_item(fixtures, key, at)


def _is_wanted(fixtures: Fixtures, key: ApiKey, query: ListQuery, at: datetime) -> bool:
    """Whether a key is shown; who does not say which keys gets those of owners with access."""
    if query.access == "any":
        return True
    return has_access(fixtures, key, at) is (query.access != "inactive")


def _members(fixtures: Fixtures, _query: ListQuery, project_id: str | None, at: datetime) -> Things:
    for project in fixtures.projects:
        for person_id in project.member_ids if project.id == project_id else ():
            person = fixtures.person_by_id[person_id]
            if is_there(person.added_at, person.left_day, at):
                yield person.added_at, member_item(person, project)


def _service_accounts(
    fixtures: Fixtures, _query: ListQuery, project_id: str | None, at: datetime
) -> Things:
    for account in fixtures.service_accounts:
        if account.project_id == project_id and account.created_at <= at:
            yield account.created_at, service_account_item(account)


def _users(fixtures: Fixtures, query: ListQuery, _project_id: str | None, at: datetime) -> Things:
    for person in fixtures.people:
        is_wanted = not query.emails or person.email in query.emails
        if is_wanted and is_there(person.added_at, person.left_day, at):
            yield person.added_at, person_item(fixtures, person, at)
    for account in fixtures.service_accounts if not query.emails else ():
        if account.created_at <= at:
            yield account.created_at, robot_item(fixtures, account)


def _invites(
    fixtures: Fixtures, _query: ListQuery, _project_id: str | None, at: datetime
) -> Things:
    for invite in fixtures.invites:
        if invite.created_at <= at:
            yield invite.created_at, invite_item(invite, at)


def _admin_keys(
    fixtures: Fixtures, _query: ListQuery, _project_id: str | None, at: datetime
) -> Things:
    for key in fixtures.admin_keys:
        if key.created_at <= at:
            yield key.created_at, admin_key_item(fixtures, key, at)


def _spend_alerts(
    fixtures: Fixtures, _query: ListQuery, project_id: str | None, at: datetime
) -> Things:
    for alert in fixtures.alerts:
        if alert.project_id == project_id and alert.created_at <= at:
            yield alert.created_at, spend_alert_item(alert)


_LISTS: Final[dict[str, Callable[[Fixtures, ListQuery, str | None, datetime], Things]]] = {
    "projects": _projects,
    "users": _users,
    "invites": _invites,
    "admin_api_keys": _admin_keys,
    "spend_alerts": _spend_alerts,
    "api_keys": _api_keys,
    "project_users": _members,
    "service_accounts": _service_accounts,
    "project_spend_alerts": _spend_alerts,
}
