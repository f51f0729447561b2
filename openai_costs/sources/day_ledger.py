"""core.spend and core.usage from rows that a provider's pages give, a day each. Pure.

A provider says what a row is; how rows become batches is the same for all of them. Not here: what
a page says (a provider's frames.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import exact_sum
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.ledger_rows import invoiced
from openai_costs.sources.provider import Clean, Reads
from openai_costs.sources.usage_rows import TYPES, summed
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice, slices_frame
from openai_costs.tables.core.spend import BILLED, Spend
from openai_costs.tables.core.usage import Usage

DOLLARS: Final = "billed_usd"
PARTLY_KNOWN: Final = ("list_usd", "amount", "quantity")
COUNTS: Final = [name for name, type_ in Usage.types().items() if type_ == pl.Int64]
GRAIN: Final = [name for name in Spend.types() if name not in {DOLLARS, *PARTLY_KNOWN}]

Row = Mapping[str, Any]
"""The columns of core.spend or core.usage that the provider fills: the same in each of its rows."""


class DayRows(NamedTuple):
    """What a kept read says.

    Args:
        rows: Its rows.
        remarks: What is new to us in it, or what it lacks.
        page_usd: What the page adds up to where a total of its own says so, of each cost basis; the
            rows of a basis that is not named are added up.
    """

    rows: Sequence[Row]
    remarks: tuple[str, ...] = ()
    page_usd: Mapping[str, Decimal] = MappingProxyType({})


RowsOf = Callable[[KeptRead, Connection], DayRows]


class _Day(NamedTuple):
    key: Slice
    page: str
    said: DayRows


def ledger_of(rows_of: RowsOf) -> Clean:
    """Return what cleans kept reads into core.spend.

    Args:
        rows_of: Returns what a kept read says; raises PageRefused where it cannot be used.
    """
    return partial(_cleaned, rows_of, _ledger_batch)


def usage_of(rows_of: RowsOf) -> Clean:
    """Return what cleans kept reads into core.usage."""
    return partial(_cleaned, rows_of, _usage_batch)


def _cleaned(
    rows_of: RowsOf,
    build: Callable[[Connection, Held[_Day]], Batch],
    reads: Reads,
    connection: Connection,
) -> Iterator[Batch]:
    return batches(reads, partial(_day, rows_of, connection), partial(build, connection))


def _day(rows_of: RowsOf, connection: Connection, read: KeptRead) -> Understood[_Day]:
    said = rows_of(read, connection)
    key = Slice(read.manifest.connection, read.manifest.day)
    remark = "; ".join(dict.fromkeys(said.remarks))
    return Understood(
        [_Day(key, str(read.page), said)], remark, sum(map(len, read.bodies.values()))
    )


def _ledger_batch(connection: Connection, held: Held[_Day]) -> Batch:
    rows = invoiced(_frame(held.pages, Spend.types()), connection)
    known = [
        pl.when(pl.col(one).is_not_null().all()).then(pl.col(one).sum()) for one in PARTLY_KNOWN
    ]
    frame = rows.group_by(GRAIN).agg(pl.col(DOLLARS).sum(), *known)
    usd = {one.key: _page_usd(one.said) for one in held.pages}
    return Batch(
        frame.select(list(Spend.types())).sort(Spend.Config.unique),
        held.read_at,
        held.refused,
        held.remarks,
        {key: bases.get(BILLED, Decimal(0)) for key, bases in usd.items()},
        unbilled_page_usd={
            key: {basis: its for basis, its in bases.items() if basis != BILLED}
            for key, bases in usd.items()
        },
    )


def _page_usd(said: DayRows) -> dict[str, Decimal]:
    """Return what a page adds up to, of each cost basis: as it says, or by its rows."""
    by_basis: dict[str, list[Decimal]] = {}
    for row in said.rows:
        by_basis.setdefault(row.get("cost_basis", BILLED), []).append(row[DOLLARS])
    return {**{basis: exact_sum(usd) for basis, usd in by_basis.items()}, **said.page_usd}


def _usage_batch(connection: Connection, held: Held[_Day]) -> Batch:
    placed = _frame(held.pages, TYPES).with_columns(provider=pl.lit(connection.provider))
    missing = [
        pl.lit(None, TYPES[name]).alias(name) for name in TYPES if name not in placed.columns
    ]
    rows = summed(placed.with_columns(missing).select(list(TYPES)))
    for day, error in _below_zero(held.pages, rows):
        held.refuse(day, error)
    left = rows.join(slices_frame(held.read_at), on=["connection", "day"], how="semi")
    return Batch(left.sort(Usage.Config.unique), held.read_at, held.refused, held.remarks)


def _below_zero(days: Sequence[_Day], rows: pl.DataFrame) -> Iterator[tuple[Slice, PageRefused]]:
    """Yield the days whose counts add up to less than nothing, and why each cannot be used."""
    pages = {one.key: one.page for one in days}
    for name in COUNTS:
        wrong = rows.filter(pl.col(name) < 0)
        for *place, model, count in wrong.select("connection", "day", "model", name).iter_rows():
            whose = f" of {model}" if model else ""
            why = f"adds up to {count:,}{whose}, and there is no such count below 0"
            yield Slice(*place), PageRefused(pages[Slice(*place)], name, why)


def _frame(days: Sequence[_Day], types: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows of days with their connection and day, each column in its type."""
    rows = [row for one in days for row in one.said.rows]
    keys = [one.key for one in days for _ in one.said.rows]
    columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
    columns |= {name: [getattr(key, name) for key in keys] for name in Slice._fields}
    return pl.DataFrame([pl.Series(name, its, types[name]) for name, its in columns.items()])
