"""The reports of costs as data: what is asked, in which groupings, and how far each reaches.

https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

DATASET = "costs"

MOST_DAYS = 31
"""The longest range of one request, of every report."""

ANALYTICS_BEGIN = date(2026, 1, 1)
ANALYTICS_REACH = timedelta(days=364)
"""The analytics API returns the last 365 days, and for no day before 2026 (vendor)."""

BETA = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
"""The header without which the analytics reports do not exist."""

MANUAL = "https://platform.claude.com/docs/en/api/admin"


@dataclass(frozen=True)
class Report:
    """One report.

    Args:
        path: Path below the base URL.
        width: The parameter that asks for days.
        limit: How many rows or days fit on a page: the largest `limit` that the vendor accepts.
        has_buckets: Whether an entry is a day with `results`; else it is a row with its own day.
        vendor_page: Where the vendor documents it.
        params: Further parameters of every request.
    """

    path: str
    width: str
    limit: int
    has_buckets: bool
    vendor_page: str
    params: tuple[tuple[str, str], ...] = ()


def analytics(name: str) -> Report:
    """Return a report of the analytics API.

    It is asked for in the order of time: an order by amount can change between two pages.
    """
    return Report(
        path=f"/organizations/analytics/{name}",
        width="time_bucket_width",
        limit=1000,
        has_buckets=False,
        vendor_page=f"{MANUAL}/analytics/{name}",
        params=(("order_by", "time"), ("order", "asc")),
    )


def older(name: str) -> Report:
    """Return a report from before the analytics API."""
    return Report(
        path=f"/organizations/{name}",
        width="bucket_width",
        limit=MOST_DAYS,
        has_buckets=True,
        vendor_page=f"{MANUAL}/{name}",
    )


ANALYTICS_COST = analytics("cost")
COST_REPORT = older("cost_report")

_WHO = ("workspace_id", "api_key_id", "actor", "model")
_WHAT = ("cost_type", "token_type")

LEDGER_GROUPING = (*_WHO, "service_tier", *_WHAT)
"""At most five dimensions beside the kinds of cost and token (vendor)."""

REFINEMENTS: Mapping[str, str] = {
    "products": "product",
    "context_windows": "context_window",
    "inference_geos": "inference_geo",
}
"""Parts of a read that have another dimension in place of the service tier."""

OLDER_GROUPING = ("workspace_id", "description")
"""All that the older report can be grouped by: it knows no key and no user."""

ORGANIZATION = "/organizations/me"
"""Names the organization that a key belongs to; no report does."""

ORGANIZATION_PART = "organization"
"""The part of a read that has its answer."""


def refinement_grouping(dimension: str) -> tuple[str, ...]:
    """Return the grouping of the part that has a dimension."""
    return (*_WHO, dimension, *_WHAT)


def analytics_floor(today: date) -> date:
    """Return the first day for which the analytics API answers."""
    return max(ANALYTICS_BEGIN, today - ANALYTICS_REACH)
