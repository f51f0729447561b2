"""Closed days that changed: compares the kept reads of a day, one with the next. Pure."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.formatting import exact_dollars, listed
from openai_costs.kernel.money import total
from openai_costs.tables.core.spend import COST_BASES
from openai_costs.tables.mart.restatements import Restatements

LINES_SHOWN = 5

LINE = ("project_id", "user_id", "api_key_id", "line_item")


class Reading(NamedTuple):
    """What one complete read of a day contains.

    Args:
        connection: The connection.
        day: The UTC day.
        read_at: When it was read.
        is_settled: Whether that was late enough for the day to have stopped moving.
        ledger: core.spend rows of that read; the same frame where it has the same pages.
        latest_at: The later of the instants that our clock and the server's gave for it.
    """

    connection: str
    day: date
    read_at: datetime
    is_settled: bool
    ledger: pl.DataFrame
    latest_at: datetime


def restatements(readings: Iterable[Reading]) -> pl.DataFrame:
    """Return mart.restatements from every reading of one day, oldest first.

    A day that changes before it has settled is only filling up; a later change is recorded. A read
    that is dated after the one kept behind it was read by a wrong clock: when is not known, so it
    settled nothing.
    """
    rows = []
    before: Reading | None = None
    for after in readings:
        is_later = before and before.is_settled and before.read_at <= after.latest_at
        if before and is_later and before.ledger is not after.ledger:
            rows += _change(before, after)
        before = after
    return pl.DataFrame(rows, schema=Restatements.types(), orient="row")


def _change(before: Reading, after: Reading) -> list[tuple[object, ...]]:
    """Return a row for each cost basis of which lines changed: their dollars are never added."""
    stamps = (after.read_at.replace(tzinfo=None), before.read_at.replace(tzinfo=None))
    rows = list[tuple[object, ...]]()
    known = {*before.ledger["cost_basis"], *after.ledger["cost_basis"]}
    for basis in filter(known.__contains__, COST_BASES):
        older, newer = (one.ledger.filter(pl.col("cost_basis") == basis) for one in (before, after))
        lines = changed_lines(older, newer)
        if not lines.is_empty():
            was, now = total(older["billed_usd"]), total(newer["billed_usd"])
            changes = (now - was, lines.height, basis, _in_words(lines))
            rows.append((after.connection, after.day, *stamps, was, now, *changes))
    return rows


def changed_lines(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that differ: the shared dimensions, was_usd, now_usd; largest change first.

    Two reads in different groupings are compared in the dimensions that both were asked for.
    """
    shared = [name for name in LINE if _asked(before, name) and _asked(after, name)]
    was, now = _by(before, shared, "was_usd"), _by(after, shared, "now_usd")
    both = was.join(now, on=shared, how="full", coalesce=True, nulls_equal=True).fill_null(0)
    moved = both.filter(pl.col("was_usd") != pl.col("now_usd"))
    change = (pl.col("now_usd") - pl.col("was_usd")).abs()
    return moved.sort(change, *shared, descending=[True] + [False] * len(shared))


def _by(ledger: pl.DataFrame, shared: list[str], name: str) -> pl.DataFrame:
    return ledger.group_by(shared).agg(pl.col("billed_usd").sum().alias(name))


def _asked(ledger: pl.DataFrame, dimension: str) -> bool:
    """Return whether a read has a dimension; a read without rows has all of them."""
    return ledger.is_empty() or dimension in ledger["grouping"][0].split(",")


def _in_words(lines: pl.DataFrame) -> str:
    names = [name for name in LINE if name in lines.columns]
    texts = [
        f"{' / '.join(str(row[name] or 'none') for name in names)}: "
        f"{exact_dollars(row['was_usd'])} -> {exact_dollars(row['now_usd'])}"
        for row in lines.iter_rows(named=True)
    ]
    return listed(texts, LINES_SHOWN, "line", "; ")
