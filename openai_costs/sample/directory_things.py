"""Which things are in which list of the directory at a moment, oldest first."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

from openai_costs.sample.directory_admin_items import (
    admin_key_item,
    invite_item,
    spend_alert_item,
    spend_limit_item,
)
from openai_costs.sample.directory_items import (
    api_key_item,
    has_access,
    is_there,
    member_item,
    person_item,
    project_item,
    robot_item,
    service_account_item,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from openai_costs.sample.buckets import Json
    from openai_costs.sample.cast import ApiKey, Cast
    from openai_costs.sample.directory_query import ListQuery

    # (when it was made, the thing) of everything that belongs in a list.
    Things = Iterator[tuple[datetime, Json]]


def things(
    cast: Cast, name: str, query: ListQuery, project_id: str | None, at: datetime
) -> list[Json]:
    """Everything a list holds at a moment, before it is cut into pages."""
    found = _LISTS[name](cast, query, project_id, at)
    in_order = sorted(found, key=lambda made: (made[0], made[1]["id"]))
    return list(map(itemgetter(1), in_order))


def spend_limit(cast: Cast, project_id: str | None, at: datetime) -> Json | None:
    """The hard limit of a project, or of the organisation; None where none is set."""
    for limit in cast.limits:
        if limit.project_id == project_id and limit.created_at <= at:
            return spend_limit_item(limit)
    return None


def _projects(cast: Cast, query: ListQuery, _project_id: str | None, at: datetime) -> Things:
    for project in cast.projects:
        gone = None if query.include_archived else project.archived_at
        if is_there(project.created_at, gone, at):
            yield project.created_at, project_item(project, at)


def _api_keys(cast: Cast, query: ListQuery, project_id: str | None, at: datetime) -> Things:
    for key in cast.api_keys:
        is_listed = key.project_id == project_id and is_there(key.created_at, key.deleted_at, at)
        if is_listed and _is_wanted(cast, key, query, at):
            yield key.created_at, api_key_item(cast, key, at)


def _is_wanted(cast: Cast, key: ApiKey, query: ListQuery, at: datetime) -> bool:
    """Whether a key is shown; who does not say which keys gets those of owners with access."""
    if query.access == "any":
        return True
    return has_access(cast, key, at) is (query.access != "inactive")


def _members(cast: Cast, _query: ListQuery, project_id: str | None, at: datetime) -> Things:
    for project in cast.projects:
        for person_id in project.member_ids if project.id == project_id else ():
            person = cast.person_by_id[person_id]
            if is_there(person.added_at, person.left_day, at):
                yield person.added_at, member_item(person, project)


def _service_accounts(
    cast: Cast, _query: ListQuery, project_id: str | None, at: datetime
) -> Things:
    for account in cast.service_accounts:
        if account.project_id == project_id and account.created_at <= at:
            yield account.created_at, service_account_item(account)


def _users(cast: Cast, query: ListQuery, _project_id: str | None, at: datetime) -> Things:
    for person in cast.people:
        is_wanted = not query.emails or person.email in query.emails
        if is_wanted and is_there(person.added_at, person.left_day, at):
            yield person.added_at, person_item(cast, person, at)
    for account in cast.service_accounts if not query.emails else ():
        if account.created_at <= at:
            yield account.created_at, robot_item(cast, account)


def _invites(cast: Cast, _query: ListQuery, _project_id: str | None, at: datetime) -> Things:
    for invite in cast.invites:
        if invite.created_at <= at:
            yield invite.created_at, invite_item(invite, at)


def _admin_keys(cast: Cast, _query: ListQuery, _project_id: str | None, at: datetime) -> Things:
    for key in cast.admin_keys:
        if key.created_at <= at:
            yield key.created_at, admin_key_item(cast, key, at)


def _spend_alerts(cast: Cast, _query: ListQuery, project_id: str | None, at: datetime) -> Things:
    for alert in cast.alerts:
        if alert.project_id == project_id and alert.created_at <= at:
            yield alert.created_at, spend_alert_item(alert)


_LISTS: Final[dict[str, Callable[[Cast, ListQuery, str | None, datetime], Things]]] = {
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
