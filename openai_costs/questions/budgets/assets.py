"""`mart/budget_status` as an asset, and its check: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.orchestration.table_assets import asset_key, whole_table_asset
from openai_costs.questions.budgets.preview import preview, top_five
from openai_costs.questions.budgets.spending import read_status
from openai_costs.questions.budgets.status import unspent
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

GROUP = "budgets"
READS = (Coverage, Spend, SpendAttribution, SpendLimits)


@whole_table_asset(BudgetStatus, group=GROUP, kinds={"polars", "deltalake"}, reads=READS)
def budget_status(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> pl.DataFrame:
    """Add up what each budget counts, and forecast its period."""
    status = read_status(lake, settings.budgets)
    context.add_output_metadata(
        {
            "preview": dg.MetadataValue.md(preview(status)),
            "top_five": dg.MetadataValue.md(top_five(status)),
            "budgets": status["budget"].n_unique(),
        }
    )
    return status


@dg.asset_check(
    asset=asset_key(BudgetStatus),
    description="Every budget counts some spend, so its id is known.",
)
def known_scopes(lake: dg.ResourceParam[Lake]) -> dg.AssetCheckResult:
    """Judge whether each budget counts anything: one with a wrong id is never exceeded."""
    warnings = unspent(lake.read(BudgetStatus))
    return dg.AssetCheckResult(
        passed=not warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(warnings) or "Every budget counts some spend.",
    )


WHOLE_ASSETS = (budget_status,)
CHECKS = (known_scopes,)
