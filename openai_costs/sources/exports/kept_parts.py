"""Reads the parts that are kept of a day again, and refuses what has changed since. Pure.

Not here: what they are (evidence.py).
"""

from typing import Any, Final, TypeVar

import msgspec
import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.exports.evidence import LeftOut, Sum, is_number
from openai_costs.sources.exports.sheets import ROW

MOST_ROWS: Final = 2**32 - 1
"""The largest number that a row can have."""

T = TypeVar("T")


def totals(body: bytes, page: str) -> list[Sum]:
    """Return what the files of a day added up to when they were read.

    Raises:
        PageRefused: The part has changed.
    """
    found = _decoded(body, page, list[Sum])
    for one in found:
        in_usd = "0" if one.billed_in_usd is None else one.billed_in_usd
        if not is_number(one.billed) or not is_number(in_usd):
            raise PageRefused(page, "billed", "is not an amount")
    return found


def charges_left_out(body: bytes, page: str) -> list[LeftOut]:
    """Return the AI charges of a day that the settings do not take.

    Raises:
        PageRefused: The part has changed.
    """
    found = _decoded(body, page, list[LeftOut])
    if not all(is_number(one.billed) for one in found):
        raise PageRefused(page, "billed", "is not an amount")
    return found


def _decoded(body: bytes, page: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as changed:
        raise PageRefused(page, "the part", f"cannot be read: {changed}") from None


def rows_of(body: bytes, page: str) -> pl.DataFrame:
    """Return the rows that a part holds, as text.

    Raises:
        PageRefused: The part has changed.
    """
    found = _decoded(body, page, list[dict[str, Any]])
    for one in found:
        number = one.get(ROW)
        if not (isinstance(number, int) and 0 <= number <= MOST_ROWS) or not all(
            value is None or isinstance(value, str) for head, value in one.items() if head != ROW
        ):
            raise PageRefused(page, "a row", "holds something else than text and its number")
    heads = list(dict.fromkeys(head for one in found for head in one))
    schema: dict[str, pl.DataType] = {head: pl.String() for head in heads} | {ROW: pl.UInt32()}
    return pl.DataFrame(found, schema=schema, orient="row")
