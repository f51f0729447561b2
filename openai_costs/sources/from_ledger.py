"""What the ledger itself gives where a provider has no separate view: dollars by user, and totals.

Pure: batches of core.spend in, batches of core.spend_by_user and core.spend_control out. Only
billed dollars are of users; metered and estimated ones have totals of their own.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import is_over, is_settled, naive
from openai_costs.kernel.sorting import in_order
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import BILLED, COST_BASES, UNBILLED
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl

_TOTAL = SpendControl.types()["billed_usd"]


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
    """Return core.spend_by_user rows from billed rows of core.spend."""
    columns = list(SpendByUser.types())
    grain = [name for name in columns if name != "billed_usd"]
    summed = ledger.group_by(grain).agg(pl.col("billed_usd").sum())
    return in_order(summed.select(columns), grain)


def control(ledger: Iterable[Batch], grace: timedelta) -> Iterator[Batch]:
    """Yield core.spend_control from a cleaned ledger: what its pages add up to before cleaning.

    Args:
        ledger: core.spend as it was cleaned, with the sums of its pages.
        grace: How long after its end a day stays provisional.
    """
    for batch in ledger:
        totals = {basis: _totals(batch.frame, basis) for basis in COST_BASES}
        totals[BILLED] |= batch.page_usd
        for key, of_pages in batch.unbilled_page_usd.items():
            for basis, usd in of_pages.items():
                totals[basis][key] = usd
        rows = [
            (
                *key,
                totals[BILLED].get(key, Decimal(0)),
                *(totals[basis].get(key) for basis in UNBILLED),
                is_settled(key.day, at, grace),
                is_over(key.day, at),
                naive(at),
            )
            for key, at in batch.read_at.items()
        ]
        frame = pl.DataFrame(rows, schema=SpendControl.types(), orient="row")
        in_order = frame.sort("connection", "day")
        yield Batch(in_order, batch.read_at, batch.refused, read_number=batch.read_number)


def _totals(ledger: pl.DataFrame, basis: str) -> dict[Slice, Decimal]:
    rows = ledger.filter(pl.col("cost_basis") == basis)
    sums = rows.group_by("connection", "day").agg(pl.col("billed_usd").sum().cast(_TOTAL))
    return {Slice(*key): usd for *key, usd in sums.iter_rows()}
