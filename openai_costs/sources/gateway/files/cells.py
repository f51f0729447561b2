"""Cells of somebody's file as our values; complaints name line, column and remedy. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.money import NotAnAmount, exact
from openai_costs.sources.gateway.files.layouts import Layout
from openai_costs.sources.text_rows import TextRow

FIRST_YEAR = 2020
MOST_DIGITS = 15
"""Nobody counts a quadrillion tokens a day; a longer number is something else."""


class Cells(msgspec.Struct, frozen=True):
    """A row in our names and with our days: what is kept as evidence.

    Args:
        place: Where it stands.
        values: Ours by name; what the file leaves empty is not there.
    """

    place: str
    values: dict[str, str]


def cells(rows: Iterable[TextRow], layout: Layout) -> Iterator[Cells]:
    """Yield rows in our names, without the gateway's own answers.

    Raises:
        FileRefused: A column that is needed is not there, or empty.
    """
    for row in rows:
        own = row.cells.get(layout.own_answer or "")
        if own is None or own.casefold() != "true":
            yield Cells(row.place, dict(_values(row, layout)))


def _values(row: TextRow, layout: Layout) -> Iterator[tuple[str, str]]:
    for name, theirs in layout.columns.items():
        value = row.cells.get(theirs)
        if value is not None:
            yield name, value
        elif name in layout.zero_when_absent:
            yield name, "0"
        elif name in layout.needed and (name != "metered_usd" or theirs not in row.cells):
            remedy = f"Name its column: [gateway] {layout.section} = {{ {name} = ... }}."
            raise FileRefused(row.place, f"has nothing in {theirs!r}, our {name}", remedy)


def utc_day(one: Cells) -> dt.date:
    """Return the UTC day of a row: of a date, an ISO timestamp or Unix seconds.

    A timestamp without a zone is UTC.

    Raises:
        FileRefused: It is none of these.
    """
    return instant(one, "day").date()


def instant(one: Cells, name: str) -> dt.datetime:
    """Return a cell as an instant in UTC, without a zone.

    Raises:
        FileRefused: It is no date, no ISO timestamp and no Unix seconds.
    """
    text = one.values[name]
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        at = _unix(one, name, text)
    utc = naive(at)
    if utc.year < FIRST_YEAR:
        raise FileRefused(one.place, f"{name} is {text!r}, which is before {FIRST_YEAR}", _ISO)
    return utc


_ISO = "Write days as 2026-03-10 and instants as 2026-03-10T08:30:00Z."


def _unix(one: Cells, name: str, text: str) -> dt.datetime:
    try:
        exact([text])
        return dt.datetime.fromtimestamp(int(text.partition(".")[0]), dt.UTC)
    except (NotAnAmount, ValueError, OverflowError, OSError):
        raise FileRefused(one.place, f"{name} is {text!r}, which is no day", _ISO) from None


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
    raise FileRefused(one.place, f"{name} is {text!r}, which is no count", "Write a whole number.")


def dollars(one: Cells) -> str | None:
    """Return the dollars of a row as they are written; None where the cell is empty.

    Raises:
        FileRefused: It is not a finite number.
    """
    text = one.values.get("metered_usd")
    if text is None:
        return None
    try:
        exact([text])
    except NotAnAmount as bad:
        remedy = "Write dollars as a plain number with a point, without a sign for the currency."
        raise FileRefused(one.place, f"metered_usd {bad.why}", remedy) from None
    return text


def by_day(rows: Iterable[Cells]) -> Mapping[dt.date, list[Cells]]:
    """Return rows by their UTC day."""
    found: dict[dt.date, list[Cells]] = {}
    for row in rows:
        found.setdefault(utc_day(row), []).append(row)
    return found
