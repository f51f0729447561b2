"""Answering the question: the units of the bill, as the usage endpoints count them.

Numbers of a stretch of a day are differences of what was bought by its end and by its start, so
that minutes add up to hours, hours to days, and complete days to the bill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openai_costs.sample.api.buckets import Span, page_of, unix
from openai_costs.sample.api.query import (
    BucketQuery,
    choice,
    collected,
    filters,
    fingerprint,
    group_by,
    limit,
    window,
)
from openai_costs.sample.api.refusals import bad_request
from openai_costs.sample.api.usage_endpoints import DIMENSIONS, with_totals
from openai_costs.sample.company.activity import DAY_SECONDS, by_then
from openai_costs.sample.company.meters import METERS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.api.options import WireOptions
    from openai_costs.sample.api.query import Items, Values
    from openai_costs.sample.api.usage_endpoints import UsageEndpoint
    from openai_costs.sample.company.fixtures import Fixtures
    from openai_costs.sample.company.meters import Meter
    from openai_costs.sample.company.organisation import Organisation
    from openai_costs.sample.company.workloads import Place


Dimensions = dict[str, Any]

Counts = dict[str, int]

# How a filter writes a value that is not text.
_SPELLED: Final = {True: "true", False: "false"}


def usage_page(
    query: UsageQuery,
    endpoint: UsageEndpoint,
    organisation: Organisation,
    now: datetime,
    options: WireOptions,
) -> Json:
    """One page of at most `query.limit` buckets, as the organization stood at `now` (UTC)."""

    def results(span: Span) -> list[Json]:
        is_plain = span.day < options.plain_usage_before
        counted = _counted(endpoint, organisation, span, now)
        shown = ((_as_of_old(where) if is_plain else where, counts) for where, counts in counted)
        return _results(shown, endpoint, query, is_plain=is_plain)

    return page_of(query, query.spans(now), results)


def _counted(
    endpoint: UsageEndpoint, organisation: Organisation, span: Span, now: datetime
) -> Iterator[tuple[Dimensions, Counts]]:
    """What one endpoint counted in a stretch of time, at the finest dimensions."""
    meters = METERS_OF.get(endpoint.name, {})
    midnight = unix(span.day)
    first, last = span.start - midnight, min(span.end, int(now.timestamp())) - midnight
    for place, line_item, units in organisation.units(span.day, now):
        meter = meters.get(line_item)
        if meter is not None and first < last and units > 0:  # a refund takes back no use
            counts = _level(meter, units) if meter.is_level else _flow(meter, units, first, last)
            if any(counts.values()):
                yield _dimensions(organisation.fixtures, place, meter), counts


def _flow(meter: Meter, units: int, first: int, last: int) -> Counts:
    before, after = by_then(units, first), by_then(units, last)
    return {count.measure: count.of(after) - count.of(before) for count in meter.counts}


def _level(meter: Meter, units: int) -> Counts:
    return {count.measure: count.of(by_then(units, DAY_SECONDS)) for count in meter.counts}


def _dimensions(fixtures: Fixtures, place: Place, meter: Meter) -> Dimensions:
    key = fixtures.key_by_id.get(place.api_key_id or "")
    return {
        "project_id": place.project_id or None,
        "user_id": key and key.metered_user_id,
        "api_key_id": place.api_key_id or None,
        "api_source": place.api_source,
        "model": meter.model,
        "batch": meter.batch,
        "service_tier": meter.service_tier,
        "size": meter.size,
        "source": meter.source,
        "vector_store_id": meter.vector_store_id,
        "context_level": meter.context_level,
    }


def _as_of_old(where: Dimensions) -> Dimensions:
    """The same dimensions in an old row: no project is an empty text, and there was no tier."""
    return where | {"project_id": where["project_id"] or "", "service_tier": None}


def _is_wanted(where: Dimensions, query: UsageQuery) -> bool:
    return all(
        _SPELLED.get(where[dimension], where[dimension]) in wanted
        for dimension, wanted in query.filters.items()
    )


def _results(
    counted: Iterator[tuple[Dimensions, Counts]],
    endpoint: UsageEndpoint,
    query: UsageQuery,
    *,
    is_plain: bool,
) -> list[Json]:
    asked = tuple(name for name in DIMENSIONS if name in query.group_by)
    groups: dict[tuple[Any, ...], Counts] = {}
    for where, counts in counted:
        if _is_wanted(where, query):
            group = groups.setdefault(tuple(where[name] for name in asked), {})
            for measure, number in counts.items():
                group[measure] = group.get(measure, 0) + number
    blank = dict.fromkeys(endpoint.dimensions)
    return [
        {
            "object": endpoint.result_object,
            **_measured(endpoint, counts, is_plain=is_plain),
            **blank,
            **dict(zip(asked, key, strict=True)),
        }
        for key, counts in groups.items()
    ]


def _measured(endpoint: UsageEndpoint, counts: Counts, *, is_plain: bool) -> Counts:
    if endpoint.has_token_kinds:
        return with_totals(counts, is_plain=is_plain)
    return {measure: counts.get(measure, 0) for measure in endpoint.measures}


# Reading the question: the query parameters of a usage endpoint, checked. Unlike costs, usage
# knows hours and minutes, and a window may begin anywhere inside a bucket.

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
