"""Which list of Anthropic each table of the organization is made of, and what its entries are.

Pure. What has no line here has no list at Anthropic.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from openai_costs.sources.anthropic.costs.frames import DEFAULT_WORKSPACE
from openai_costs.sources.anthropic.organization.endpoints import (
    API_KEYS,
    INVITES,
    USERS,
    WORKSPACES,
    ListEndpoint,
)
from openai_costs.sources.anthropic.organization.entries import (
    ApiKey,
    Entry,
    Invite,
    ServiceAccount,
    User,
    Workspace,
)
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.users import Users
from openai_costs.tables.entity import Known


class Source(NamedTuple):
    """Where a table's entries come from.

    Args:
        endpoint: The list.
        entry: What an entry of it is.
    """

    endpoint: ListEndpoint
    entry: type[Workspace | ApiKey | User | Invite]


SOURCES: Mapping[type[Known], Source] = {
    Projects: Source(WORKSPACES, Workspace),
    ApiKeys: Source(API_KEYS, ApiKey),
    ServiceAccounts: Source(API_KEYS, ApiKey),
    Users: Source(USERS, User),
    Invites: Source(INVITES, Invite),
}


def of_table(table: type[Known], entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the rows that a list's entries give a table."""
    if table is Projects:
        return [*entries, Workspace(DEFAULT_WORKSPACE, "Default workspace")]
    if table is ServiceAccounts:
        return list(_service_accounts(entries))
    return entries


def _service_accounts(entries: Sequence[Entry]) -> Iterator[ServiceAccount]:
    """Yield each service account that owns a key in a workspace, once."""
    seen: set[str] = set()
    for key in entries:
        if not isinstance(key, ApiKey) or key.owner_type != "service_account":
            continue
        if key.owner_id and key.project_id and key.owner_id not in seen:
            seen.add(key.owner_id)
            yield ServiceAccount(key.owner_id, key.project_id)
