"""What the ledger itself gives where a provider has no separate view: dollars by user, and totals.

Pure: batches of core.spend in, batches of core.spend_by_user and core.spend_control out.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import is_settled, naive
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl

_READ = {
    name: SpendControl.types()[name] for name in ("connection", "day", "is_settled", "read_at")
}


def by_user(ledger: Batch, wanted: Collection[Slice]) -> Batch:
    """Return core.spend_by_user of some slices of core.spend.

    Rows that name no user stay without one, so that the dollars of a day are the same in both
    tables.
    """
    return ledger.only(set(wanted)).derive(users_of)


def slices_with_users(ledger: Batch) -> set[Slice]:
    """Return the slices of core.spend whose rows were read by user; without rows there are none."""
    is_by_user = pl.col("grouping").str.split(",").list.contains("user_id")
    found = ledger.frame.filter(is_by_user).select("connection", "day").unique()
    return {Slice(*key) for key in found.iter_rows()}


def users_of(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return core.spend_by_user rows from core.spend rows."""
    columns = list(SpendByUser.types())
    grain = [name for name in columns if name != "billed_usd"]
    return ledger.group_by(grain).agg(pl.col("billed_usd").sum()).select(columns).sort(grain)


def control(ledger: Iterable[Batch], grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control from a cleaned ledger: what its pages add up to before cleaning.

    Args:
        ledger: core.spend as it was cleaned, with the sums of its pages.
        grace: How long after its end a day stays provisional.
    """
    for batch in ledger:
        sums = batch.frame.group_by("connection", "day").agg(pl.col("billed_usd").sum())
        totals = {Slice(*key): usd for *key, usd in sums.iter_rows()} | dict(batch.page_usd)
        rows = [
            (*key, is_settled(key.day, at, grace), naive(at), totals.get(key, Decimal(0)))
            for key, at in batch.read_at.items()
        ]
        yield Batch(_totals(rows), batch.read_at, batch.refused, read_number=batch.read_number)


def _totals(rows: list[tuple[str, date, bool, datetime, Decimal]]) -> pl.DataFrame:
    columns = ("connection", "day", "is_settled", "read_at", "billed_usd")
    schema = {name: SpendControl.types()[name] for name in columns}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.select(list(SpendControl.types())).sort("connection", "day")
