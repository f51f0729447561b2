"""Cells of a gateway's file as our values; an error names line, column and remedy. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.money import NotAnAmount, amount, exact_sum, number
from openai_costs.sources.gateway.files.layouts import (
    AT_LIST_PRICE,
    CACHE_HIT,
    CACHED,
    COST_BASIS,
    DOLLARS,
    INPUT,
    REQUEST_ID,
    REQUESTS,
    WRITTEN,
    Layout,
    parts,
)
from openai_costs.sources.text_rows import TextRow

FIRST_YEAR = 2020
MOST_DIGITS = 15
"""No gateway counts a quadrillion tokens a day; a longer number is something else."""
HITS = frozenset({"true", "yes", "1", "hit", "cache hit", "semantic hit", "semantic_hit"})
"""How exports say that the gateway answered from its own cache."""


class Cells(msgspec.Struct, frozen=True):
    """A row in our names and with our days: what is kept as evidence.

    Args:
        place: Where it stands.
        values: Ours by name; what the file leaves empty is not there.
    """

    place: str
    values: dict[str, str]


def is_wanted(row: TextRow, layout: Layout) -> bool:
    """Return whether a row passes the filter of the settings, and reached the provider at all."""
    if _text(row, layout.columns.get(CACHE_HIT, "")) in HITS:
        return False
    return all(
        not values or _text(row, name) in values for name, values in layout.wanted.items()
    ) and all(_text(row, name) not in values for name, values in layout.unwanted.items())


def _text(row: TextRow, column: str) -> str:
    return (row.cells.get(column) or "").casefold()


def cells(row: TextRow, layout: Layout) -> Cells:
    """Return a row in our names and units.

    Raises:
        FileRefused: A cell is empty that must not be, or cannot be converted.
    """
    one = Cells(row.place, dict(_values(row, layout)))
    values = one.values
    if "day" in values:
        values["day"] = _normal_instant(one, layout.time_unit)
    if layout.is_at_list_price:
        values.pop(DOLLARS, None)
        values[COST_BASIS] = AT_LIST_PRICE
    if layout.usd_parts > 1 and (usd := dollars(one)) is not None:
        values[DOLLARS] = f"{Decimal(usd) / layout.usd_parts:f}"
    if layout.is_input_beside_cache and INPUT in values:
        values[INPUT] = str(sum(whole(one, name) or 0 for name in (INPUT, CACHED, WRITTEN)))
    if layout.is_per_request or REQUEST_ID in values:
        values.setdefault(REQUESTS, "1")
    return one


def _values(row: TextRow, layout: Layout) -> Iterator[tuple[str, str]]:
    for name, theirs in layout.columns.items():
        value = None if name == CACHE_HIT else _cell(row, theirs)
        if value is not None:
            yield name, value
        elif name in layout.zero_when_absent:
            yield name, "0"
        elif name in layout.filled:
            raise FileRefused(row.place, f"has nothing in {theirs!r}, our {name}", _named(layout))


def _cell(row: TextRow, theirs: str) -> str | None:
    """Return a cell, or the sum of several; None where all of them are empty.

    Raises:
        FileRefused: One of several is not a number.
    """
    found = [text for name in parts(theirs) if (text := row.cells.get(name)) is not None]
    if len(found) < 2:  # noqa: PLR2004 - a sum has two parts
        return found[0] if found else None
    try:
        return f"{exact_sum(map(number, found)):f}"
    except NotAnAmount:
        why = f"{theirs} cannot be added up: {', '.join(map(_shown, found))}"
        raise FileRefused(row.place, why, "Write numbers.") from None


def _shown(text: str) -> str:
    """Return a cell for a message: a whole prompt may stand in one."""
    return repr(text[:60])


def _named(layout: Layout) -> str:
    return f"Name its column: [gateway] {layout.section} = {{ ... }}."


_ISO = "Write days as 2026-03-10 and instants as 2026-03-10T08:30:00Z."
_UNIX = re.compile(r"(?!\d{8}$)\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
"""A number that is not a date of eight digits."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_LARGEST_SECONDS = 10**11
"""Unix times of this century have 10 digits in seconds, 13 in ms, 16 in us and 19 in ns."""


def _normal_instant(one: Cells, unit: str) -> str:
    """Return a day or an instant as ISO text, whatever unit it came in.

    Raises:
        FileRefused: It is not of the unit that settings name.
    """
    text = one.values["day"].removesuffix(" UTC")
    if not _UNIX.fullmatch(text):
        return text
    if unit == "iso":
        why = f"day is {_shown(text)}, and spend_time_unit is iso"
        raise FileRefused(one.place, why, _ISO)
    try:
        units = Decimal(text)
        per_second = _PER_SECOND.get(unit) or _per_second(units)
        since = dt.timedelta(microseconds=int(units * 10**6 / per_second))
        at = dt.datetime.fromtimestamp(0, dt.UTC) + since
    except (ArithmeticError, ValueError):
        raise _not_a_day(one, "day", text) from None
    return at.isoformat()


def _per_second(units: Decimal) -> int:
    """Return how many of its units a second has, from the size of a Unix time."""
    return next((n for n in _PER_SECOND.values() if units < _LARGEST_SECONDS * n), 10**9)


def utc_day(one: Cells) -> dt.date:
    """Return the UTC day of a row; an instant without a zone is UTC.

    Raises:
        FileRefused: It is neither a date nor an ISO timestamp.
    """
    return instant(one, "day").date()


def instant(one: Cells, name: str) -> dt.datetime:
    """Return a cell as an instant in UTC, without a zone.

    Raises:
        FileRefused: It is neither a date nor an ISO timestamp nor Unix seconds.
    """
    text = one.values[name]
    try:
        utc = naive(_at(text))
    except (NotAnAmount, ValueError, OverflowError, OSError):
        raise _not_a_day(one, name, text) from None
    if utc.year < FIRST_YEAR:
        why = f"{name} is {_shown(text)}, which is before {FIRST_YEAR}"
        raise FileRefused(one.place, why, _ISO)
    return utc


def _at(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        amount(text)
        return dt.datetime.fromtimestamp(int(text.partition(".")[0]), dt.UTC)


def _not_a_day(one: Cells, name: str, text: str) -> FileRefused:
    return FileRefused(one.place, f"{name} is {_shown(text)}, which is not a day", _ISO)


def whole(one: Cells, name: str) -> int | None:
    """Return a cell as a count; None where it is empty.

    Raises:
        FileRefused: It is not a whole number of at least 0.
    """
    text = one.values.get(name)
    if text is None:
        return None
    digits, _, rest = text.partition(".")
    is_short = len(digits) <= MOST_DIGITS
    if is_short and digits.isascii() and digits.isdigit() and not rest.strip("0"):
        return int(digits)
    raise FileRefused(
        one.place, f"{name} is {_shown(text)}, which is not a count", "Write a whole number."
    )


def dollars(one: Cells) -> str | None:
    """Return the dollars of a row as they are written; None where the cell is empty.

    Raises:
        FileRefused: It is not a finite number.
    """
    text = one.values.get(DOLLARS)
    if text is None:
        return None
    try:
        amount(text)
    except NotAnAmount as bad:
        remedy = "Write dollars as a plain number with a point, without a sign for the currency."
        raise FileRefused(one.place, f"{DOLLARS} {bad.why}", remedy) from None
    return text


def by_day(rows: Iterable[Cells]) -> Mapping[dt.date, list[Cells]]:
    """Return rows by their UTC day."""
    found: dict[dt.date, list[Cells]] = {}
    for row in rows:
        found.setdefault(utc_day(row), []).append(row)
    return found


def once(rows: Sequence[Cells], layout: Layout) -> list[Cells]:
    """Return rows without the requests that come again, in one file or in several.

    Of rows with one request id the last counts where an id stands for one row; else rows that are
    equal in every column count once. Rows without an id all count.
    """
    found: dict[object, Cells] = {}
    for place, row in enumerate(rows):
        request = row.values.get(REQUEST_ID)
        key: object = request if layout.is_id_unique else (request, *sorted(row.values.items()))
        found[place if request is None else (REQUEST_ID, key)] = row
    return list(found.values())
