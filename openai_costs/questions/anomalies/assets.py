"""`mart/spend_anomalies` as an asset: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.orchestration.table_assets import whole_table_asset
from openai_costs.questions.anomalies.evaluation import evaluate
from openai_costs.questions.anomalies.preview import preview, top_five
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs.tables.mart.spend_attribution import SpendAttribution

GROUP = "anomalies"
KINDS = {"polars", "deltalake"}
READS = (Coverage, Spend, SpendAttribution, Ledger)


@whole_table_asset(SpendAnomalies, group=GROUP, kinds=KINDS, reads=READS)
def spend_anomalies(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> pl.DataFrame:
    """Judge the newest settled days of every series by the days before each."""
    evaluation = evaluate(lake, settings.anomalies)
    context.add_output_metadata(
        {
            "preview": dg.MetadataValue.md(preview(evaluation.verdicts)),
            "top_five": dg.MetadataValue.md(top_five(evaluation.anomalies)),
            "judged_days": evaluation.judged_days,
            "judged_series": evaluation.judged_series,
            "incidents": evaluation.incidents,
        }
    )
    return evaluation.anomalies


WHOLE_ASSETS = (spend_anomalies,)
