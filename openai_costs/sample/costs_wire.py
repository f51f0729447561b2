"""Answering the question: ledger lines to the vendor's page of daily buckets.

The page is plain dicts with `Decimal` amounts in it; `front_desk.py` writes them digit for digit.
Adding over dimensions that were not asked for is exact.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from openai_costs.sample.activity import DAY_SECONDS
from openai_costs.sample.amounts import decimal128_text, plain_number
from openai_costs.sample.buckets import ONE_DAY, Span, page_of, unix
from openai_costs.sample.costs_query import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from decimal import Decimal

    from openai_costs.sample.buckets import Json
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.organisation import LedgerLine, Organisation
    from openai_costs.sample.query import BucketQuery


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
    cast, blank = organisation.cast, dict.fromkeys(DIMENSIONS)
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
                "organization_id": cast.organization_id,
                "project_name": cast.project_names.get(dimensions["project_id"] or ""),
                "user_email": cast.user_emails.get(dimensions["user_id"] or ""),
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
