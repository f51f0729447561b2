"""Reads what the page shows of the bill: dollars and names, without holding all of its rows.

Not here: what is asked (bill_queries.py), the other tables of the page (cost_explorer.py).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.outputs.report.bill_queries import (
    Names,
    dollars,
    names_of,
    of_attribution,
    of_spend,
)
from openai_costs.outputs.report.coarse_facts import MOST_ROWS, Coarse, coarse_dollars
from openai_costs.outputs.report.facts import OF_ATTRIBUTION, OF_LEDGER
from openai_costs.storage.stored_batches import bounded
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openai_costs.outputs.publish.published_tables import Readable
    from openai_costs.tables.contract import Contract

_ROWS_AT_ONCE: Final = 200_000
"""Rows of which dollars are added up before it is known which dimensions have room."""


class Lines(NamedTuple):
    """What the dollars of the explorer are made of.

    Args:
        attribution: The columns `OF_ATTRIBUTION` of mart.spend_attribution.
        ledger: The columns `OF_LEDGER` of core.spend.
        coarse: Dollars instead of lines, where those are too many; None where there are lines.
    """

    attribution: pl.DataFrame
    ledger: pl.DataFrame
    coarse: Coarse | None = None


def read_rows(
    published: Readable, table: type[Contract], days: Iterable[date], columns: Iterable[str]
) -> pl.DataFrame:
    """Return some columns of the rows of some days, in any order."""
    return published.query(table, days, lambda rows: [rows.select(columns)])[0]


def read_dollars(
    published: Readable, table: type[Contract], days: Iterable[date], columns: Iterable[str]
) -> pl.DataFrame:
    """Return dollars by connection, day and some columns, credits apart from charges."""
    return published.query(table, days, lambda rows: [dollars(rows, *columns)])[0]


def read_names(published: Readable, days: Sequence[date]) -> Names:
    """Return what the bill says of ids."""
    return names_of(
        published.query(Spend, days, of_spend),
        published.query(SpendAttribution, days, of_attribution),
    )


def read_lines(published: Readable, days: Sequence[date], credit_days: AbstractSet[date]) -> Lines:
    """Return what the dollars of the explorer are made of.

    Where dollars alone are too many without usage types and service tiers, no tier is looked for.

    Args:
        published: The tables.
        days: The days that are shown.
        credit_days: The days on which an amount is negative.
    """
    slices = published.slices(SpendAttribution).filter(pl.col("day").is_in(list(days)))
    if slices["rows"].sum() > MOST_ROWS:
        coarse = _read_coarse(published, slices, credit_days)
        if not coarse.is_finest:
            ledger = Ledger.no_rows().select(OF_LEDGER)
            return Lines(SpendAttribution.no_rows().select(OF_ATTRIBUTION), ledger, coarse)
    lines = read_rows(published, SpendAttribution, days, OF_ATTRIBUTION)
    return Lines(lines, read_rows(published, Ledger, days, OF_LEDGER))


def _read_coarse(
    published: Readable, slices: pl.DataFrame, credit_days: AbstractSet[date]
) -> Coarse:
    coarse, stored = Coarse(), slices.group_by("day").agg(pl.col("rows").sum()).sort("day")
    for part in bounded(stored, _ROWS_AT_ONCE):
        days = part["day"].to_list()
        has_credits = not credit_days.isdisjoint(days)
        ask = partial(_coarse_query, kept=coarse.kept, has_credits=has_credits)
        (more,) = published.query(SpendAttribution, days, ask)
        coarse = coarse.with_more(more, MOST_ROWS)
    return coarse


def _coarse_query(
    rows: pl.LazyFrame, kept: Sequence[str], *, has_credits: bool
) -> list[pl.LazyFrame]:
    return [coarse_dollars(rows, kept, has_credits=has_credits)]
