"""Reading the question: the query parameters of `GET /v1/organization/costs`, checked.

Three spellings of a list are accepted because shipping tools use all three: `group_by[]=a`
repeated, `group_by=a` repeated, and `group_by=a,b`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final
from zlib import crc32

from openai_costs.sample.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable

DIMENSIONS: Final = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
# What each filter narrows.
FILTERS: Final = {
    "project_ids": "project_id",
    "api_key_ids": "api_key_id",
    "line_items": "line_item",
}
_LISTS: Final = ("group_by", *FILTERS)
_SCALARS: Final = ("start_time", "end_time", "bucket_width", "limit", "page")
_DEFAULT_LIMIT: Final = 7
_LARGEST_LIMIT: Final = 180
# A comma followed by a space is part of a line item such as "gpt-5.6-sol, input".
_LIST_COMMA: Final = re.compile(r",(?! )")
_INTEGER: Final = re.compile(r"-?\d{1,12}")


@dataclass(frozen=True, slots=True)
class CostsQuery:
    """One valid question. Times are unix seconds; empty sets mean no grouping and no filter."""

    start_time: int
    end_time: int
    limit: int
    group_by: frozenset[str]
    filters: dict[str, frozenset[str]]
    page: str | None
    fingerprint: int

    @property
    def first_day(self) -> date:
        """The UTC day the window starts in."""
        return datetime.fromtimestamp(self.start_time, UTC).date()


def _collected(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for raw_name, value in items:
        name = raw_name.removesuffix("[]")
        if name not in _LISTS and raw_name not in _SCALARS:
            raise bad_request(f"Unknown parameter: '{raw_name}'.", raw_name, "unknown_parameter")
        parts = _LIST_COMMA.split(value) if name in _LISTS else [value]
        values.setdefault(name, []).extend(parts)
    for name in _SCALARS:
        if len(values.get(name, ())) > 1:
            raise bad_request(f"'{name}' was given more than once.", name)
    return values


def _integer(values: dict[str, list[str]], name: str, default: int | None) -> int:
    if name not in values:
        if default is None:
            raise bad_request(f"Missing required parameter: '{name}'.", name)
        return default
    text = values[name][0]
    if not _INTEGER.fullmatch(text):
        raise bad_request(f"'{name}' must be an integer, not '{text}'.", name)
    return int(text)


def _limit(values: dict[str, list[str]]) -> int:
    limit = _integer(values, "limit", _DEFAULT_LIMIT)
    if not 1 <= limit <= _LARGEST_LIMIT:
        raise bad_request(f"'limit' must be 1 to {_LARGEST_LIMIT} buckets, not {limit}.", "limit")
    return limit


def _group_by(values: dict[str, list[str]]) -> frozenset[str]:
    group_by = frozenset(values.get("group_by", ()))
    unknown = sorted(group_by.difference(DIMENSIONS))
    if unknown:
        allowed = ", ".join(DIMENSIONS)
        raise bad_request(f"Cannot group by '{unknown[0]}'; allowed: {allowed}.", "group_by")
    return group_by


def _window(values: dict[str, list[str]], now: datetime) -> tuple[int, int]:
    start = _integer(values, "start_time", None)
    end = _integer(values, "end_time", int(now.timestamp()))
    try:
        start_day = datetime.fromtimestamp(start, UTC).date()
        end_day = datetime.fromtimestamp(end, UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise bad_request("The window is not in unix seconds.", "start_time") from error
    # The vendor compares dates, not seconds: a window inside one day is refused.
    if start_day >= end_day:
        message = f"'end_time' ({end_day}) must be on a later UTC date than the start."
        raise bad_request(message, "end_time")
    return start, end


def _fingerprint(items: Iterable[tuple[str, str]], end_time: int) -> int:
    """32 bits over everything but the cursor, with the end the server used when none was sent."""
    words = sorted(f"{name}={value}" for name, value in items if name != "page")
    return crc32("&".join((*words, str(end_time))).encode())


def parse_costs_query(items: list[tuple[str, str]], now: datetime) -> CostsQuery:
    """The question in decoded query `items`, asked at `now`; raises a 400 if it is bad."""
    values = _collected(items)
    if values.get("bucket_width", ["1d"]) != ["1d"]:
        raise bad_request("'bucket_width' must be '1d' for costs.", "bucket_width")
    start, end = _window(values, now)
    filters = {
        dimension: frozenset(values[name]) for name, dimension in FILTERS.items() if name in values
    }
    return CostsQuery(
        start_time=start,
        end_time=end,
        limit=_limit(values),
        group_by=_group_by(values),
        filters=filters,
        page=values["page"][0] if "page" in values else None,
        fingerprint=_fingerprint(items, end),
    )
