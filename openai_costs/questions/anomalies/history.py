"""Reads what anomalies are found in and explained by: some days of the lake at a time.

Not here: what is unusual (judging.py), and why (explanation.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial

import polars as pl

from openai_costs.questions.anomalies.contributors import leaf_rows
from openai_costs.questions.anomalies.explanation import Comparison
from openai_costs.questions.anomalies.ledger_series import JUDGED_DAYS, History, history_of
from openai_costs.questions.anomalies.ledger_sums import (
    Bill,
    People,
    ledger_series,
    of_bill,
    of_people,
)
from openai_costs.questions.series import known_days
from openai_costs.storage.lake import ROWS_A_BATCH, Lake
from openai_costs.storage.slices import Slice, slices_frame
from openai_costs.storage.stored_batches import bounded
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

CONTEXT_DAYS = 200
"""How many days before the judged days are read."""


def read_history(lake: Lake) -> History:
    """Return what every connection with settled days spent."""
    coverage = lake.read(Coverage)
    days = {name: _newest(known_days(coverage, name)) for name in lake.connections(Spend)}
    every = sorted(set().union(*days.values()))
    unknown = _unknown(lake, days).filter(pl.col("day").is_in(every))
    bill = Bill(*lake.query(Spend, every, partial(of_bill, unknown=unknown)))
    people = People(*lake.query(SpendAttribution, every, partial(of_people, unknown=unknown)))
    makers: dict[str, set[str]] = {}
    for name, maker in bill.providers.iter_rows():
        makers.setdefault(name, set()).add(maker)
    billers = {name: _biller(name, its) for name, its in makers.items()}
    return history_of(ledger_series(bill, people), days, billers)


def _unknown(lake: Lake, days: Mapping[str, set[date]]) -> pl.DataFrame:
    """Return the stored slices that are not of the known days: connection, day."""
    known = slices_frame((name, day) for name, its in days.items() for day in its)
    tables = (lake.slices(table).select(known.columns) for table in (Spend, SpendAttribution))
    return pl.concat(tables).unique().join(known, on=known.columns, how="anti")


def _biller(connection: str, makers: set[str]) -> str:
    """Return whose series a connection is part of: a cloud that resells several makers has its own.

    Its dollars would otherwise be added to those of one of the makers.
    """
    return next(iter(makers)) if len(makers) == 1 else connection


def read_leaf_rows(lake: Lake, compared: Iterable[Comparison]) -> pl.DataFrame:
    """Return the leaf rows of the days of comparisons."""
    wanted = {
        Slice(name, day)
        for one in compared
        for name, before in one.before.items()
        for day in (one.flag["day"], *before)
    }
    found = [leaf_rows(Spend.no_rows(), SpendAttribution.no_rows(), Ledger.no_rows())]
    for days in _parts(lake, sorted({key.day for key in wanted})):
        some = leaf_rows(*(lake.read(table, days) for table in (Spend, SpendAttribution, Ledger)))
        found.append(some.join(slices_frame(wanted), on=["connection", "day"], how="semi"))
    return pl.concat(found)


def _newest(days: set[date]) -> set[date]:
    if not days:
        return days
    first = max(days) - timedelta(days=CONTEXT_DAYS + JUDGED_DAYS - 1)
    return {day for day in days if day >= first}


def _parts(lake: Lake, days: list[date]) -> Iterator[list[date]]:
    """Yield some days at a time, of a bounded number of rows."""
    stored = lake.slices(Spend).filter(pl.col("day").is_in(days))
    by_day = stored.group_by("day").agg(pl.col("rows").sum()).sort("day")
    for part in bounded(by_day, ROWS_A_BATCH):
        yield part["day"].to_list()
