"""core.spend and core.usage from rows that a provider's pages give, a day each. Pure.

A provider says what a row is; how rows become batches is the same for all of them. Not here: what
a page says (a provider's frames.py).
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.batching import Held, Understood, batches
from openai_costs.sources.ledger_rows import invoiced
from openai_costs.sources.provider import Clean, Reads
from openai_costs.sources.usage_rows import TYPES, summed
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import BILLED, Spend
from openai_costs.tables.core.usage import Usage

DOLLARS: Final = "billed_usd"
PARTLY_KNOWN: Final = ("list_usd", "amount", "quantity")
COUNTS: Final = [name for name, type_ in Usage.types().items() if type_ == pl.Int64]
GRAIN: Final = [name for name in Spend.types() if name not in {DOLLARS, *PARTLY_KNOWN}]


class DayRows(NamedTuple):
    """What a kept read says.

    Args:
        rows: The columns of core.spend or core.usage that the provider fills.
        remarks: What is new to us in it, or what it lacks.
        page_usd: What the page adds up to where a total of its own says so, of each cost basis; the
            rows of a basis that is not named are added up.
    """

    rows: pl.DataFrame
    remarks: tuple[str, ...] = ()
    page_usd: Mapping[str, Decimal] = MappingProxyType({})


RowsOf = Callable[[KeptRead, Connection], DayRows]


class _Day(NamedTuple):
    rows: pl.DataFrame
    key: Slice
    page_usd: Mapping[str, Decimal]


def ledger_of(rows_of: RowsOf) -> Clean:
    """Return what cleans kept reads into core.spend.

    Args:
        rows_of: Returns what a kept read says; raises PageRefused where it cannot be used.
    """

    def ledger(reads: Reads, connection: Connection) -> Iterator[Batch]:
        return batches(reads, partial(_ledger_day, rows_of, connection), _ledger_batch)

    return ledger


def usage_of(rows_of: RowsOf) -> Clean:
    """Return what cleans kept reads into core.usage."""

    def usage(reads: Reads, connection: Connection) -> Iterator[Batch]:
        return batches(reads, partial(_usage_day, rows_of, connection), _usage_batch)

    return usage


def _ledger_day(rows_of: RowsOf, connection: Connection, read: KeptRead) -> Understood[_Day]:
    said = rows_of(read, connection)
    placed = _placed(said.rows, read)
    rows = invoiced(placed, connection).cast(pl.Schema(Spend.types()))
    sums = rows.group_by("cost_basis").agg(pl.col(DOLLARS).sum())
    usd = {**dict(sums.iter_rows()), **said.page_usd}
    key = Slice(read.manifest.connection, read.manifest.day)
    size = sum(map(len, read.bodies.values()))
    return Understood([_Day(rows, key, usd)], "; ".join(dict.fromkeys(said.remarks)), size)


def _ledger_batch(held: Held[_Day]) -> Batch:
    rows = pl.concat([Spend.no_rows(), *(one.rows for one in held.pages)])
    known = [
        pl.when(pl.col(one).is_not_null().all()).then(pl.col(one).sum()) for one in PARTLY_KNOWN
    ]
    frame = rows.group_by(GRAIN).agg(pl.col(DOLLARS).sum(), *known)
    return Batch(
        frame.select(list(Spend.types())).sort(Spend.Config.unique),
        held.read_at,
        held.refused,
        held.remarks,
        {one.key: one.page_usd.get(BILLED, Decimal(0)) for one in held.pages},
        unbilled_page_usd={one.key: _unbilled(one.page_usd) for one in held.pages},
    )


def _unbilled(page_usd: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {basis: usd for basis, usd in page_usd.items() if basis != BILLED}


def _usage_day(rows_of: RowsOf, connection: Connection, read: KeptRead) -> Understood[pl.DataFrame]:
    said = rows_of(read, connection)
    placed = _placed(said.rows, read).with_columns(provider=pl.lit(connection.provider))
    whole = pl.concat([Usage.no_rows(), placed], how="diagonal_relaxed").select(list(TYPES))
    size = sum(map(len, read.bodies.values()))
    rows = summed(whole.cast(pl.Schema(TYPES)))
    _refuse_below_zero(read, rows)
    return Understood([rows], "; ".join(said.remarks), size)


def _refuse_below_zero(read: KeptRead, rows: pl.DataFrame) -> None:
    """Refuse a day whose counts add up to less than nothing.

    Raises:
        PageRefused: Names the page, the count, its model and the number.
    """
    for name in COUNTS:
        wrong = rows.filter(pl.col(name) < 0)
        for model, count in wrong.select("model", name).head(1).iter_rows():
            whose = f" of {model}" if model else ""
            why = f"adds up to {count:,}{whose}, and there is no such count below 0"
            raise PageRefused(str(read.page), name, why)


def _usage_batch(held: Held[pl.DataFrame]) -> Batch:
    frame = pl.concat([Usage.no_rows(), *held.pages]).sort(Usage.Config.unique)
    return Batch(frame, held.read_at, held.refused, held.remarks)


def _placed(rows: pl.DataFrame, read: KeptRead) -> pl.DataFrame:
    manifest = read.manifest
    return rows.with_columns(
        connection=pl.lit(manifest.connection), day=pl.lit(manifest.day, pl.Date)
    )
