"""A file of a run, read: facts of every row, and whole rows of those that are taken. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.currency import Currency
from openai_costs.sources.exports.dialects import Dialect, dated, facts, refuse_unusable
from openai_costs.sources.exports.ownership import CELL
from openai_costs.sources.exports.text_tables import AGAIN, text_table, without_format

ROW: Final = "row"


@dataclass(frozen=True)
class Rules:
    """What a connection makes of a file.

    Args:
        dialects: The kinds of exports that it reads.
        is_taken: Whether a row is taken, from its facts.
        is_left_out: Whether a row that is not taken is named all the same.
        currency: What becomes of amounts that are not in dollars.
        other_kinds: Why a file of no such kind is refused, by its columns; and what to do.
        refuse: Refuses a file of such a kind that is not a bill, from its name and its table.
    """

    dialects: Sequence[Dialect]
    is_taken: pl.Expr
    is_left_out: pl.Expr
    currency: Currency
    other_kinds: Callable[[Sequence[str]], str] = lambda _heads: ""
    refuse: Callable[[str, pl.DataFrame], None] = lambda _name, _table: None


@dataclass(frozen=True)
class Sheet:
    """A file that was read.

    Args:
        name: The file.
        dialect: Its kind.
        facts: The dated facts of every row, with `is_taken`, `is_left_out` and `is_usage`.
        rows: The rows that are taken as they are written, with their number.
        new: Columns that are new to us.
    """

    name: str
    dialect: Dialect
    facts: pl.DataFrame
    rows: pl.DataFrame
    new: tuple[str, ...] = ()

    @property
    def held(self) -> pl.DataFrame:
        """The cells that the file has rows of."""
        is_dated = pl.col("day").is_not_null() & pl.col("month").is_not_null()
        rows = self.facts.filter(is_dated).group_by(CELL)
        cells = rows.agg(pl.col("is_taken", "is_usage").any(), pl.col("account").first())
        return cells.with_columns(file=pl.lit(self.name))


def sheet(name: str, content: bytes, rules: Rules) -> Sheet:
    """Return a file as it was read.

    Args:
        name: The file: its ending is its format.
        content: Its bytes.
        rules: What the connection makes of it.

    Raises:
        FileRefused: It cannot be used: names file, row, column and reason.
    """
    table = text_table(name, content)
    dialect = next((one for one in rules.dialects if one.is_of(table.columns)), None)
    if dialect is None:
        raise _of_no_kind(name, table.columns, rules)
    _refuse_twice(name, table.columns, dialect)
    rules.refuse(name, table)
    found = dated(facts(name, table, dialect)).with_columns(
        is_taken=rules.is_taken.fill_null(value=False), is_usage=dialect.is_usage
    )
    found = found.with_columns(
        is_left_out=rules.is_left_out.fill_null(value=False) & ~pl.col("is_taken")
    )
    taken = found.filter("is_taken")
    refuse_unusable(name, taken, dialect)
    rules.currency.refuse_without_rate(name, taken, dialect)
    rows = table.with_row_index(ROW).filter(found["is_taken"])
    return Sheet(name, dialect, found, rows, _new(table.columns, dialect))


def refuse_copies(sheets: Sequence[Sheet]) -> None:
    """Refuse files of one run that hold the same rows: each dollar would count twice.

    Args:
        sheets: The files of a run of which no manifest says which ones it has.

    Raises:
        FileRefused: Two of them have the same rows, or are one file in two formats.
    """
    plain: dict[str, str] = {}
    alike: dict[tuple[int, int], list[Sheet]] = {}
    for one in sheets:
        other = plain.setdefault(without_format(one.name), one.name)
        if other != one.name:
            raise _copies(other, one.name, "are one file of a run in two formats")
        if one.rows.is_empty():
            continue
        bill = one.facts.filter("is_taken").drop("row")
        before = alike.setdefault((bill.height, int(bill.hash_rows().sum())), [])
        for like in before:
            if _is_copy(one.rows, like.rows):
                raise _copies(like.name, one.name, "are of one run and hold the same rows")
        before.append(one)


def _is_copy(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Return whether rows are the same in all columns that both fill, in whatever order.

    Equal charges may be of two resources, which no fact says; and whoever writes a file again
    may give it another order of rows, and a column more.
    """
    filled, also = ({name for name, n in _filled(rows) if n} - {ROW} for rows in (one, other))
    shared = sorted(filled & also)
    return one.select(shared).sort(shared).equals(other.select(shared).sort(shared))


def _filled(rows: pl.DataFrame) -> Iterable[tuple[str, int]]:
    """Return the columns, each with how many rows have a value there."""
    return zip(rows.columns, rows.select(pl.all().count()).row(0), strict=True)


def _copies(first: str, second: str, why: str) -> FileRefused:
    twice = f"{why}: each dollar would count twice"
    return FileRefused(f"{first} and {second}", twice, "Remove one of the two.")


def _of_no_kind(name: str, heads: Sequence[str], rules: Rules) -> FileRefused:
    if hint := rules.other_kinds(heads):
        return FileRefused(name, *hint.split("; ", 1))
    kinds = " or ".join(one.name for one in rules.dialects)
    best = rules.dialects[0]
    missing = next((one for one in best.marks if one not in heads), best.marks[0])
    why = f"is not a file of {kinds}: it has no column {best.written.get(missing, missing)}"
    return FileRefused(name, why, "Name the files of the export alone in `files`.")


def _refuse_twice(name: str, heads: Iterable[str], dialect: Dialect) -> None:
    """Refuse a second column that differs from one we use by its case alone."""
    used = {one for columns in dialect.columns.values() for one in columns}
    if twice := [one for one in heads if one not in used and one.lower() in used]:
        raise FileRefused(name, f"has more than one column {', '.join(twice)}", AGAIN)


def _new(heads: Iterable[str], dialect: Dialect) -> tuple[str, ...]:
    if dialect.known is None:
        return ()
    return tuple(sorted(one for one in heads if one not in dialect.known and one[:2] != "x_"))
