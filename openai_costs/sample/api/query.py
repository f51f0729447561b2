"""Reading parameters: what the questions of every endpoint have in common, and how they go wrong.

Three spellings of a list are accepted because shipping tools use all three: `group_by[]=a`
repeated, `group_by=a` repeated, and `group_by=a,b`.
"""

from __future__ import annotations

import binascii
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Final
from zlib import crc32

from openai_costs.sample.api.refusals import bad_request, invalid_page_token

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


# Dollars as the vendor writes them: a JSON number, or for a while decimal128 text.

_DIGITS: Final = 34

# What a zero looked like while amounts were text.
_ZERO_TEXT: Final = "0E-6176"

_DECIMAL128: Final = Context(prec=_DIGITS)


def decimal128_text(usd: Decimal) -> str:
    """All 34 digits, never an exponent, except for zero, which is nothing but exponent."""
    if not usd:
        return _ZERO_TEXT
    last_digit = Decimal(1).scaleb(usd.adjusted() - _DIGITS + 1)
    return format(usd.quantize(last_digit, context=_DECIMAL128), "f")


def plain_number(usd: Decimal) -> Decimal:
    """Every digit of the amount; a zero carries no trace of the price it was multiplied by."""
    return usd or Decimal(0)


# The page cursor: opaque to a reader, and good for exactly one question. Published cursors decode
# to an instant, a 32-bit fingerprint and the start of the next bucket; this one has the same
# shape. Whoever changes a parameter between pages is refused.

_PREFIX: Final = "page_"

_SHAPE: Final = struct.Struct(">qIq")


def cursor(end_time: int, fingerprint: int, next_bucket_start: int) -> str:
    """A token for the page that starts at `next_bucket_start` (unix seconds)."""
    packed = _SHAPE.pack(end_time, fingerprint, next_bucket_start)
    return _PREFIX + urlsafe_b64encode(packed).decode()


def bucket_start(token: str, fingerprint: int) -> int:
    """Where the token points; raises the documented 400 unless the question is the same."""
    try:
        packed = urlsafe_b64decode(token.removeprefix(_PREFIX))
        _, expected, next_bucket_start = _SHAPE.unpack(packed)
    except (binascii.Error, struct.error, ValueError) as error:
        raise invalid_page_token() from error
    if expected != fingerprint or not token.startswith(_PREFIX):
        raise invalid_page_token()
    return int(next_bucket_start)
