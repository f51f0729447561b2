"""The two sensors: one evaluates the rules about data, the other sends the delivery queue.

On when there is a route: without one there is no receiver, and nothing for the daemon to do.
The UI turns them off at any time; Dagster remembers that. Connections, routes and mutes are those
of the settings file at each tick, as in a run: what a run mutes would be opened and sent again.
"""

from collections.abc import Callable

import dagster as dg
from upath import UPath

from openai_costs.kernel.days import Clock
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.outputs.alerts.confirmed_time import confirmed
from openai_costs.outputs.alerts.dagster_rules import DagsterHistory
from openai_costs.outputs.alerts.delivery import DeliveryCounts, deliver
from openai_costs.outputs.alerts.evaluation import evaluate, evaluated_today
from openai_costs.outputs.alerts.mutes import with_mutes
from openai_costs.outputs.alerts.record import record
from openai_costs.outputs.alerts.rules import DAGSTER_RULES, DATA_OWNER, DATA_QUESTIONS
from openai_costs.questions.rules import Facts
from openai_costs.settings.load import Settings
from openai_costs.settings.read_again import Current
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.findings import Findings

DELIVER_EVERY = 60
WATCH_EVERY = 300


Resend = Callable[[Settings, Clock], DeliveryCounts]
"""Sends again what is not a finding and failed: the weekly digest."""


def sensors(settings: Settings, current: Current, resend: Resend) -> list[dg.SensorDefinition]:
    """Build the sensors for some settings.

    Args:
        settings: Whether there is a route.
        current: Returns the settings as they are at a tick.
        resend: Sends again what is not a finding and failed.
    """
    on = (
        dg.DefaultSensorStatus.RUNNING if settings.alerts.routes else dg.DefaultSensorStatus.STOPPED
    )
    return [_watch_data(on, current), _deliver_findings(on, current, resend)]


def _watch_data(on: dg.DefaultSensorStatus, current: Current) -> dg.SensorDefinition:
    @dg.sensor(
        name="watch_data",
        minimum_interval_seconds=WATCH_EVERY,
        default_status=on,
        description="Finds late days, failed checks, failed runs and routes that do not deliver; "
        "starts and ends mutes. On where [alerts] has a route, off where it has none.",
    )
    def watch(
        context: dg.SensorEvaluationContext,
        lake: dg.ResourceParam[Lake],
        home: dg.ResourceParam[UPath],
        clock: dg.ResourceParam[Clock],
    ) -> dg.SkipReason:
        settings = current()
        now, history = confirmed(lake, settings, clock)(), _history(context, settings)
        facts = Facts(settings, now)
        with lake.alone(Findings):
            failed = history.candidates(facts.now, DATA_OWNER)
            evaluation = evaluate(lake, facts, DATA_QUESTIONS)
            evaluation |= evaluated_today(failed, DAGSTER_RULES, facts.today)
            record(lake, evaluation, with_mutes(settings.alerts, home), facts.today)
        return dg.SkipReason(f"Late, failed or not delivered: {evaluation.candidates.height}.")

    return watch


def _history(context: dg.SensorEvaluationContext, settings: Settings) -> DagsterHistory:
    code = context.repository_def
    if code is None:
        raise dg.Failure("This sensor runs only inside a code location.", allow_retries=False)
    return DagsterHistory(context.instance, code.asset_graph, code.job_names, settings)


def _deliver_findings(
    on: dg.DefaultSensorStatus, current: Current, resend: Resend
) -> dg.SensorDefinition:
    @dg.sensor(
        name="deliver_findings",
        minimum_interval_seconds=DELIVER_EVERY,
        default_status=on,
        description="Sends each change of a finding once through every route that matches it, and "
        "again what failed, the weekly digest too. "
        "On where [alerts] has a route, off where it has none.",
    )
    def send(lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]) -> dg.SensorResult:
        settings = current()
        now = confirmed(lake, settings, clock)
        counts = deliver(lake, settings.alerts, now) + resend(settings, now)
        events = [dg.AssetMaterialization(asset_key(Deliveries), metadata=vars(counts))]
        return dg.SensorResult(
            skip_reason=str(counts), asset_events=events if counts.sent or counts.failed else []
        )

    return send
