"""Reading the question: the query parameters of `GET /v1/organization/costs`, checked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from openai_costs.sample.query import (
    BucketQuery,
    collected,
    filters,
    fingerprint,
    group_by,
    limit,
    window,
)
from openai_costs.sample.refusals import bad_request

if TYPE_CHECKING:
    from openai_costs.sample.query import Items, Values

DIMENSIONS: Final = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
# What each filter narrows.
FILTERS: Final = {
    "project_ids": "project_id",
    "api_key_ids": "api_key_id",
    "line_items": "line_item",
}
_SCALARS: Final = ("start_time", "end_time", "bucket_width", "limit", "page")
_DEFAULT_LIMIT: Final = 7
_LARGEST_LIMIT: Final = 180


def _window(values: Values, now: datetime) -> tuple[int, int]:
    start, end = window(values, now)
    # The vendor compares dates, not seconds: a window inside one day is refused.
    start_day, end_day = (datetime.fromtimestamp(second, UTC).date() for second in (start, end))
    if start_day >= end_day:
        message = f"'end_time' ({end_day}) must be on a later UTC date than the start."
        raise bad_request(message, "end_time")
    return start, end


def parse_costs_query(items: Items, now: datetime) -> BucketQuery:
    """The question in decoded query `items`, asked at `now`; raises a 400 if it is bad."""
    values = collected(items, lists=("group_by", *FILTERS), scalars=_SCALARS)
    if values.get("bucket_width", ["1d"]) != ["1d"]:
        raise bad_request("'bucket_width' must be '1d' for costs.", "bucket_width")
    start, end = _window(values, now)
    return BucketQuery(
        start_time=start,
        end_time=end,
        limit=limit(values, default=_DEFAULT_LIMIT, largest=_LARGEST_LIMIT, of="buckets"),
        group_by=group_by(values, DIMENSIONS),
        filters=filters(values, FILTERS),
        page=values["page"][0] if "page" in values else None,
        fingerprint=fingerprint(items, end),
    )
