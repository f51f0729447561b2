"""Which scopes a connection's key has, asked with the smallest requests there are.

Not here: how the doctor shows it.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import AccessRefused, ReadFailed
from openai_costs.settings.load import Connection, Settings
from openai_costs.sources.http.paging import Get
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.openai.connection import MANAGEMENT_SCOPE, USAGE_SCOPE, connect
from openai_costs.sources.openai.organization.endpoints import PROJECTS
from openai_costs.sources.openai.paging import Query
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.provider import Reach

WITHOUT = {
    USAGE_SCOPE: (
        "core.usage stays empty: no tokens, nothing is shared out by tokens, "
        "and no quantity is compared with the bill"
    ),
    MANAGEMENT_SCOPE: (
        "core.projects, core.api_keys and core.users hold ids only: no names, no owners of keys, "
        "and history is searched for instead of starting where the organisation does"
    ),
}
"""What is missing without a scope."""


class ScopeFound(NamedTuple):
    """Whether a key has a scope.

    Args:
        scope: The scope.
        path: The path that was asked.
        is_there: None when it was not asked, or when the answer says nothing about it.
        said: What the provider said, or why it was not asked.
        without: What is missing without it.
    """

    scope: str
    path: str
    is_there: bool | None
    said: str
    without: str


def probe_scopes(
    settings: Settings, connection: Connection, reach: Reach, day: DayRange
) -> Iterator[ScopeFound]:
    """Ask for one row of usage and one project; yield what each answer says about the key.

    Args:
        settings: Where the key is found.
        connection: Whose key.
        reach: How to get out.
        day: A day to ask the usage of.

    Raises:
        MissingKey: The connection has no key; nothing was sent.
    """
    settings.admin_key(connection)
    requests = {
        USAGE_SCOPE: Query(USAGE_ENDPOINTS[0], day).get(),
        MANAGEMENT_SCOPE: Get(PROJECTS.path, (("limit", "1"),)),
    }
    with closing(connect(settings, connection, reach)) as transport:
        for scope, get in requests.items():
            is_there, said = _asked(transport, get, connection)
            yield ScopeFound(scope, get.path, is_there, said, WITHOUT[scope])


def _asked(transport: Transport, get: Get, connection: Connection) -> tuple[bool | None, str]:
    if connection.access == "costs_only":
        return None, "not asked, access is costs_only"
    try:
        transport.get(get.path, get.params)
    except AccessRefused as refused:
        return False, f"HTTP {refused.status}: {refused.message}"
    except ReadFailed as failed:
        return None, str(failed)
    return True, "HTTP 200"
