"""A transport to a connection's API: where, with which key, and what may be asked."""

import msgspec

from openai_costs.kernel.errors import Permission
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.costs.endpoints import (
    ANALYTICS_COST,
    BETA,
    COST_REPORT,
    ORGANIZATION,
)
from openai_costs.sources.anthropic.organization.endpoints import LISTS
from openai_costs.sources.anthropic.usage.endpoints import ANALYTICS_USAGE, USAGE_REPORT
from openai_costs.sources.api_transport import Vendor, transport_to
from openai_costs.sources.http.api import MOST_QUOTED, Api, ErrorDetail
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.provider import Reach, Tell, silent

NAME = "anthropic"

_COSTS = (ANALYTICS_COST.path, COST_REPORT.path)
_LISTS = tuple(one.path for one in LISTS)

ALLOWED: dict[str, tuple[str, ...]] = {
    "full": (*_COSTS, ANALYTICS_USAGE.path, USAGE_REPORT.path, ORGANIZATION, *_LISTS),
    "costs_only": _COSTS,
}
"""Patterns that a path below the base URL must match in full, by a connection's access."""

ANALYTICS_SCOPE = "read:analytics"
ANALYTICS_PERMISSION = Permission(
    "Costs and usage need an admin key (sk-ant-admin...), or an API key with the scope "
    f"{ANALYTICS_SCOPE}.",
    ANALYTICS_SCOPE,
)
ADMIN_PERMISSION = Permission(
    "Workspaces, API keys, users and the older reports need an admin key (sk-ant-admin...)."
)

REQUESTS_PER_MINUTE = 12
"""The vendor asks for one poll a minute in the long run and bears bursts while pages are fetched; a
daily refresh is such a burst."""

VERSION = "2023-06-01"


class _Details(msgspec.Struct):
    error_code: str | None = None


class _Error(msgspec.Struct):
    type: str | None = None
    message: str | None = None
    details: _Details | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error


def headers(key: str) -> dict[str, str]:
    """Return the one header that carries a key, and the version of the API."""
    return {"x-api-key": key, "anthropic-version": VERSION}


def error(body: bytes) -> ErrorDetail:
    """Return what `{"type": "error", "error": {"type": ..., "message": ...}}` holds.

    The code is the more exact one of its details where there is one (`api_key_scope_missing`).
    """
    try:
        found = msgspec.json.decode(body, type=_ErrorBody).error
    except UNREADABLE:
        return ErrorDetail(message=body[:MOST_QUOTED].decode("utf-8", "replace"))
    exact = found.details.error_code if found.details else None
    return ErrorDetail(message=found.message, code=exact or found.type)


API = Api(
    headers=headers,
    error=error,
    requests_per_minute=REQUESTS_PER_MINUTE,
    permission=ADMIN_PERMISSION,
    permissions=dict.fromkeys((ANALYTICS_COST.path, ANALYTICS_USAGE.path), ANALYTICS_PERMISSION),
    path_headers=dict.fromkeys((ANALYTICS_COST.path, ANALYTICS_USAGE.path), BETA),
)


def connect(
    settings: Settings, connection: Connection, reach: Reach, tell: Tell = silent
) -> Transport:
    """Return a transport to a connection's API; the key is read when a request leaves."""
    return transport_to(Vendor("Anthropic", API, ALLOWED), settings, connection, reach, tell)
