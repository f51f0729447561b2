"""`mart/findings` as an asset, and the two tables that are written along the way."""

import dagster as dg
import polars as pl
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.kernel.errors import SettingsError
from openai_costs.orchestration.table_assets import asset_key, described, whole_table_asset
from openai_costs.outputs.alerts.confirmed_time import confirmed
from openai_costs.outputs.alerts.evaluation import NOTHING, evaluate
from openai_costs.outputs.alerts.mutes import mutes_in_force, with_mutes
from openai_costs.outputs.alerts.record import recorded
from openai_costs.outputs.alerts.rules import QUESTIONS
from openai_costs.questions.rules import Facts
from openai_costs.questions.spend.assets import listed
from openai_costs.questions.spend.names import marks
from openai_costs.questions.to_derive import days_to_derive
from openai_costs.settings import Alerts
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

GROUP = "alerts"
KINDS = {"polars", "deltalake"}
WAITS = (
    "Findings wait: %s have other names, teams or gateway settings than those of now. The sensor "
    "names_follow_the_directory derives them again, and so does `openai-costs backfill`."
)
READS = tuple(
    dict.fromkeys(table for one in QUESTIONS for table in one.reads if table is not Deliveries)
)
"""What the questions read; deliveries follow the findings, and their failures a day later."""


@whole_table_asset(Findings, group=GROUP, kinds=KINDS, reads=READS)
def findings(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    home: dg.ResourceParam[UPath],
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
) -> pl.DataFrame:
    """Evaluate every question, and record what changed about the findings.

    None is asked of tables of which some days say something else than names, gateway and settings
    say now: their sums are of no settings that ever were, and messages would have them.
    """
    facts = Facts(settings, confirmed(lake, settings, clock)(), marks(listed(lake)))
    waiting = [days for days in days_to_derive(lake, settings) if days.first <= facts.today]
    for days in waiting:
        context.log.warning(WAITS, days)
    evaluation = NOTHING if waiting else evaluate(lake, facts, QUESTIONS)
    found = recorded(lake, evaluation, _alerts(context, lake, home, settings), facts.today)
    context.log_event(dg.AssetMaterialization(asset_key(FindingChanges)))
    # Without an event it would look abandoned until the first message, or for ever.
    context.log_event(
        dg.AssetMaterialization(asset_key(Deliveries), metadata={"note": _sending(settings)})
    )
    return found


def _sending(settings: Settings) -> str:
    if not settings.alerts.routes:
        return "[alerts] has no route: nothing is sent."
    return "The sensor deliver_findings, or openai-costs deliver, sends what is due."


def _alerts(
    context: dg.AssetExecutionContext, lake: Lake, home: UPath, settings: Settings
) -> Alerts:
    """Return the settings of alerts; a damaged file of mutes must not keep money from readers."""
    try:
        return with_mutes(settings.alerts, home)
    except SettingsError as damaged:
        context.log.info("%s Until then, findings that are muted now stay muted.", damaged)
        in_force = mutes_in_force(lake.read(Findings))
        return settings.alerts.model_copy(update={"mutes": (*in_force, *settings.alerts.mutes)})


def external_tables() -> list[dg.AssetSpec]:
    """Return the tables that no run materialises: they are written along the way."""
    return [
        dg.AssetSpec(**described(table), deps=[asset_key(Findings)], group_name=GROUP, kinds=KINDS)
        for table in (FindingChanges, Deliveries)
    ]


WHOLE_ASSETS = (findings,)
