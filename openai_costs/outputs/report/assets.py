"""The cost explorer as an asset."""

from typing import Any

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import OWNERS, asset_key
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser

READS = (Spend, SpendByUser, Coverage, Restatements, Projects, Findings, BudgetStatus)


@dg.asset(
    key=["report", "cost_explorer"],
    deps=[asset_key(table) for table in READS],
    description="One page for people. Spend, changes, budgets, findings and open questions in one "
    "HTML file that works offline.",
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name="report",
    kinds={"html"},
    owners=list(OWNERS),
    pool="publish",
)
def cost_explorer(
    context: dg.AssetExecutionContext,
    home: dg.ResourceParam[UPath],
    lake: dg.ResourceParam[Lake],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult[Any]:
    """Rebuild the page."""
    page = write_report(home, lake, clock())
    everything = page.views[0]
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(home / PAGE)),
            "total": everything.total,
            "completeness": everything.completeness,
        }
    )
