"""The sample company's organization at Anthropic: workspaces, keys, members and invites.

As Anthropic's lists show them. People are those of the company; no one exists.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openai_costs.sample.company.fixtures import Fixtures, Person

Json = dict[str, Any]

ORGANIZATION: Final[Json] = {
    "id": "3b8c1f02-6d5e-4f7a-9a41-7e1d2c90ab54",
    "type": "organization",
    "name": "Tidewater Maps",
}

# id suffix, name, age when created, age when archived
_WORKSPACES: Final = (
    ("default", "Default", 420, None),
    ("search", "Search assistant", 400, None),
    ("support", "Support desk", 310, None),
    ("pilot", "Pilot 2025", 415, 200),
)

WORKSPACES_OF_TEAMS: Final = {"search": ("wrkspc_search",), "support": ("wrkspc_support",)}
"""Whose money a workspace's is where no person is known."""

# id suffix, name, workspace, creator, service account that it acts as, age when created
_API_KEYS: Final = (
    ("search_prod", "search assistant production", "search", "kaveh", "svac_search", 395),
    ("search_eval", "answer ratings", "search", "lucia", None, 260),
    ("desk_bot", "helpdesk replies", "support", "olu", None, 300),
)

MEMBERS: Final[dict[str, str]] = {
    "ines": "admin",
    "kaveh": "developer",
    "lucia": "developer",
    "olu": "developer",
    "signe": "claude_code_user",
    "ruben": "claude_code_user",
    "hyejin": "claude_code_user",
}


def user_id(suffix: str) -> str:
    """A member's id at Anthropic."""
    return f"user_01{suffix}"


def key_id(suffix: str) -> str:
    """A key's id at Anthropic."""
    return f"apikey_01{suffix}"


def user_actor(fixtures: Fixtures, suffix: str) -> Json:
    """A member as the actor of some usage."""
    person = _person(fixtures, suffix)
    return {
        "type": "user_actor",
        "user_id": user_id(suffix),
        "name": person.name,
        "email_address": person.email,
        "deleted": False,
    }


def lists(fixtures: Fixtures, today: date) -> dict[str, list[Json]]:
    """Every list, by the last part of its path."""
    return {
        "workspaces": [_workspace(today, *one) for one in _WORKSPACES],
        "api_keys": [_api_key(today, *one) for one in _API_KEYS],
        "users": [_user(fixtures, today, suffix) for suffix in MEMBERS],
        "invites": [_invite(fixtures, today)],
    }


def _person(fixtures: Fixtures, suffix: str) -> Person:
    return next(one for one in fixtures.people if one.id == f"user-{suffix}")


def _instant(today: date, age: int | None) -> str | None:
    if age is None:
        return None
    at = datetime.combine(today - timedelta(days=age), time(9), UTC)
    return at.isoformat().replace("+00:00", "Z")


def _workspace(today: date, suffix: str, name: str, created: int, archived: int | None) -> Json:
    return {
        "id": f"wrkspc_{suffix}",
        "type": "workspace",
        "name": name,
        "created_at": _instant(today, created),
        "archived_at": _instant(today, archived),
        "display_color": "#2F6F8F",
        "tags": {},
    }


def _api_key(  # noqa: PLR0913, PLR0917 - the columns of the table above
    today: date, suffix: str, name: str, workspace: str, creator: str, robot: str | None, age: int
) -> Json:
    acts_as = {"type": "service_account_actor", "service_account_id": robot}
    return {
        "id": key_id(suffix),
        "type": "api_key",
        "name": name,
        "status": "active",
        "created_at": _instant(today, age),
        "created_by": {"id": user_id(creator), "type": "user"},
        "expires_at": None,
        "partial_key_hint": f"sk-ant-api03-{suffix[:3]}...{sum(suffix.encode()) % 1000:03d}A",
        "principal": acts_as if robot else None,
        "scope": {"type": "workspace", "workspace_id": f"wrkspc_{workspace}"},
    }


def _user(fixtures: Fixtures, today: date, suffix: str) -> Json:
    person = _person(fixtures, suffix)
    return {
        "id": user_id(suffix),
        "type": "user",
        "email": person.email,
        "name": person.name,
        "role": MEMBERS[suffix],
        "added_at": _instant(today, 410),
    }


def _invite(fixtures: Fixtures, today: date) -> Json:
    return {
        "id": "invite_01amrit",
        "type": "invite",
        "email": _person(fixtures, "amrit").email,
        "role": "claude_code_user",
        "status": "pending",
        "invited_at": _instant(today, 3),
        "expires_at": _instant(today, -18),
        "accepted_at": None,
        "rbac_group_ids": [],
    }
