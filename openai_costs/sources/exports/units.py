"""Quantities of exports in single units: `1K tokens` and `1000 Tokens` are thousands. Pure."""

import re
from collections.abc import Mapping
from decimal import MAX_PREC, Context, Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

_NUMBER: Final = r"[0-9][0-9,]*(?:[.][0-9]+)?"
_UNIT: Final = re.compile(
    rf"(?:per )?({_NUMBER})? ?([KMB]|Thousand|Million|Billion)? ?([A-Za-z][\w /-]*)",
    re.IGNORECASE,
)
_SIZES: Final[Mapping[str, int]] = MappingProxyType(
    {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9}
)
_COUNTED: Final = frozenset(
    {"token", "tokens", "request", "requests", "image", "images", "character", "characters"}
)
_WIDE: Final = Context(prec=MAX_PREC)


class Counted(NamedTuple):
    """How much of what; the amount is exact and text."""

    quantity: str | None
    unit: str | None


def counted(quantity: str | None, unit: str | None) -> Counted:
    """Return a quantity in single units where its unit is a number of things that are counted.

    Args:
        quantity: As it is written.
        unit: As it is written, such as `1K tokens`; any other unit stays as it is.
    """
    found = _UNIT.fullmatch(unit.strip()) if unit else None
    if not (quantity and unit and found) or found[3].lower() not in _COUNTED:
        return Counted(quantity, unit)
    thing = found[3].lower()
    plural = thing if thing.endswith("s") else f"{thing}s"
    number = Decimal(found[1].replace(",", "")) if found[1] else Decimal(1)
    each = number * _SIZES.get((found[2] or "").lower(), 1)
    return Counted(f"{_WIDE.multiply(Decimal(quantity), each):f}", plural)
