"""A transport to a connection's API: where, with which key, and what may be asked."""

import re

from openai_costs.kernel.errors import Permission
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.api_transport import Vendor, transport_to
from openai_costs.sources.http.api import Api
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.openai.costs.endpoints import COSTS
from openai_costs.sources.openai.organization.endpoints import ALLOWED_PATTERNS
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.provider import Reach, Tell, silent

# Every path we may GET. Nothing outside this list is ever asked.

ALLOWED: dict[str, tuple[str, ...]] = {
    "full": (COSTS.path, *(one.path for one in USAGE_ENDPOINTS), *ALLOWED_PATTERNS),
    "costs_only": (COSTS.path,),
}
"""Patterns that a path below the base URL must match in full, by a connection's access."""

USAGE_SCOPE = "api.usage.read"
MANAGEMENT_SCOPE = "api.management.read"
_NEED = "{what} need an admin key (sk-admin-...) with the scope {scope}."
USAGE_PERMISSION = Permission(_NEED.format(what="Costs and usage", scope=USAGE_SCOPE), USAGE_SCOPE)
MANAGEMENT_PERMISSION = Permission(
    _NEED.format(what="Names of projects, keys and people", scope=MANAGEMENT_SCOPE),
    MANAGEMENT_SCOPE,
)

REQUESTS_PER_MINUTE = 6
"""The admin API's limit is undocumented; 7 to 10 a minute and endpoint were measured by others
(terraform-provider-openai pull request 76), refilled after about 60 s, announced by no header."""

_BUCKET = re.compile(rb'"object"\s*:\s*"bucket"')


def _days_begun(body: bytes | bytearray) -> int:
    return len(_BUCKET.findall(body))


API = Api(
    requests_per_minute=REQUESTS_PER_MINUTE,
    permission=USAGE_PERMISSION,
    permissions=dict.fromkeys(ALLOWED_PATTERNS, MANAGEMENT_PERMISSION),
    lookback_codes=frozenset({"reporting_lookback_exceeded"}),
    days_begun=_days_begun,
)

NAME = "openai"


def connect(
    settings: Settings, connection: Connection, reach: Reach, tell: Tell = silent
) -> Transport:
    """Return a transport to a connection's API; the key is read when a request leaves."""
    return transport_to(Vendor("OpenAI", API, ALLOWED), settings, connection, reach, tell)
