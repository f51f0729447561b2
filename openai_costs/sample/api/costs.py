"""Answering the question: ledger lines to the vendor's page of daily buckets.

The page is plain dicts with `Decimal` amounts in it; `requests.py` writes them digit for digit.
Adding over dimensions that were not asked for is exact.
"""

from __future__ import annotations

from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from openai_costs.sample.api.buckets import ONE_DAY, Span, page_of, unix
from openai_costs.sample.api.query import (
    BucketQuery,
    collected,
    decimal128_text,
    filters,
    fingerprint,
    group_by,
    limit,
    plain_number,
    window,
)
from openai_costs.sample.api.refusals import bad_request
from openai_costs.sample.company.activity import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.api.options import WireOptions
    from openai_costs.sample.api.query import Items, Values
    from openai_costs.sample.company.organisation import LedgerLine, Organisation


# Reading the question: the query parameters of `GET /v1/organization/costs`, checked.

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


def costs_spans(query: BucketQuery, now: datetime) -> list[Span]:
    """Every UTC day the window touches, oldest first, up to today."""
    day, spans = query.first_day, []
    while unix(day) < query.end_time and day <= now.date():
        spans.append(Span(unix(day), unix(day) + DAY_SECONDS))
        day += ONE_DAY
    return spans


def _matching(lines: Iterable[LedgerLine], query: BucketQuery) -> Iterator[LedgerLine]:
    wanted = [(attrgetter(dimension), ids) for dimension, ids in query.filters.items()]
    for line in lines:
        if all(dimension(line) in ids for dimension, ids in wanted):
            yield line


def _added_up(
    lines: Iterable[LedgerLine], asked: tuple[str, ...]
) -> dict[object, tuple[LedgerLine, Decimal, int | None]]:
    """By grouped key: any one line of the group, its exact dollars and its units."""
    group_of = attrgetter(*asked) if asked else lambda _line: None
    groups: dict[object, tuple[LedgerLine, Decimal, int | None]] = {}
    for line in lines:
        key = group_of(line)
        if key in groups:
            first, usd, units = groups[key]
            more = line.quantity
            units = more if units is None else units + (more or 0)
            groups[key] = (first, usd + line.amount, units)
        else:
            groups[key] = (line, line.amount, line.quantity)
    return groups


def _results(
    lines: Iterable[LedgerLine], query: BucketQuery, organisation: Organisation, *, as_text: bool
) -> list[Json]:
    asked = tuple(name for name in DIMENSIONS if name in query.group_by)
    fixtures, blank = organisation.fixtures, dict.fromkeys(DIMENSIONS)
    by_line_item, results = "line_item" in asked, []
    for line, usd, units in _added_up(_matching(lines, query), asked).values():
        dimensions = blank | {name: getattr(line, name) for name in asked}
        results.append(
            {
                "object": "organization.costs.result",
                "amount": {
                    "value": decimal128_text(usd) if as_text else plain_number(usd),
                    "currency": "usd",
                },
                **dimensions,
                "quantity": units if by_line_item else None,
                "quantity_unit": line.quantity_unit if by_line_item else None,
                "organization_id": fixtures.organization_id,
                "project_name": fixtures.project_names.get(dimensions["project_id"] or ""),
                "user_email": fixtures.user_emails.get(dimensions["user_id"] or ""),
            }
        )
    return results


def costs_page(
    query: BucketQuery, organisation: Organisation, now: datetime, options: WireOptions
) -> Json:
    """One page of at most `query.limit` buckets, as the ledger stood at `now` (UTC)."""

    def results(span: Span) -> list[Json]:
        as_text = span.day < options.text_amounts_before
        lines = organisation.ledger(span.day, now)
        return _results(lines, query, organisation, as_text=as_text)

    return page_of(query, costs_spans(query, now), results)
