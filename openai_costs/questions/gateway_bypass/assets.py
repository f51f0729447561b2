"""The bypass and the unspent keys as assets: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.table_assets import (
    StoredBatches,
    asset_key,
    table_asset,
    whole_table_asset,
)
from openai_costs.questions.gateway import judged_days
from openai_costs.questions.gateway_bypass.bypass import Activity, bypass
from openai_costs.questions.gateway_bypass.key_lists import unspent_keys as without_spend
from openai_costs.questions.provider_scope import of_openai
from openai_costs.settings import Gateway
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.unspent_keys import UnspentKeys

GROUP = "gateway_bypass"
KINDS = {"polars", "deltalake"}
_BILLED = "SELECT DISTINCT api_key_id FROM stored WHERE api_key_id IS NOT NULL"
EXPLANATIONS = (Usage, CostReconciliation, GatewayTokens, ApiKeys, Projects)


@table_asset(
    GatewayBypass,
    group=GROUP,
    kinds=KINDS,
    reads=(Spend,),
    deps=[asset_key(table) for table in EXPLANATIONS],
)
def gateway_bypass(
    context: dg.AssetExecutionContext,
    ledger: StoredBatches,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """List the keys that spent without the gateway."""
    for batch in ledger:
        yield batch.derive(lambda rows: _bypass(of_openai(rows), lake, settings.gateway))


@whole_table_asset(
    UnspentKeys, group=GROUP, kinds=KINDS, reads=(ApiKeys, AdminKeys, GatewayTokens, Spend)
)
def unspent_keys(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> pl.DataFrame:
    """List the keys that cost nothing but could."""
    keys, admins, tokens = (lake.read(one) for one in (ApiKeys, AdminKeys, GatewayTokens))
    billed = lake.ask(Spend, _BILLED, pl.Schema({"api_key_id": pl.String()}))["api_key_id"]
    known = {*tokens["openai_api_key_id"].drop_nulls(), *billed}
    return without_spend(keys, admins, known, settings.gateway.allowed, clock().date())


DAILY_ASSETS = (gateway_bypass,)
WHOLE_ASSETS = (unspent_keys,)


def _bypass(ledger: pl.DataFrame, lake: Lake, gateway: Gateway) -> pl.DataFrame:
    """Return mart.gateway_bypass of the ledger's connections and days."""
    first, last = ledger["day"].min(), ledger["day"].max()
    days = judged_days(lake, gateway, DayRange(first, last)) if first is not None else None  # type: ignore[arg-type]  # days, as the column says
    if days is None:
        return GatewayBypass.no_rows()
    in_use = ledger.filter(pl.col("day").is_between(days.first, days.last))
    slices = in_use.select("connection", "day").unique()
    activity = Activity(
        ledger=in_use,
        usage=lake.read(Usage, days).join(slices, on=["connection", "day"], how="semi"),
        reconciliation=lake.read(CostReconciliation, days),
        tokens=lake.read(GatewayTokens),
        keys=lake.read(ApiKeys),
        projects=lake.read(Projects),
    )
    return bypass(activity, gateway)
