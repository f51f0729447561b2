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
from openai_costs.questions.spend.verification import lazily_without, without
from openai_costs.storage.stored_batches import bounded
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openai_costs.storage.lake import Lake
    from openai_costs.storage.slices import Slice
    from openai_costs.tables.contract import Contract

_ROWS_AT_ONCE: Final = 200_000
"""Rows of which dollars are added up before it is known which dimensions have room."""


class Shown(NamedTuple):
    """Which slices of the bill the page shows.

    Args:
        days: Their days.
        held: The slices of these days that are not shown, because they do not tie out.
    """

    days: Sequence[date]
    held: AbstractSet[Slice]


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
    lake: Lake, table: type[Contract], days: Iterable[date], columns: Iterable[str]
) -> pl.DataFrame:
    """Return some columns of the rows of some days, in any order."""
    return lake.query(table, days, lambda rows: [rows.select(columns)])[0]


def read_dollars(
    lake: Lake, table: type[Contract], days: Iterable[date], columns: Iterable[str]
) -> pl.DataFrame:
    """Return dollars by connection, day and some columns, credits apart from charges."""
    return lake.query(table, days, lambda rows: [dollars(rows, *columns)])[0]


def read_names(lake: Lake, shown: Shown) -> Names:
    """Return what the bill says of ids."""
    days, held = shown
    return names_of(
        lake.query(Spend, days, lambda rows: of_spend(lazily_without(rows, held))),
        lake.query(SpendAttribution, days, lambda rows: of_attribution(lazily_without(rows, held))),
    )


def read_lines(lake: Lake, shown: Shown, credit_days: AbstractSet[date]) -> Lines:
    """Return what the dollars of the explorer are made of.

    Where dollars alone are too many without usage types and service tiers, no tier is looked for.

    Args:
        lake: The lake.
        shown: The slices.
        credit_days: The days on which an amount is negative.
    """
    days, held = shown
    slices = lake.slices(SpendAttribution).filter(pl.col("day").is_in(list(days)))
    slices = without(slices, held)
    if slices["rows"].sum() > MOST_ROWS:
        coarse = _read_coarse(lake, slices, held, credit_days)
        if not coarse.is_finest:
            ledger = Ledger.no_rows().select(OF_LEDGER)
            return Lines(SpendAttribution.no_rows().select(OF_ATTRIBUTION), ledger, coarse)
    lines = read_rows(lake, SpendAttribution, days, OF_ATTRIBUTION)
    return Lines(without(lines, held), without(read_rows(lake, Ledger, days, OF_LEDGER), held))


def _read_coarse(
    lake: Lake, slices: pl.DataFrame, held: AbstractSet[Slice], credit_days: AbstractSet[date]
) -> Coarse:
    coarse, stored = Coarse(), slices.group_by("day").agg(pl.col("rows").sum()).sort("day")
    for part in bounded(stored, _ROWS_AT_ONCE):
        days = part["day"].to_list()
        has_credits = not credit_days.isdisjoint(days)
        ask = partial(_coarse_query, held=held, kept=coarse.kept, has_credits=has_credits)
        (more,) = lake.query(SpendAttribution, days, ask)
        coarse = coarse.with_more(more, MOST_ROWS)
    return coarse


def _coarse_query(
    rows: pl.LazyFrame, held: AbstractSet[Slice], kept: Sequence[str], *, has_credits: bool
) -> list[pl.LazyFrame]:
    return [coarse_dollars(lazily_without(rows, held), kept, has_credits=has_credits)]
