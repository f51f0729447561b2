"""The spend marts as assets: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.archive import Archive
from openai_costs.checks import run_days
from openai_costs.contracts import StoredBatches, asset_key, table_asset, whole_table_asset
from openai_costs.days import Clock
from openai_costs.lake import Lake
from openai_costs.settings import Settings
from openai_costs.slices import Batches
from openai_costs.sources.registry import provider_of
from openai_costs.spend.breakdown import by_project_key_model, by_user
from openai_costs.spend.changes import changes
from openai_costs.spend.coverage import coverage as of_costs
from openai_costs.spend.coverage import usage_coverage as of_usage
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

GROUP = "spend"
KINDS = {"polars", "parquet"}


@table_asset(Spend, group=GROUP, kinds=KINDS, reads=(Ledger,))
def spend(context: dg.AssetExecutionContext, ledger: StoredBatches) -> Batches:
    """Cut the ledger by project, key, model and usage type."""
    return (batch.derive(by_project_key_model) for batch in ledger)


@table_asset(SpendByUser, group=GROUP, kinds=KINDS, reads=(UserView,))
def spend_by_user(context: dg.AssetExecutionContext, user_view: StoredBatches) -> Batches:
    """Cut the user view by user, model and usage type."""
    return (batch.derive(by_user) for batch in user_view)


@table_asset(Restatements, group=GROUP, kinds=KINDS, deps=[asset_key(Ledger)])
def restatements(
    context: dg.AssetExecutionContext,
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Compare the kept reads of each day, one with the next."""
    return changes(archive, settings, run_days(context))


@whole_table_asset(Coverage, group=GROUP, kinds=KINDS, reads=(Ledger, SpendControl, Usage))
def coverage(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    archive: dg.ResourceParam[Archive],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> pl.DataFrame:
    """Lay the days that were read over the days there are."""
    first = {one.name: provider_of(one).first_day(archive, one) for one in settings.connections}
    asked = {one.name: first[one.name] for one in settings.connections if one.access == "full"}
    today, grace = clock().date(), settings.reading.grace
    costs = of_costs(lake.read(SpendControl), lake.slices(Ledger), first, today)
    return pl.concat([costs, of_usage(lake.slices(Usage), asked, grace, today)])


DAILY_ASSETS = (spend, spend_by_user, restatements)
WHOLE_ASSETS = (coverage,)
