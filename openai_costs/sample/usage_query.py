"""Reading the question: the query parameters of a usage endpoint, checked.

Unlike costs, usage knows hours and minutes, and a window may begin anywhere inside a bucket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.sample.activity import DAY_SECONDS
from openai_costs.sample.buckets import Span
from openai_costs.sample.query import (
    BucketQuery,
    choice,
    collected,
    filters,
    fingerprint,
    group_by,
    limit,
    window,
)
from openai_costs.sample.refusals import bad_request

if TYPE_CHECKING:
    from datetime import datetime

    from openai_costs.sample.query import Items, Values
    from openai_costs.sample.usage_endpoints import UsageEndpoint

_SCALARS: Final = ("start_time", "end_time", "bucket_width", "limit", "page", "batch")
_MINUTE: Final = 60


class Width(NamedTuple):
    """How long a bucket is, and how many fit on a page."""

    seconds: int
    default_limit: int
    largest_limit: int


_WIDTHS: Final = {
    "1d": Width(DAY_SECONDS, 7, 31),
    "1h": Width(3_600, 24, 168),
    "1m": Width(_MINUTE, 60, 1_440),
}


@dataclass(frozen=True, slots=True)
class UsageQuery(BucketQuery):
    """One valid question about usage, cut into buckets of `width_seconds`."""

    width_seconds: int

    def spans(self, now: datetime) -> list[Span]:
        """Its buckets, oldest first, up to the running one; the first may be a part of one."""
        start, spans = self.start_time, []
        last = min(self.end_time, int(now.timestamp()) + 1)
        while start < last:
            end = start - start % self.width_seconds + self.width_seconds
            spans.append(Span(start, end))
            start = end
        return spans


def parse_usage_query(items: Items, endpoint: UsageEndpoint, now: datetime) -> UsageQuery:
    """The question in decoded query `items`, asked at `now`; raises a 400 if it is bad."""
    narrowing = endpoint.filters
    lists = ("group_by", *(name for name in narrowing if name != "batch"))
    scalars = _SCALARS if "batch" in narrowing else _SCALARS[:-1]
    values = collected(items, lists=lists, scalars=scalars)
    width = _width(values)
    start, end = window(values, now)
    if start >= end:
        raise bad_request("'end_time' must be later than 'start_time'.", "end_time")
    return UsageQuery(
        # The vendor cuts the start down to its minute.
        start_time=start - start % _MINUTE,
        end_time=end,
        limit=limit(values, default=width.default_limit, largest=width.largest_limit, of="buckets"),
        group_by=group_by(values, endpoint.dimensions),
        filters=filters(values, narrowing),
        page=values["page"][0] if "page" in values else None,
        fingerprint=fingerprint(items, end),
        width_seconds=width.seconds,
    )


def _width(values: Values) -> Width:
    asked = choice(values, "bucket_width", tuple(_WIDTHS), "1d")
    choice(values, "batch", ("true", "false"), None)
    return _WIDTHS[asked or "1d"]
