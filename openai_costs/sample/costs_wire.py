"""Answering the question: ledger lines to the vendor's page of daily buckets.

The page is plain dicts with `Decimal` amounts in it; `api.py` writes them digit for digit. Adding
over dimensions that were not asked for is exact.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from openai_costs.sample.amounts import decimal128_text, plain_number
from openai_costs.sample.costs_query import DIMENSIONS
from openai_costs.sample.cursor import bucket_start, cursor
from openai_costs.sample.refusals import invalid_page_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from openai_costs.sample.costs_query import CostsQuery
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.organisation import LedgerLine, Organisation

Json = dict[str, Any]
_ONE_DAY: Final = timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _unix(day: date) -> int:
    return int(_midnight(day).timestamp())


def bucket_days(query: CostsQuery, now: datetime) -> list[date]:
    """Every UTC day the window touches, oldest first, up to today."""
    start, days = query.first_day, []
    while _unix(start) < query.end_time and start <= now.date():
        days.append(start)
        start += _ONE_DAY
    return days


def _page_days(query: CostsQuery, days: list[date]) -> list[date]:
    """The window's days from the cursor on."""
    if query.page is None:
        return days
    start = bucket_start(query.page, query.fingerprint)
    if start > query.end_time + _ONE_DAY.total_seconds():
        raise invalid_page_token()
    return [day for day in days if _unix(day) >= start]


def _matching(lines: Iterable[LedgerLine], query: CostsQuery) -> Iterator[LedgerLine]:
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
    lines: Iterable[LedgerLine], query: CostsQuery, organisation: Organisation, *, as_text: bool
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


def _bucket(day: date, results: list[Json]) -> Json:
    start, end = _midnight(day), _midnight(day + _ONE_DAY)
    return {
        "object": "bucket",
        "start_time": int(start.timestamp()),
        "end_time": int(end.timestamp()),
        "start_time_iso": start.isoformat(),
        "end_time_iso": end.isoformat(),
        "results": results,
    }


def costs_page(
    query: CostsQuery, organisation: Organisation, now: datetime, options: WireOptions
) -> Json:
    """One page of at most `query.limit` buckets, as the ledger stood at `now` (UTC)."""
    days = _page_days(query, bucket_days(query, now))
    shown, following = days[: query.limit], days[query.limit :]
    buckets = []
    for day in shown:
        as_text = day < options.text_amounts_before
        lines = organisation.ledger(day, now)
        buckets.append(_bucket(day, _results(lines, query, organisation, as_text=as_text)))
    return {
        "object": "page",
        "data": buckets,
        "has_more": bool(following),
        "next_page": cursor_to(query, following[0]) if following else None,
    }


def cursor_to(query: CostsQuery, day: date) -> str:
    """The token for the page of this question that begins with `day`."""
    return cursor(query.end_time, query.fingerprint, _unix(day))
