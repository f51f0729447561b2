"""A vendor's columns as the facts that every export has, all of them still text. Pure.

`FACTS` are our names. A dialect says which of its columns each fact is in; the first column that a
file has and that is filled counts. Not here: what a word of a vendor means (a provider's folder).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from openai_costs.kernel.days import naive
from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.money import NotAnAmount, exact, exact_quantities
from openai_costs.sources.exports.text_tables import row_place

FACTS: Final = (
    *("account", "sub_account", "month", "starts", "category", "charge_class"),
    *("billed", "listed", "currency", "billed_in_usd"),
    *("vendor", "invoicer", "service", "service_category", "subcategory", "label", "region"),
    *("quantity", "unit", "pricing_quantity", "pricing_unit", "principal", "tags"),
)
"""What is known of a charge: who is billed, for which month and instant, how much, for what."""

QUANTITIES: Final = ("quantity", "pricing_quantity")

ASK: Final = "Include the column in the export."
CORRECT: Final = "Have it exported again, or correct the cell."


EASTERNMOST: Final = timedelta(hours=14)
"""How long before midnight in UTC a day begins where it begins first."""


@dataclass(frozen=True)
class Dialect:
    """The columns of a kind of export.

    Args:
        name: What it is called, for messages.
        columns: The names in lower case that a fact may have, the best first.
        marks: Columns by which a file is known to be of this kind.
        written: Names of columns as the vendor writes them, for messages.
        categories: The vendor's kinds of charges in lower case, in our words.
        other: What another kind of charge counts as; empty where the vendor's are complete.
        derived: Facts that are not a single column.
        known: Columns that are known without being used; None where any may come.
        optional: Facts that a file need not have.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    marks: Sequence[str]
    written: Mapping[str, str]
    categories: Mapping[str, str]
    other: str = ""
    derived: Callable[[pl.DataFrame], Mapping[str, pl.Expr]] = lambda _table: {}
    known: frozenset[str] | None = None
    required: Sequence[str] = field(
        default=("billed", "currency", "month", "starts", "category", "service")
    )

    def is_of(self, heads: Sequence[str]) -> bool:
        """Return whether a file with some columns is of this kind."""
        return all(one in heads for one in self.marks)

    def category(self, written: str) -> str:
        """Return a vendor's kind of charge in our words."""
        return self.categories.get(written.lower(), self.other)

    def new_kinds(self, table: pl.DataFrame) -> list[str]:
        """Return the kinds of charges in some rows that are new to us."""
        its = [table[one] for one in self.columns["category"] if one in table.columns]
        written = {text for one in its for text in one.unique().drop_nulls()}
        return sorted(text for text in written if text.lower() not in self.categories)

    @property
    def is_usage(self) -> pl.Expr:
        """Whether a row is a charge for usage."""
        words = [word for word, ours in self.categories.items() if ours == "usage"]
        return pl.col("category").str.to_lowercase().is_in(words).fill_null(value=False)

    def column(self, fact: str) -> str:
        """Return what the vendor calls the column of a fact."""
        first = self.columns[fact][0]
        return self.written.get(first, first)


def facts(name: str, table: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """Return the facts of a file's rows, with `row`: its number in the file from 0.

    Args:
        name: The file, for messages.
        table: Its rows as text.
        dialect: Its kind.

    Raises:
        FileRefused: A column is missing that we rely on.
    """
    there = set(table.columns)
    derived = dialect.derived(table)
    found: dict[str, pl.Expr] = {}
    for fact in FACTS:
        its = [one for one in dialect.columns.get(fact, ()) if one in there]
        if fact in derived:
            found[fact] = derived[fact]
        elif its:
            found[fact] = pl.coalesce(its)
        elif fact in dialect.required:
            why = f"has no column {dialect.column(fact)}"
            raise FileRefused(f"{name}, a file of {dialect.name}", why, ASK)
        else:
            found[fact] = pl.lit(None, pl.String)
    return table.select(**found).with_row_index("row")


def dated(rows: pl.DataFrame) -> pl.DataFrame:
    """Return facts with `day`, the UTC day, and `month`, the first day of the billing month.

    Either is null where it cannot be read. `payer` and `sub_payer` are the accounts as one spelling
    each: tools between the vendor and us change the case, or take an id for a number.
    """
    return rows.with_columns(
        day=_by_text(rows["starts"], _day),
        month=_by_text(rows["month"], _month),
        payer=_in_one_spelling(rows["account"]),
        sub_payer=_in_one_spelling(rows["sub_account"]),
    )


def one_spelling(account: str) -> str:
    """Return an account's id as one spelling: as a number, 012345678901 loses its first digit."""
    lower = account.lower()
    number = lower.removesuffix(".0").lstrip("0")
    return number if number.isdecimal() else lower


def _in_one_spelling(ids: pl.Series) -> pl.Series:
    each = {one: one_spelling(one) for one in ids.unique().drop_nulls()}
    return ids.replace_strict(each, default=None, return_dtype=pl.String)


def refuse_unusable(name: str, rows: pl.DataFrame, dialect: Dialect) -> None:
    """Refuse a file in which a row that is taken lacks something, or has no amount.

    Args:
        name: The file, for messages.
        rows: The dated facts of the rows that are taken.
        dialect: Its kind.

    Raises:
        FileRefused: Names file, row, column and reason.
    """
    lower = pl.col("category").str.to_lowercase()
    is_new = ~lower.is_in(list(dialect.categories))
    objections: tuple[tuple[str, pl.Expr, str], ...] = (
        ("starts", pl.col("day").is_null(), "is not an instant"),
        ("month", pl.col("month").is_null(), "is not a day"),
        ("billed", pl.col("billed").is_null(), "is empty"),
        ("currency", pl.col("currency").is_null(), "is empty"),
        ("category", pl.col("category").is_null(), "is empty"),
        ("category", is_new & pl.lit(not dialect.other), "is not a known kind of charge"),
    )
    for fact, is_wrong, why in objections:
        for row, text in rows.filter(is_wrong).select("row", _as_written(fact)).head(1).iter_rows():
            shown = f" ({text!r})" if isinstance(text, str) else ""
            place = f"{row_place(name, row)}, {dialect.column(fact)}"
            raise FileRefused(place, f"{why}{shown}", CORRECT)
    usd = dict.fromkeys(("billed", "listed", "billed_in_usd"), exact)
    for fact, read in (usd | dict.fromkeys(QUANTITIES, exact_quantities)).items():
        known = rows.filter(pl.col(fact).is_not_null())
        try:
            read(known[fact].to_list())
        except NotAnAmount as bad:
            place = row_place(name, known["row"][bad.row])
            raise FileRefused(f"{place}, {dialect.column(fact)}", bad.why, CORRECT) from None


def _as_written(fact: str) -> pl.Expr:
    """Return a fact as the file has it; a month is a day by now, and not repeated."""
    return pl.col(fact) if fact != "month" else pl.lit(None, pl.String)


def _by_text(texts: pl.Series, date_of: Callable[[str], date | None]) -> pl.Series:
    read = {one: date_of(one) for one in texts.unique().drop_nulls()}
    return texts.replace_strict(read, default=None, return_dtype=pl.Date)


def _day(text: str) -> date | None:
    """Return the UTC day of an instant: hours of a vendor's day are added up to it."""
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC"))
        return naive(at if at.tzinfo else at.replace(tzinfo=UTC)).date()
    except (ValueError, OverflowError):  # the first hours of the year 1, east of Greenwich
        return None


def _month(text: str) -> date | None:
    """Return the first day of the month that is billed from an instant on, in its own zone.

    A month of Singapore begins at 16:00 UTC of the day before, with or without an offset.
    """
    try:
        at = datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=None)
        return (at + EASTERNMOST).date().replace(day=1)
    except (ValueError, OverflowError):
        return None
