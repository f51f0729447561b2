"""The cost explorer as an asset: made after publication, of what that has published."""

from typing import Any

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import OWNERS, asset_key
from openai_costs.outputs.publish.publication import publication_of
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.settings.load import Settings
from openai_costs.tables.contract import all_contracts

PRIORITY = "dagster/priority"
"""Dagster's tag of a step: of those that can begin, the one with the highest number does."""


@dg.asset(
    key=["report", "cost_explorer"],
    # It waits for what publication waits for, and comes next. It does not depend on it: one that
    # is red, because a day had to be held back, has published the others, and the page has them.
    deps=[asset_key(table) for table in all_contracts()],
    op_tags={PRIORITY: "-1"},
    description="One page for people, of what was published last. The month, what moved it, an "
    "explorer of every dollar, findings, budgets and savings, in one HTML file that works offline.",
    backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
    group_name="report",
    kinds={"html"},
    owners=list(OWNERS),
    pool="publish",
)
def cost_explorer(
    context: dg.AssetExecutionContext,
    home: dg.ResourceParam[UPath],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> dg.MaterializeResult[Any]:
    """Rebuild the page."""
    page = write_report(publication_of(settings), clock())
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(home / PAGE)),
            "total": page.total,
            "completeness": page.completeness,
        }
    )
