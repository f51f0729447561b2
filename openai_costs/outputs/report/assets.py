"""The cost explorer as an asset."""

from typing import Any

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import OWNERS, asset_key
from openai_costs.outputs.report.cost_explorer import PAGE, write_report
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deleted_months import DeletedMonths
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.forecast import Forecast
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs.tables.mart.spend_attribution import SpendAttribution

DOLLARS = (Spend, SpendAttribution, Ledger, Usage, Coverage, Restatements)
NAMES = (Projects, ApiKeys, Users, ServiceAccounts)
ANSWERS = (
    *(Findings, SpendAnomalies, BudgetStatus, Forecast, Optimization),
    *(GatewayBypass, GatewayCapture, Seats, PriceCheck),
)
AFTER = (DeletedMonths,)
"""Months that are deleted are on no page: the deletion ends first."""


@dg.asset(
    key=["report", "cost_explorer"],
    deps=[asset_key(table) for table in (*DOLLARS, *NAMES, *ANSWERS, *AFTER)],
    description="One page for people. The month, what moved it, an explorer of every dollar, "
    "findings, budgets and savings, in one HTML file that works offline.",
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
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(str(home / PAGE)),
            "total": page.total,
            "completeness": page.completeness,
        }
    )
