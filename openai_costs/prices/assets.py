"""The price check as an asset: take, call, return."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from openai_costs.contracts import StoredBatches, asset_key, table_asset
from openai_costs.prices.price_check import checked_dollars
from openai_costs.prices.price_check import price_check as beside_list
from openai_costs.slices import Batch, Batches
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.usage.billable import billable

GROUP = "prices"
KINDS = {"polars", "parquet"}


@table_asset(PriceCheck, group=GROUP, kinds=KINDS, reads=(Spend, Usage))
def price_check(
    context: dg.AssetExecutionContext, ledger: StoredBatches, usage: StoredBatches
) -> Batches:
    """Lay the list price of the same quantity beside each line of the ledger."""
    used = pl.concat([billable(batch.frame) for batch in usage])
    return _counted(
        context, (batch.derive(lambda rows: beside_list(rows, used)) for batch in ledger)
    )


def _counted(context: dg.AssetExecutionContext, batches: Batches) -> Iterator[Batch]:
    """Hand batches on, and record how much of each day's dollars was checked."""
    sums = []
    for batch in batches:
        sums.append(checked_dollars(batch.frame))
        yield batch
    days = pl.concat(sums).group_by("day").agg(pl.col("billed_usd", "checked_usd").sum())
    for day, billed, checked in days.filter(pl.col("billed_usd") != 0).iter_rows():
        share = {"checked_pct": float(100 * checked / billed)}  # a share is no money
        context.add_asset_metadata(share, asset_key=asset_key(PriceCheck), partition_key=str(day))


DAILY_ASSETS = (price_check,)
