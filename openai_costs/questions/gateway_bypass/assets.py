"""The bypass and the unspent keys as assets: take, call, return."""

from datetime import date

import dagster as dg
import polars as pl

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.orchestration.table_assets import (
    StoredBatches,
    asset_key,
    table_asset,
    whole_table_asset,
)
from openai_costs.questions.coverage import of_connected
from openai_costs.questions.gateway import LOOKBACK, judged_days, registry_until_of
from openai_costs.questions.gateway_bypass.bypass import Activity, bypass
from openai_costs.questions.gateway_bypass.key_lists import unspent_keys as without_spend
from openai_costs.questions.gateway_bypass.unjudged import KEYED, unjudged
from openai_costs.questions.provider_scope import ON_ITS_BILL, OPENAI, of_openai
from openai_costs.settings import Gateway
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batches
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.unspent_keys import UnspentKeys

GROUP = "gateway_bypass"
KINDS = {"polars", "deltalake"}
_BILLED = "SELECT DISTINCT api_key_id FROM stored WHERE api_key_id IS NOT NULL"
_KEYED = f"""
    SELECT connection,
           CAST(coalesce(sum(billed_usd) FILTER (api_key_id IS NOT NULL), 0) AS DECIMAL(38, 18)),
           CAST(sum(billed_usd) AS DECIMAL(38, 18))
    FROM stored WHERE {ON_ITS_BILL} AND day >= DATE '{{first}}' GROUP BY ALL
"""  # noqa: S608 - our own words
JUDGED = "every_dollar_is_judged"
PROMISE = "All spend of the last 30 days can be compared with the gateway."
EXPLANATIONS = (Usage, GatewaySpend, CostReconciliation, GatewayTokens, ApiKeys, Projects)


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
    UnspentKeys,
    group=GROUP,
    kinds=KINDS,
    reads=(ApiKeys, AdminKeys, GatewayTokens, Spend, Coverage),
)
def unspent_keys(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> pl.DataFrame:
    """List the keys that cost nothing but could."""
    coverage, tokens = lake.read(Coverage), lake.read(GatewayTokens)
    keys, admins = (of_connected(lake.read(one), coverage) for one in (ApiKeys, AdminKeys))
    keys = of_openai(keys)  # others do not report when a key was last used
    billed = lake.ask(Spend, _BILLED, pl.Schema({"api_key_id": pl.String()}))["api_key_id"]
    known = {*tokens["openai_api_key_id"].drop_nulls(), *billed}
    return without_spend(keys, admins, known, settings.gateway.allowed, clock().date())


@dg.asset_check(asset=asset_key(UnspentKeys), name=JUDGED, description=PROMISE)
def every_dollar_is_judged(
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.AssetCheckResult:
    """Say what of the bill cannot be compared with the gateway, and why."""
    reasons = why_unjudged(lake, settings, clock().date())
    return dg.AssetCheckResult(
        passed=not reasons,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(reasons) or PROMISE,
    )


DAILY_ASSETS = (gateway_bypass,)
WHOLE_ASSETS = (unspent_keys,)
CHECKS = (every_dollar_is_judged,)


def why_unjudged(lake: Lake, settings: Settings, today: date) -> list[str]:
    """Return why spend of the last 30 days is not judged by the gateway in full; empty if it is."""
    gateway = settings.gateway
    if not gateway.is_there:
        return []
    ours = [one for one in settings.connections if one.provider == OPENAI]
    first = today - LOOKBACK
    billed = lake.ask(Spend, _KEYED.format(first=first), KEYED)
    known = not gateway.has_registry or registry_until_of(lake, gateway) > date.min
    return unjudged(
        billed.filter(pl.col("connection").is_in([one.name for one in ours])),
        [one.name for one in ours if one.access == "costs_only"],
        is_registry_known=known,
    )


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
        meter=lake.read(GatewaySpend, days),
        reconciliation=lake.read(CostReconciliation, days),
        tokens=lake.read(GatewayTokens),
        keys=lake.read(ApiKeys),
        projects=lake.read(Projects),
    )
    return bypass(activity, gateway)
