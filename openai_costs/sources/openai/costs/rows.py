"""The results of many days' cost pages as rows. Pure: kept reads in, Polars frames out."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.money import (
    MONEY,
    NO_ROOM,
    NotAnAmount,
    amount,
    exact,
    exact_quantities,
    number,
)
from openai_costs.sources import batching
from openai_costs.sources.batching import Held, Understood, at_once, page_sums
from openai_costs.sources.openai.costs.pages import Result, results
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract

DIMENSIONS = ("project_id", "user_id", "api_key_id", "line_item")


class Day(NamedTuple):
    """One day's page of one part, understood as far as its fields.

    Args:
        slice: The connection and day.
        read_at: When it was read.
        page: The page's name, for messages.
        grouping: The dimensions it was read with, comma-joined.
        results: Its results.
    """

    slice: Slice
    read_at: datetime
    page: str
    grouping: str
    results: Sequence[Result]


Conform = Callable[[pl.DataFrame, Sequence[Day]], pl.DataFrame]


def batches(
    table: type[Contract],
    reads: Iterable[KeptRead | DamagedRead],
    part_of: Callable[[KeptRead], str],
    conform: Conform,
) -> Iterator[Batch]:
    """Clean one part of kept reads into a table; a page that is refused refuses only its day."""
    return batching.batches(reads, partial(_understood, part_of), partial(_batch, table, conform))


def rows(days: Sequence[Day], *, may_round: bool) -> pl.DataFrame:
    """Return results as they stand: one row per result, "" as null, thousands as single units.

    Columns: connection, day, grouping, the four dimensions, organization_id, billed_usd, quantity,
    quantity_unit.

    Args:
        days: The days.
        may_round: Whether the amounts are one day's, so that their rounding may be shared.

    Raises:
        NotAnAmount: An amount or a quantity is not a finite number in range.
        TooPrecise: An amount has more than 18 decimals and `may_round` is false.
    """
    found = list(chain.from_iterable(day.results for day in days))
    names = (*DIMENSIONS, "quantity_unit", "organization_id")
    texts = {name: list(map(attrgetter(name), found)) for name in names}
    # What is no number is a text that is none either, and refused; how it was written, in _refusal.
    amounts = list(map(str, map(attrgetter("amount.value"), found)))
    quantities = [None if one is None else str(one) for one in map(attrgetter("quantity"), found)]
    frame = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String)).with_columns(
        pl.when(pl.col(*DIMENSIONS, "organization_id") != "").then(
            pl.col(*DIMENSIONS, "organization_id")
        ),
        exact(amounts, may_round=may_round).alias("billed_usd"),
        exact_quantities(quantities, may_round=may_round).alias("quantity"),
    )
    return _in_single_units(frame.hstack(_days_repeated(days)))


def _understood(part_of: Callable[[KeptRead], str], read: KeptRead) -> Understood[Day]:
    part = part_of(read)
    found, remark = results(read, part)
    grouping = ",".join(read.manifest.parts[part].grouping)
    key = Slice(read.manifest.connection, read.manifest.day)
    day = Day(key, read.manifest.read_at, read.page_of(part), grouping, found)
    return Understood([day], remark, len(read.bodies[part]))


def _batch(table: type[Contract], conform: Conform, held: Held[Day]) -> Batch:
    frame = at_once(held, _rows, lambda day: day.slice)
    return Batch(
        conform(frame, held.pages) if held.pages else table.no_rows(),
        held.read_at,
        held.refused,
        held.remarks,
        page_sums(held, frame),
    )


def _rows(days: Sequence[Day], *, may_round: bool) -> pl.DataFrame:
    """Return `rows`, or refuse the first page in which a value is not an amount."""
    try:
        return rows(days, may_round=may_round)
    except NotAnAmount as bad:
        raise next(filter(None, map(_refusal, days)), None) or PageRefused(
            days[0].page, "results[]", bad.why
        ) from None


def _refusal(day: Day) -> PageRefused | None:
    """Name the field of the first value in a page that is not an amount."""
    for field, value in _values(day):
        try:
            (amount if field.endswith("value") else number)(_text(value))
        except NotAnAmount as bad:
            return PageRefused(day.page, field, bad.why)
    return None


def _values(day: Day) -> Iterator[tuple[str, object]]:
    for row, one in enumerate(day.results):
        yield f"results[{row}].amount.value", one.amount.value
    for row, one in enumerate(day.results):
        if one.quantity is not None:
            yield f"results[{row}].quantity", one.quantity


def repeated(
    facts: Sequence[tuple[object, ...]], schema: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    """Return facts about pages as columns, each as often as its page has results.

    Args:
        facts: The facts, and behind them the number of results.
        schema: The columns.
    """
    columns = list(schema)
    frame = pl.DataFrame(facts, schema={**schema, "times": pl.Int64}, orient="row")
    return frame.select(pl.col(columns).repeat_by("times")).explode(columns, empty_as_null=False)


def _days_repeated(days: Sequence[Day]) -> pl.DataFrame:
    """Return connection, day and grouping, each as often as its day has results."""
    facts = [(*day.slice, day.grouping, len(day.results)) for day in days]
    return repeated(facts, {"connection": pl.String, "day": pl.Date, "grouping": pl.String})


def _in_single_units(frame: pl.DataFrame) -> pl.DataFrame:
    """Store thousands of tokens as tokens, so that one unit has one name and one size."""
    in_thousands = pl.col("quantity_unit") == "1000_tokens"
    with_room = pl.when(pl.col("quantity").abs() < NO_ROOM / 1000).then("quantity")
    return frame.with_columns(
        quantity=pl.when(in_thousands).then(with_room * 1000).otherwise("quantity").cast(MONEY),
        quantity_unit=pl.col("quantity_unit").replace("1000_tokens", "tokens"),
    )


def _text(value: object) -> str:
    """Return a JSON scalar as it was written; anything else as words that are not a number."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int) else repr(value)
