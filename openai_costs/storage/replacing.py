"""What a batch of slices is as rows of a Delta table: which are sound, and which rows they replace.

Pure: a batch in; rows, slices and an SQL predicate out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import TypeVar

import polars as pl

from openai_costs.kernel.errors import ContractBroken, OpenAICostsError
from openai_costs.kernel.sql_text import literal
from openai_costs.storage.live_rows import (
    MONTH,
    PLACE_TYPE,
    POSITION,
    UTC_INSTANT,
    as_stored,
    stored_types,
)
from openai_costs.storage.slice_log import KEY, SLICES
from openai_costs.storage.slices import Batch, Batches, Replaced, Slice, slices_frame
from openai_costs.tables.contract import Contract

ENOUGH_ROWS = 20_000
"""Rows of small batches in one commit; from there on the rows cost more than the commit does."""

T = TypeVar("T")


def together(batches: Batches) -> Iterator[Batch]:
    """Yield small batches as one: a commit costs more than their rows.

    A slice that comes again, and rows with other columns, are in a later batch.
    """
    held, keys, rows = list[Batch](), set[Slice](), 0
    for batch in batches:
        is_alike = all(one.frame.schema == batch.frame.schema for one in held[:1])
        if not is_alike or not keys.isdisjoint(_keys(batch)):
            yield _as_one(held)
            held, keys, rows = [], set(), 0
        held.append(batch)
        keys |= _keys(batch)
        rows += batch.frame.height
        if rows >= ENOUGH_ROWS:
            yield _as_one(held)
            held, keys, rows = [], set(), 0
    if held:
        yield _as_one(held)


def _keys(batch: Batch) -> set[Slice]:
    return {*batch.read_at, *batch.refused}


def _as_one(held: list[Batch]) -> Batch:
    """Return batches of different slices as one."""
    return Batch(
        pl.concat(one.frame for one in held),
        _all(one.read_at for one in held),
        refused=_all(one.refused for one in held),
        remarks=_all(one.remarks for one in held),
        page_usd=_all(one.page_usd for one in held),
        read_number=_all(one.read_number for one in held),
        is_counted=any(one.is_counted for one in held),
        unbilled_page_usd=_all(one.unbilled_page_usd for one in held),
    )


def _all(facts: Iterable[Mapping[Slice, T]]) -> dict[Slice, T]:
    return dict(chain.from_iterable(one.items() for one in facts))


def sound_part(
    table: type[Contract], batch: Batch
) -> tuple[Batch, Mapping[Slice, OpenAICostsError]]:
    """Return the slices of a batch that can be stored, and why others break the contract.

    All rows are validated at once, and slice by slice only to find the one that is wrong.

    Raises:
        ValueError: The batch lacks rows of its slices: those that no sum counts were left out when
            it was read, and would be lost.
    """
    if batch.is_counted and table.counted() is not None:
        raise ValueError(f"Read {table.full_name()} from Lake.uncounted() to write it back.")
    accepted = _only(batch, set(batch.read_at) - set(batch.refused))
    if not table.broken_rules(accepted.frame):
        return accepted, {}
    rules = {
        Slice(*key): table.broken_rules(rows)
        for key, rows in accepted.frame.partition_by(KEY, as_dict=True).items()
    }
    broken: dict[Slice, OpenAICostsError] = {
        key: ContractBroken(table.full_name(), [key.day], sentences)
        for key, sentences in rules.items()
        if sentences
    }
    return _only(accepted, set(accepted.read_at) - set(broken)), broken


def _only(batch: Batch, keys: set[Slice]) -> Batch:
    """Return some slices with everything that is known about them, and no row of another."""
    frame = batch.frame
    if not keys.issuperset(frame.select(KEY).unique().iter_rows()):
        frame = frame.join(slices_frame(keys), on=KEY, how="semi", maintain_order="left")
    return replace(
        batch,
        frame=frame,
        read_at={key: at for key, at in batch.read_at.items() if key in keys},
    )


def slices_in(batch: Batch) -> pl.DataFrame:
    """Return the slices of a batch: the columns of SLICES."""
    heights = batch.frame.group_by(KEY).len().iter_rows()
    rows = {Slice(*key): height for *key, height in heights}
    facts = [
        (*key, rows.get(key, 0), at, batch.read_number.get(key), _decimal_text(batch, key))
        for key, at in batch.read_at.items()
    ]
    return pl.DataFrame(facts, schema=SLICES, orient="row")


def _decimal_text(batch: Batch, key: Slice) -> str | None:
    return str(batch.page_usd[key]) if key in batch.page_usd else None


def rows_of(table: type[Contract], batch: Batch, slices: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a batch as they are stored: with month, read and position.

    Args:
        table: Their contract.
        batch: The rows.
        slices: `slices_in` the batch.
    """
    read = slices.select(*KEY, slice_read_at="read_at", read_number="read_number")
    rows = as_stored(batch.frame).join(read, on=KEY, how="left", maintain_order="left")
    of_read = [pl.int_range(pl.len(), dtype=PLACE_TYPE).alias(POSITION)]
    if "read_at" not in table.types():  # where it is in the contract, it is the same instant
        of_read.append(pl.col("slice_read_at").cast(UTC_INSTANT).alias("read_at"))
    month = pl.col("day").dt.strftime("%Y-%m").alias(MONTH)
    return rows.with_columns(*of_read, month).select(*stored_types(table), MONTH)


def predicate(keys: Iterable[Slice]) -> str:
    """Return what is true of the rows of some slices, in SQL."""
    days: dict[str, set[date]] = defaultdict(set)
    for key in keys:
        days[key.connection].add(key.day)
    return " OR ".join(
        f"(connection = {literal(name)} AND month IN ({_listed({f'{day:%Y-%m}' for day in some})})"
        f" AND day >= '{min(some)}' AND day <= '{max(some)}'{_but_gaps(some)})"
        for name, some in sorted(days.items())
    )


def _but_gaps(days: set[date]) -> str:
    """Return what leaves the days in between out that are none of these."""
    has_gaps = (max(days) - min(days)).days >= len(days)
    return f" AND day IN ({_listed(days)})" if has_gaps else ""


def _listed(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(literal, values)))


def count(done: Replaced, table: type[Contract], batch: Batch) -> None:
    """Add what was written of a batch to the figures of a write."""
    has_usd, where = "billed_usd" in batch.frame.columns, table.counted()
    usd = pl.col("billed_usd") if where is None else pl.col("billed_usd").filter(pl.sql_expr(where))
    sums = [pl.len(), *([usd.sum()] if has_usd else [])]
    figures = {Slice(*row[:2]): row[2:] for row in batch.frame.group_by(KEY).agg(sums).iter_rows()}
    for key in batch.read_at:
        rows, *total = figures.get(key, (0, Decimal(0)))
        done.rows[key] = rows
        if has_usd:
            done.totals_usd[key] = total[0]
