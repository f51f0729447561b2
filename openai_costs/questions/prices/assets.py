"""The price check as an asset: take, call, return."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import dollars, listed
from openai_costs.kernel.money import total
from openai_costs.orchestration.checks import WARN, Rule, Verdict, day_checks
from openai_costs.orchestration.day_figures import record_days
from openai_costs.orchestration.table_assets import StoredBatches, asset_key, table_asset
from openai_costs.questions.prices.catalogue import SOURCE
from openai_costs.questions.prices.price_check import (
    checked_dollars,
    unknown_models,
    unpriced,
    without_list,
    without_tier,
)
from openai_costs.questions.prices.price_check import price_check as beside_list
from openai_costs.questions.provider_scope import HOW_FAR, PRICES, why_not
from openai_costs.questions.usage.billable import billable
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Batches
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.price_check import PriceCheck

GROUP = "prices"

KINDS = {"polars", "deltalake"}


@table_asset(PriceCheck, group=GROUP, kinds=KINDS, reads=(Spend, Usage), deps=[asset_key(Projects)])
def price_check(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    usage: StoredBatches,
    lake: dg.ResourceParam[Lake],
) -> Batches:
    """Lay the list price of the same quantity beside each line of the ledger."""
    used = pl.concat([billable(batch.frame) for batch in usage])
    projects = lake.read(Projects)
    return _counted(
        context, (batch.derive(lambda rows: beside_list(rows, used, projects)) for batch in ledger)
    )


def _counted(context: dg.AssetExecutionContext, batches: Batches) -> Iterator[Batch]:
    """Hand batches on, and record how much of each day's dollars was checked."""
    sums = []
    for batch in batches:
        sums.append(checked_dollars(batch.frame))
        yield batch
    days = pl.concat(sums).group_by("day").agg(pl.col("billed_usd", "checked_usd").sum())
    shares = {
        day: {"checked_pct": round(float(100 * checked / billed), 2)}  # a share is not money
        for day, billed, checked in days.filter(pl.col("billed_usd") != 0).iter_rows()
    }
    record_days(context, asset_key(PriceCheck), shares)


DAILY_ASSETS = (price_check,)

# The check of mart.price_check: warns of models without a list price, with their dollars.

MOST_LISTED = 10

KNOWN_PRICES = Rule(
    "known_prices",
    "The price catalogue knows every model that was billed by who has a price list in it.",
    WARN,
    is_daily=False,
)


@day_checks(asset_key(PriceCheck), (KNOWN_PRICES,))
def price_checks(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    """Judge the days of a run together."""
    missing = unpriced(lake.read(PriceCheck, days))
    unknown = unknown_models(missing)
    models = [f"{model} of {host} ({dollars(usd)})" for host, model, usd in unknown.iter_rows()]
    because = f"{SOURCE} does not know {listed(models, MOST_LISTED)}."
    others = [
        f"{dollars(usd)} of {host} were not compared: {why_not(PRICES, host)}"
        for host, usd in without_list(missing).iter_rows()
    ]
    others += [
        f"{dollars(usd)} of {host} are of tiers without a list price. {HOW_FAR[PRICES][host]}"
        for host, usd in without_tier(missing).iter_rows()
        if host in HOW_FAR[PRICES]
    ]
    usd = dollars(total(missing["billed_usd"]))
    figures: dict[str, str | int] = {"unknown_models": unknown.height, "unpriced_usd": usd}
    text = because if models else KNOWN_PRICES.promise
    yield Verdict(KNOWN_PRICES, days.last, not models, " ".join([text, *others]), figures)


CHECKS = (price_checks,)
