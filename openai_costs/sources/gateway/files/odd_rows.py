"""Rows of a gateway's file that cannot be used: set aside with their reason and dollars. Pure.

The rest of the file is taken. A day from which a row was set aside is marked as partial, so that no
key is judged by what is missing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.formatting import counted, exact_dollars, listed
from openai_costs.sources.gateway.files.cells import Cells, cells, dollars, is_wanted, utc_day
from openai_costs.sources.gateway.files.layouts import DOLLARS, Layout, parts
from openai_costs.sources.text_rows import TextRow

MOST_NAMED = 3
"""As many rows as a message names; the manifest of the read has them all."""
MOST_NAMES = 20
"""As many names of columns as a message lists."""


@dataclass(frozen=True)
class OddRow:
    """A row that was set aside.

    Args:
        place: Where it stands.
        why: What is wrong with it.
        remedy: What to do about it.
        usd: Its dollars; None where they cannot be read.
        day: Its UTC day; None where it cannot be read.
    """

    place: str
    why: str
    remedy: str
    usd: Decimal | None = None
    day: dt.date | None = None

    @property
    def reason(self) -> str:
        """What a person reads about it, without its place."""
        usd = "dollars not known" if self.usd is None else exact_dollars(self.usd)
        return f"{self.why} ({usd})"


@dataclass
class FileRows:
    """What is in one file.

    Args:
        rows: The rows that can be used.
        odd: The rows that were set aside.
    """

    rows: list[Cells] = field(default_factory=list)
    odd: list[OddRow] = field(default_factory=list)

    def set_aside(self, refused: FileRefused) -> None:
        """Take a row that cannot even be read."""
        self.odd.append(OddRow(refused.place, refused.why, refused.remedy))

    @property
    def days(self) -> set[dt.date]:
        """The UTC days of the rows that can be used."""
        return {utc_day(row) for row in self.rows if "day" in row.values}


def odd_days(files: Sequence[FileRows]) -> dict[dt.date, dict[str, str]]:
    """Return the place and the reason of each odd row, by the days that it may belong to.

    A row whose day cannot be read may belong to each day of its file, and where that has none, to
    each day of all files.
    """
    found: dict[dt.date, dict[str, str]] = {}
    for file in files:
        undated = [row for row in file.odd if row.day is None]
        every = (file.days or {day for one in files for day in one.days}) if undated else set()
        for row in file.odd:
            for day in [row.day] if row.day else every:
                found.setdefault(day, {})[row.place] = row.reason
    return found


def add_rows(
    file_rows: FileRows,
    texts: Iterable[TextRow],
    layout: Layout,
    validate: Callable[[Cells], object],
) -> None:
    """Add the rows of a file: those that can be used, and those that are set aside.

    Args:
        file_rows: Takes the rows.
        texts: The rows as they are written.
        layout: What the columns mean.
        validate: Raises FileRefused for a row that cannot be used.
    """
    for text in texts:
        if not text.is_cut and not is_wanted(text, layout):
            continue
        try:
            _refuse_cut(text)
            row = cells(text, layout)
            validate(row)
        except FileRefused as bad:
            file_rows.odd.append(_odd(text, bad, layout))
        else:
            file_rows.rows.append(row)


def _refuse_cut(text: TextRow) -> None:
    """Refuse a line that is cut off, as in a file that is being written: dollars may be missing."""
    if text.is_cut:
        raise FileRefused(text.place, "ends before its last column", "Copy the file again.")


def _odd(text: TextRow, bad: FileRefused, layout: Layout) -> OddRow:
    """Return a row that was set aside, with what can still be read of it."""
    named = {
        name: value
        for name in ("day", DOLLARS)
        if (value := text.cells.get(layout.columns.get(name, "")))
    }
    day, usd = (_legible(text.place, named, name, layout) for name in ("day", DOLLARS))
    return OddRow(
        bad.place,
        bad.why,
        bad.remedy,
        Decimal(usd) if usd else None,
        dt.date.fromisoformat(day) if day else None,
    )


def _legible(place: str, named: Mapping[str, str], name: str, layout: Layout) -> str | None:
    if name not in named:
        return None
    alone = TextRow(place, {layout.columns[name]: named[name]})
    only = {name: layout.columns[name]}
    needs_nothing = Layout(only, (), (), usd_parts=layout.usd_parts, time_unit=layout.time_unit)
    try:
        one = cells(alone, needs_nothing)
        return dollars(one) if name == DOLLARS else utc_day(one).isoformat()
    except FileRefused:
        return None


def summary(odd: Sequence[tuple[str, str]]) -> str:
    """Return what a check says of rows that were set aside.

    Args:
        odd: The place of each, and its reason.
    """
    named = listed([f"{place}: {why}" for place, why in odd], MOST_NAMED, "row", "; ")
    return (
        f"{counted(len(odd), 'row')} of the gateway's files set aside, the others taken: {named}. "
        "No key is judged by what is missing. Correct them in their file, or leave rows of a meter "
        "out with [gateway] spend_filter."
    )


def refuse_mistyped(place: str, seen: AbstractSet[str], layout: Layout, *, is_table: bool) -> None:
    """Refuse rows without a column that they must have, or that the settings name.

    JSON may leave out a field in every record of a file. An optional field that no record has is
    a mistake only where another one is called almost the same.

    Args:
        place: Where the first of the rows stands.
        seen: The names that the rows have.
        layout: What the columns mean.
        is_table: Whether the file has a head that names every column.

    Raises:
        FileRefused: A column is missing.
    """
    there = f"there are: {listed(sorted(seen), MOST_NAMES, 'name')}."
    columns = [(ours, one) for ours, named in layout.columns.items() for one in parts(named)]
    for ours, theirs in columns:
        is_odd = ours in layout.named and (is_table or bool(get_close_matches(theirs, seen)))
        if theirs not in seen and (ours in layout.needed or is_odd):
            remedy = f"Name its column: [gateway] {layout.section} = {{ {ours} = ... }}; {there}"
            if ours == DOLLARS:
                remedy += ' Where the export has no dollars, set spend_cost = "list_price".'
            raise FileRefused(place, f"has no column {theirs!r}, our {ours}", remedy)
    for theirs in (*layout.wanted, *layout.unwanted) if is_table else ():
        if theirs not in seen:
            remedy = f"Correct the name in [gateway] spend_filter; {there}"
            raise FileRefused(place, f"has no column {theirs!r}", remedy)
