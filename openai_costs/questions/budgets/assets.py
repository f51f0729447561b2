"""Budgets and the month's forecast as assets, and their check: take, call, return."""

from decimal import Decimal

import dagster as dg
import polars as pl

from openai_costs.kernel.days import ONE_DAY, month_of
from openai_costs.orchestration.table_assets import asset_key, whole_table_asset
from openai_costs.questions.budgets.month_end import SPEND, month_end
from openai_costs.questions.budgets.periods import known_days, newest_read, settled_through
from openai_costs.questions.budgets.preview import preview, top_five
from openai_costs.questions.budgets.running import newest
from openai_costs.questions.budgets.scopes import CHARGED
from openai_costs.questions.budgets.spending import read_status
from openai_costs.questions.budgets.status import PAST_DAYS, unspent
from openai_costs.questions.coverage import of_costs
from openai_costs.settings import Budget
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.forecast import Forecast
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

GROUP = "budgets"
EVERYTHING = Budget(name="everything", limit_usd=Decimal(1))
"""What the days of all connections of today are known of."""
DAILY = f"""
    SELECT connection, day, provider, {{}},
           CAST(sum(billed_usd) AS DECIMAL(38, 18)) AS billed_usd,
           CAST({CHARGED} AS DECIMAL(38, 18)) AS charged_usd
    FROM stored WHERE day > DATE '{{}}' GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - our own words
OF_EVERYONE = "NULL AS team, NULL AS user_id, NULL AS user_name"
READS = (Coverage, Spend, SpendAttribution, SpendLimits)


@whole_table_asset(BudgetStatus, group=GROUP, kinds={"polars", "deltalake"}, reads=READS)
def budget_status(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> pl.DataFrame:
    """Add up what each budget counts, and forecast its period."""
    status = read_status(lake, settings.budgets)
    through = settled_through(known_days(of_costs(lake.read(Coverage)), EVERYTHING))
    fullest = newest(status, through)
    context.add_output_metadata(
        {
            "preview": dg.MetadataValue.md(preview(fullest)),
            "top_five": dg.MetadataValue.md(top_five(fullest)),
            "budgets": status["budget"].n_unique(),
        }
    )
    return status


@whole_table_asset(
    Forecast,
    group=GROUP,
    kinds={"polars", "deltalake"},
    reads=(Coverage, Spend, SpendAttribution),
)
def forecast(context: dg.AssetExecutionContext, lake: dg.ResourceParam[Lake]) -> pl.DataFrame:
    """Forecast the running month, with or without a budget."""
    coverage = of_costs(lake.read(Coverage))
    newest_day = newest_read(coverage)
    if newest_day is None:
        return Forecast.no_rows()
    since = newest_day - ONE_DAY * PAST_DAYS
    today = coverage.select("connection").unique()
    spend, people = (
        lake.ask(table, DAILY.format(whose, since), SPEND).join(today, on="connection", how="semi")
        for table, whose in ((Spend, OF_EVERYONE), (SpendAttribution, "team, user_id, user_name"))
    )
    known = known_days(coverage, EVERYTHING).filter(pl.col("day") > since, state="settled")
    return month_end(spend, people, known["day"].to_list(), month_of(newest_day))


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


WHOLE_ASSETS = (budget_status, forecast)
CHECKS = (known_scopes,)
