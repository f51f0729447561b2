"""A kept page of JSON against what we know of it: typed, its new fields named, its amounts exact.

Pure: bytes in, typed values out. A number on the wire becomes a Decimal with every digit it has.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import NotAnAmount, exact_amounts
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.archive import KeptRead

T = TypeVar("T")

MOST: Final = 10**15
"""No line of a day has a quadrillion tokens; a count that says so is a mistake, and has no room."""

Count = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST)]
"""A count on the wire. Whether one below 0 means something is for its reader to say."""

Natural = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
"""A count on the wire that cannot be below 0."""

_PLAIN: Final = msgspec.json.Decoder(float_hook=str)
"""Reads any number there is, also one in a field that is new to us and has no room as a float."""


def typed(read: KeptRead, part: str, kind: type[T]) -> T:
    """Return a part of a kept read.

    Raises:
        PageRefused: It is not JSON, or a field we rely on is gone or has another type.
    """
    try:
        return msgspec.json.decode(read.bodies[part], type=kind)
    except UNREADABLE as gone:
        raise PageRefused(read.page_of(part), _where(str(gone)), _why(gone)) from None


def plain(body: bytes, *path: str) -> list[dict[str, Any]]:
    """Return the entries of a page without any type, to look for what is new in them.

    Args:
        body: The page, which was understood before.
        path: The names of the fields that lead to the list.
    """
    found = _PLAIN.decode(body)
    for name in path:
        found = found[name]
    return [one for one in found if isinstance(one, dict)]


def new_fields(entries: Iterable[Mapping[str, Any]], known: type[msgspec.Struct]) -> Iterator[str]:
    """Yield a remark about fields of entries that are new to us.

    Args:
        entries: The entries, without any type.
        known: What an entry is.
    """
    names = {one.encode_name for one in msgspec.structs.fields(known)}
    if new := sorted({name for entry in entries for name in entry.keys() - names}):
        yield f"unknown fields, kept in raw: {', '.join(new)}"


def dollars(read: KeptRead, part: str, field: str, amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return amounts of a page with 18 decimals, as `exact_amounts` rounds them.

    Args:
        read: Whose page.
        part: The page.
        field: Where the amounts stand, with `{}` for the position.
        amounts: The numbers on the wire.

    Raises:
        PageRefused: One is not an amount.
    """
    try:
        return exact_amounts(list(map(str, amounts)))
    except NotAnAmount as bad:
        raise PageRefused(read.page_of(part), field.format(bad.row), bad.why) from None


def _why(gone: Exception) -> str:
    return f"has an unexpected form: {gone}"


def _where(message: str) -> str:
    """Return the path of the field that a message of the parser is about."""
    path = message.rpartition("`$")[2].strip("`").removeprefix(".") if "`$" in message else ""
    missing = message.partition("missing required field `")[2].partition("`")[0]
    return ".".join(part for part in (path, missing) if part) or "the body"
