"""The envelope of costs and usage: a page of buckets, and the pages of one question.

A bucket is a stretch of time with its results; a page holds as many as the question's limit.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from openai_costs.sample.api.query import bucket_start, cursor
from openai_costs.sample.api.refusals import invalid_page_token
from openai_costs.sample.company.activity import DAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_costs.sample.api.query import BucketQuery

Json = dict[str, Any]
ONE_DAY: Final = timedelta(days=1)


class Span(NamedTuple):
    """A stretch of time inside one UTC day, in unix seconds; the end is not in it."""

    start: int
    end: int

    @property
    def day(self) -> date:
        """The UTC day it lies in."""
        return datetime.fromtimestamp(self.start, UTC).date()


def unix(day: date) -> int:
    """Midnight of a UTC day in unix seconds."""
    return int(datetime.combine(day, time.min, UTC).timestamp())


def cursor_to(query: BucketQuery, start: int) -> str:
    """The token for the page of this question that begins with the bucket at `start`."""
    return cursor(query.end_time, query.fingerprint, start)


def page_of(
    query: BucketQuery, spans: Sequence[Span], results: Callable[[Span], list[Json]]
) -> Json:
    """One page of at most `query.limit` buckets of the window's spans."""
    spans = _from_cursor(query, spans)
    shown, following = spans[: query.limit], spans[query.limit :]
    return {
        "object": "page",
        "data": [_bucket(span, results(span)) for span in shown],
        "has_more": bool(following),
        "next_page": cursor_to(query, following[0].start) if following else None,
    }


def _from_cursor(query: BucketQuery, spans: Sequence[Span]) -> Sequence[Span]:
    if query.page is None:
        return spans
    start = bucket_start(query.page, query.fingerprint)
    if start > query.end_time + DAY_SECONDS:
        raise invalid_page_token()
    return [span for span in spans if span.start >= start]


def _bucket(span: Span, results: list[Json]) -> Json:
    start, end = (datetime.fromtimestamp(second, UTC) for second in span)
    return {
        "object": "bucket",
        "start_time": span.start,
        "end_time": span.end,
        "start_time_iso": start.isoformat(),
        "end_time_iso": end.isoformat(),
        "results": results,
    }
