"""The directory's lists as data: where each is asked, and by which parameters."""

from __future__ import annotations

from typing import Final, NamedTuple

_DIRECTORY: Final = "/v1/organization"
_OF_PROJECT: Final = f"{_DIRECTORY}/projects/{{project_id}}"


class DirectoryList(NamedTuple):
    """One list of the directory; `name` is what faults call it, for every project alike."""

    name: str
    path: str
    parameters: frozenset[str] = frozenset()


_ORDER: Final = frozenset({"order"})
DIRECTORY_LISTS: Final = (
    DirectoryList("projects", f"{_DIRECTORY}/projects", frozenset({"include_archived"})),
    DirectoryList("users", f"{_DIRECTORY}/users", frozenset({"emails"})),
    DirectoryList("invites", f"{_DIRECTORY}/invites"),
    DirectoryList("admin_api_keys", f"{_DIRECTORY}/admin_api_keys", _ORDER),
    DirectoryList("spend_alerts", f"{_DIRECTORY}/spend_alerts", _ORDER),
    DirectoryList("api_keys", f"{_OF_PROJECT}/api_keys", frozenset({"owner_project_access"})),
    DirectoryList("project_users", f"{_OF_PROJECT}/users"),
    DirectoryList("service_accounts", f"{_OF_PROJECT}/service_accounts"),
    DirectoryList("project_spend_alerts", f"{_OF_PROJECT}/spend_alerts", _ORDER),
)
# Not lists: one thing, or 404 where none was set.
SPEND_LIMIT: Final = DirectoryList("spend_limit", f"{_DIRECTORY}/spend_limit")
PROJECT_SPEND_LIMIT: Final = DirectoryList("project_spend_limit", f"{_OF_PROJECT}/spend_limit")

DIRECTORY_NAMES: Final = tuple(
    one.name for one in (*DIRECTORY_LISTS, SPEND_LIMIT, PROJECT_SPEND_LIMIT)
)
