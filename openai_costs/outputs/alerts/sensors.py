"""What Dagster does by itself: it looks whether data is late or red, and delivers.

On when there is a route: without one there is nobody to tell, and nothing for the daemon to do.
Off again in the UI at any time; Dagster remembers that.
"""

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.outputs.alerts.dagster_rules import Record
from openai_costs.outputs.alerts.delivery import deliver
from openai_costs.outputs.alerts.rounds import look
from openai_costs.outputs.alerts.rules import DATA_OWNER
from openai_costs.questions.rules import Facts
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries

DELIVER_EVERY = 60
WATCH_EVERY = 300


def sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Build the sensors for some settings."""
    on = (
        dg.DefaultSensorStatus.RUNNING if settings.alerts.routes else dg.DefaultSensorStatus.STOPPED
    )
    return [_watch_data(on), _deliver_findings(on)]


def _watch_data(on: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_data",
        minimum_interval_seconds=WATCH_EVERY,
        default_status=on,
        description="Find late days, red checks, failed runs and channels that are down; let mutes "
        "begin and end.",
    )
    def watch(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        home: dg.ResourceParam[UPath],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SkipReason:
        facts = Facts(settings, clock())
        record = _record(context)
        found = look(lake, home, facts, lambda: record.red(facts.now, DATA_OWNER))
        return dg.SkipReason(f"Late, undelivered or red: {found}.")

    return watch


def _record(context: dg.SensorEvaluationContext) -> Record:
    code = context.repository_def
    if code is None:
        raise dg.Failure("This sensor runs inside a code location only.", allow_retries=False)
    return Record(context.instance, code.asset_graph, code.job_names)


def _deliver_findings(on: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name="deliver_findings",
        minimum_interval_seconds=DELIVER_EVERY,
        default_status=on,
        description="Tell each change of a finding once, through every route that wants it.",
    )
    def tell(
        lake: dg.ResourceParam[Lake],
        settings: dg.ResourceParam[Settings],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SensorResult:
        done = deliver(lake, settings.alerts, clock)
        events = [dg.AssetMaterialization(asset_key(Deliveries), metadata=vars(done))]
        return dg.SensorResult(
            skip_reason=str(done), asset_events=events if done.sent or done.failed else []
        )

    return tell
