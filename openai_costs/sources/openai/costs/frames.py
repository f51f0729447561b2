"""The core tables from the results of cost pages: grouped, named, summed exactly.

The vendor's own words end here. Pure: kept reads in, Polars frames out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial

import polars as pl

from openai_costs.kernel.days import is_over, is_settled, naive
from openai_costs.kernel.money import sum_with_room
from openai_costs.kernel.sorting import in_order
from openai_costs.settings.connection import Connection
from openai_costs.sources.ledger_rows import invoiced
from openai_costs.sources.openai.costs.endpoints import USER_VIEW
from openai_costs.sources.openai.costs.line_items import parsed_columns
from openai_costs.sources.openai.costs.rows import DIMENSIONS, Day, batches
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Batch
from openai_costs.tables.core.spend import UNBILLED, Spend
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


def _user_part(read: KeptRead) -> str:
    """Return where the dollars by user are; a ledger without users has them all unattributed."""
    return USER_VIEW if USER_VIEW in read.bodies else "ledger"


def _ledger(connection: Connection, frame: pl.DataFrame, _days: Sequence[Day]) -> pl.DataFrame:
    grain = ["connection", "day", *DIMENSIONS, "quantity_unit", "grouping", "organization_id"]
    quantity = pl.when(pl.col("quantity").is_not_null().any()).then(
        sum_with_room(pl.col("quantity"))
    )
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum(), quantity.alias("quantity"))
    whole = invoiced(_named(summed, connection), connection)
    return in_order(whole, ["connection", "day", *DIMENSIONS, "quantity_unit"])


def _by_user(connection: Connection, frame: pl.DataFrame, _days: Sequence[Day]) -> pl.DataFrame:
    grain = ["connection", "day", "user_id", "line_item"]
    summed = frame.group_by(grain).agg(pl.col("billed_usd").sum(), pl.col("organization_id").max())
    return in_order(_named(summed, connection).select(list(SpendByUser.types())), grain)


def _named(frame: pl.DataFrame, connection: Connection) -> pl.DataFrame:
    parsed = parsed_columns(frame["line_item"])
    return frame.join(parsed, on="line_item", how="left", nulls_equal=True).with_columns(
        provider=pl.lit(connection.provider),
        organization_id=pl.coalesce(
            "organization_id", pl.lit(connection.organization_id, pl.String)
        ),
    )


def _control(grace: timedelta, frame: pl.DataFrame, days: Sequence[Day]) -> pl.DataFrame:
    """One row per read: a day without results was read, and cost 0."""
    asked = [
        (
            *day.slice,
            is_settled(day.slice.day, day.read_at, grace),
            is_over(day.slice.day, day.read_at),
            naive(day.read_at),
        )
        for day in days
    ]
    names = ("connection", "day", "is_settled", "is_over", "read_at")
    known = {name: SpendControl.types()[name] for name in names}
    billed = frame.group_by("connection", "day").agg(pl.col("billed_usd").sum())
    no_other = {
        f"{basis}_usd": pl.lit(None, SpendControl.types()[f"{basis}_usd"]) for basis in UNBILLED
    }
    return (
        pl.DataFrame(asked, schema=known, orient="row")
        .join(billed, on=["connection", "day"], how="left")
        .with_columns(pl.col("billed_usd").fill_null(0), **no_other)
        .select(list(SpendControl.types()))
        .sort("connection", "day")
    )
