"""GitHub's API as data: what is asked, how a token is sent, what an error looks like.

https://docs.github.com/en/rest/billing/usage and
https://docs.github.com/en/rest/copilot/copilot-user-management
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from openai_costs.kernel.days import DayRange, months_before
from openai_costs.kernel.errors import Permission
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.api_transport import Vendor
from openai_costs.sources.http.api import MOST_QUOTED, Api, ErrorDetail
from openai_costs.storage.archive import DayRead, KeptRead

NAME = "github_copilot"
DATASET = "costs"
DIRECTORY = "directory"

ORGANIZATION = "[A-Za-z0-9][A-Za-z0-9-]{0,38}"
_BILLING = "/organizations/{}/settings/billing/{}/usage"
_SEATS = "/orgs/{}/copilot/billing/seats"
MOST_SEATS = 100
"""The largest page of seats."""

COSTS_ONLY = tuple(_BILLING.format(ORGANIZATION, unit) for unit in ("ai_credit", "premium_request"))
SEATS = _SEATS.format(ORGANIZATION)
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "full": (*COSTS_ONLY, SEATS),
    "costs_only": COSTS_ONLY,
}


class Era(NamedTuple):
    """A time in which GitHub bills Copilot in one unit: each endpoint knows its own era only.

    Args:
        first: Its first UTC day.
        unit: The unit, as the path names it.
    """

    first: date
    unit: str

    def path(self, organization: str) -> str:
        """Return the path of the bill of an organization."""
        return _BILLING.format(organization, self.unit)


ERAS = (Era(date(2026, 6, 1), "ai_credit"), Era(date.min, "premium_request"))
"""The newest first."""


def era_of(day: date) -> Era:
    """Return the era that a day is of."""
    return next(era for era in ERAS if day >= era.first)


def accounts(read: DayRead | KeptRead) -> set[str]:
    """Return the organizations whose bill was asked for: GitHub answers for no other."""
    return {path.split("/")[2] for path in read.paths if path.startswith("/organizations/")}


def seats_path(organization: str) -> str:
    """Return the path of an organization's seats."""
    return _SEATS.format(organization)


KEPT_MONTHS = 24
KEEPS = f"GitHub returns the last {KEPT_MONTHS} months only"


def kept_days(today: date) -> DayRange:
    """Return the days that GitHub answers for; the running one with what was used so far."""
    return DayRange(months_before(today, KEPT_MONTHS - 1) or date.min, today)


def headers(key: str) -> Mapping[str, str]:
    """Return the headers that carry a token and name the version of the API."""
    return {
        "Authorization": f"Bearer {key}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2026-03-10",
    }


class _Fault(msgspec.Struct):
    message: str
    status: str | int | None = None


def error(body: bytes) -> ErrorDetail:
    """Return what `{"message": ..., "documentation_url": ..., "status": "404"}` says."""
    try:
        found = msgspec.json.decode(body, type=_Fault)
    except UNREADABLE:
        return ErrorDetail(message=body[:MOST_QUOTED].decode("utf-8", "replace"))
    return ErrorDetail(
        message=found.message, code=None if found.status is None else str(found.status)
    )


PERMISSION = Permission(
    "The bill and the seats need a fine-grained token of the organization with "
    "Administration: read (for the seats also GitHub Copilot Business: read).",
    "Administration: read",
)
NOT_FOUND = (
    "GitHub also returns 404 where a token lacks the right Administration: read, or where "
    "organization_id is not the organization's name. Nothing was taken as $0.00."
)

API = Api(
    headers=headers,
    error=error,
    requests_per_minute=60,
    permission=PERMISSION,
    busy=("rate limit",),
)
VENDOR = Vendor("GitHub", API, ALLOWED, root="", sample_root="/github", not_found=NOT_FOUND)
