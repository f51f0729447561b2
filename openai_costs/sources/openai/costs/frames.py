"""The core tables from the results of cost pages: grouped, named, summed exactly.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial

import polars as pl

from openai_costs.kernel.days import is_settled, naive
from openai_costs.settings.load import Connection
from openai_costs.sources.openai.costs.endpoints import USER_VIEW
from openai_costs.sources.openai.costs.line_items import parsed_columns
from openai_costs.sources.openai.costs.rows import DIMENSIONS, Day, batches
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl


def ledger_batches(
    reads: Iterable[KeptRead | DamagedRead], connection: Connection
) -> Iterator[Batch]:
    """Yield core.spend for kept reads."""
    return batches(Spend, reads, lambda _: "ledger", partial(_ledger, connection))


def by_user_batches(
    reads: Iterable[KeptRead | DamagedRead], connection: Connection
) -> Iterator[Batch]:
    """Yield core.spend_by_user: from the user view, or from a ledger that names users itself."""
    return batches(SpendByUser, reads, _user_part, partial(_by_user, connection))


def control_batches(reads: Iterable[KeptRead | DamagedRead], grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control: one row per read, also for a day without spend."""
    return batches(SpendControl, reads, lambda _: "control", partial(_control, grace))


def users_from(
    ledger: Iterable[Batch],
    connections: Sequence[Connection],
    pages_of: Callable[[Connection, Sequence[date]], Iterable[KeptRead | DamagedRead]],
) -> Iterator[Batch]:
    """Yield core.spend_by_user from core.spend, and from pages where the ledger has no users.

    Args:
        ledger: core.spend.
        connections: The connections it is of.
        pages_of: Returns the newest complete reads of some days of a connection.
    """
    for batch in ledger:
        named = slices_with_users(batch)
        yield batch.only(named).derive(users_of)
        for connection in connections:
            days = [key.day for key in batch.of(connection.name) if key not in named]
            yield from by_user_batches(pages_of(connection, days), connection)


def slices_with_users(ledger: Batch) -> set[Slice]:
    """Return the slices of core.spend whose rows were read by user; without rows nothing tells."""
    by_user = pl.col("grouping").str.split(",").list.contains("user_id")
    found = ledger.frame.filter(by_user).select("connection", "day").unique()
    return {Slice(*key) for key in found.iter_rows()}


def users_of(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return core.spend_by_user rows from core.spend rows that were read with users."""
    columns = list(SpendByUser.types())
    grain = [name for name in columns if name != "billed_usd"]
    return ledger.group_by(grain).agg(pl.col("billed_usd").sum()).select(columns).sort(grain)


def _user_part(read: KeptRead) -> str:
    """Return where the dollars by user are; a ledger without users has them all as nobody's."""
    return USER_VIEW if USER_VIEW in read.bodies else "ledger"


def _ledger(connection: Connection, frame: pl.DataFrame, _days: Sequence[Day]) -> pl.DataFrame:
    grain = ["connection", "day", *DIMENSIONS, "quantity_unit", "grouping"]
    quantity = pl.when(pl.col("quantity").is_not_null().any()).then(pl.col("quantity").sum())
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum(), quantity.alias("quantity"))
    return (
        _named(summed, connection)
        .select(list(Spend.types()))
        .sort("connection", "day", *DIMENSIONS, "quantity_unit")
    )


def _by_user(connection: Connection, frame: pl.DataFrame, _days: Sequence[Day]) -> pl.DataFrame:
    grain = ["connection", "day", "user_id", "line_item"]
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum())
    return _named(summed, connection).select(list(SpendByUser.types())).sort(grain)


def _named(frame: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    parsed = parsed_columns(frame["line_item"])
    return frame.join(parsed, on="line_item", how="left", nulls_equal=True).with_columns(
        pl.lit(connection.provider).alias("provider"),
        pl.lit(connection.organization_id, pl.String).alias("organization_id"),
    )


def _control(grace: timedelta, frame: pl.DataFrame, days: Sequence[Day]) -> pl.DataFrame:
    """One row per read: a day without results was read, and cost 0."""
    asked = [
        (
            *day.slice,
            is_settled(day.slice.day, day.read_at, grace),
            naive(day.read_at),
        )
        for day in days
    ]
    known = {
        name: SpendControl.types()[name] for name in ("connection", "day", "is_settled", "read_at")
    }
    billed = frame.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    return (
        pl.DataFrame(asked, schema=known, orient="row")
        .join(billed, on=["connection", "day"], how="left")
        .with_columns(pl.col("billed_usd").fill_null(0))
        .select(list(SpendControl.types()))
        .sort("connection", "day")
    )
