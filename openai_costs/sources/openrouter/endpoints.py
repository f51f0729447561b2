"""OpenRouter's API as data: what is asked, how a key is sent, what an error looks like.

https://openrouter.ai/docs/api-reference/analytics/get-activity
"""

from datetime import date

import msgspec

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.errors import Permission
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.api_transport import Vendor
from openai_costs.sources.http.api import MOST_QUOTED, Api, ErrorDetail

NAME = "openrouter"
DATASET = "costs"

ACTIVITY = "/activity"
ALLOWED = (ACTIVITY,)

BY_WORKSPACE = ("group_by", "workspace")

KEPT_DAYS = 30
"""The days before today that there is an answer for. The running day has none."""
KEEPS = f"OpenRouter returns the last {KEPT_DAYS} completed UTC days only"


class _Fault(msgspec.Struct):
    message: str | None = None
    code: int | str | None = None


class _FaultBody(msgspec.Struct):
    error: _Fault


def error(body: bytes) -> ErrorDetail:
    """Return what `{"error": {"message": ..., "code": 401}}` holds: its code is the status."""
    try:
        found = msgspec.json.decode(body, type=_FaultBody).error
    except UNREADABLE:
        return ErrorDetail(message=body[:MOST_QUOTED].decode("utf-8", "replace"))
    return ErrorDetail(message=found.message, code=None if found.code is None else str(found.code))


API = Api(
    error=error,
    requests_per_minute=30,
    permission=Permission(
        "Activity needs a management key; a key for models gets HTTP 401 or 403 here."
    ),
)
VENDOR = Vendor(
    "OpenRouter",
    API,
    dict.fromkeys(("full", "costs_only"), ALLOWED),
    root="/api/v1",
    sample_root="/openrouter/api/v1",
)


def completed_days(today: date) -> DayRange:
    """Return the days that OpenRouter answers for."""
    return DayRange(today - KEPT_DAYS * ONE_DAY, today - ONE_DAY)
