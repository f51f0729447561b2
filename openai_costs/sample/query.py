"""Reading parameters: what the questions of every endpoint have in common, and how they go wrong.

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
    from collections.abc import Collection, Iterable, Mapping

Items = list[tuple[str, str]]
Values = dict[str, list[str]]

# A comma followed by a space is part of a line item such as "gpt-5.6-sol, input".
_LIST_COMMA: Final = re.compile(r",(?! )")
_INTEGER: Final = re.compile(r"-?\d{1,12}")


@dataclass(frozen=True, slots=True)
class BucketQuery:
    """One valid question about time. Times are unix seconds; empty sets mean none were given."""

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


def collected(
    items: Iterable[tuple[str, str]], *, lists: Collection[str], scalars: Collection[str]
) -> Values:
    """Every parameter's values by its name without brackets; raises a 400 for an unknown one."""
    values: Values = {}
    for raw_name, value in items:
        name = raw_name.removesuffix("[]")
        if name not in lists and raw_name not in scalars:
            raise bad_request(f"Unknown parameter: '{raw_name}'.", raw_name, "unknown_parameter")
        parts = _LIST_COMMA.split(value) if name in lists else [value]
        values.setdefault(name, []).extend(parts)
    for name in scalars:
        if len(values.get(name, ())) > 1:
            raise bad_request(f"'{name}' was given more than once.", name)
    return values


def integer(values: Values, name: str, default: int | None) -> int:
    """An integer parameter; without a default it must be there."""
    if name not in values:
        if default is None:
            raise bad_request(f"Missing required parameter: '{name}'.", name)
        return default
    text = values[name][0]
    if not _INTEGER.fullmatch(text):
        raise bad_request(f"'{name}' must be an integer, not '{text}'.", name)
    return int(text)


def limit(values: Values, *, default: int, largest: int, of: str) -> int:
    """How many of something a page may hold."""
    asked = integer(values, "limit", default)
    if not 1 <= asked <= largest:
        raise bad_request(f"'limit' must be 1 to {largest} {of}, not {asked}.", "limit")
    return asked


def choice(values: Values, name: str, allowed: Collection[str], default: str | None) -> str | None:
    """One of a few words, or the default when it was not given."""
    asked = values.get(name, [default])[0]
    if asked != default and asked not in allowed:
        words = ", ".join(f"'{word}'" for word in allowed)
        raise bad_request(f"'{name}' must be one of {words}, not '{asked}'.", name)
    return asked


def window(values: Values, now: datetime) -> tuple[int, int]:
    """Start and end in unix seconds; the end is now when it was not given."""
    start = integer(values, "start_time", None)
    end = integer(values, "end_time", int(now.timestamp()))
    try:
        for second in (start, end):
            datetime.fromtimestamp(second, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise bad_request("The window is not in unix seconds.", "start_time") from error
    return start, end


def filters(values: Values, dimensions: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """The values wanted of each dimension, from the parameters that narrow it."""
    return {
        dimension: frozenset(values[name])
        for name, dimension in dimensions.items()
        if name in values
    }


def group_by(values: Values, dimensions: Collection[str]) -> frozenset[str]:
    """The dimensions asked for; raises the vendor's 400 for one this endpoint does not have."""
    asked = frozenset(values.get("group_by", ()))
    unknown = sorted(asked.difference(dimensions))
    if unknown:
        allowed = ", ".join(dimensions)
        raise bad_request(f"Cannot group by '{unknown[0]}'; allowed: {allowed}.", "group_by")
    return asked


def fingerprint(items: Iterable[tuple[str, str]], end_time: int) -> int:
    """32 bits over everything but the cursor, with the end the server used when none was sent."""
    words = sorted(f"{name}={value}" for name, value in items if name != "page")
    return crc32("&".join((*words, str(end_time))).encode())
