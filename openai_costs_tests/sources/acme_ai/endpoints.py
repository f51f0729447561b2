"""Acme AI's billing API as data: what is asked, how a key is sent, what an error looks like."""

import re
from collections.abc import Mapping

import msgspec

from openai_costs.kernel.errors import Permission
from openai_costs.sources.api_transport import Vendor
from openai_costs.sources.http.api import Api, ErrorDetail

NAME = "acme_ai"
COSTS = "costs"
ENTRIES = "/billing/entries"
ALLOWED = (ENTRIES,)

KEY = re.escape("acme-billing-")


class _Fault(msgspec.Struct):
    reason: str
    kind: str


class _FaultBody(msgspec.Struct):
    fault: _Fault


def headers(key: str) -> Mapping[str, str]:
    """Return the header that carries a key."""
    return {"X-Acme-Key": key}


def fault(body: bytes) -> ErrorDetail:
    """Return what `{"fault": {"reason": ..., "kind": ...}}` says."""
    try:
        found = msgspec.json.decode(body, type=_FaultBody).fault
    except msgspec.MsgspecError:
        return ErrorDetail()
    return ErrorDetail(message=found.reason, code=found.kind)


API = Api(
    headers=headers,
    error=fault,
    requests_per_minute=30,
    permission=Permission("Billing entries need a billing key (acme-billing-...)."),
)
VENDOR = Vendor("Acme AI", API, dict.fromkeys(("full", "costs_only"), ALLOWED), root="/v2")
