"""The job that sends the weekly digest, and its schedule."""

import dagster as dg

from openai_costs.kernel.days import Clock
from openai_costs.outputs.alerts.confirmed_time import confirmed
from openai_costs.outputs.digest.due import cron_of
from openai_costs.outputs.digest.sending import send_weekly
from openai_costs.settings.alerts import Weekly
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake

NAME = "weekly_digest"


@dg.op(
    name="send_weekly_digest",
    ins={},
    out=dg.Out(dg.Nothing),
    description="Send the first screen of the cost explorer to each route that has not had it "
    "this week. A route that fails is tried again by the sensor deliver_findings.",
)
def _send(
    context: dg.OpExecutionContext,
    settings: dg.ResourceParam[Settings],
    clock: dg.ResourceParam[Clock],
    lake: dg.ResourceParam[Lake],
) -> None:
    now = confirmed(lake, settings, clock)
    context.log.info("Weekly digest: %s.", send_weekly(settings, now))


@dg.job(
    name=NAME,
    description="The month so far and expected, what moved it, what to decide, what could be "
    "saved, and whether the numbers hold: one message a week.",
)
def weekly_digest() -> None:
    """Send the digest."""
    _send()


def weekly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Return the schedule of the digest: on where the settings name its routes."""
    weekly = settings.alerts.weekly
    on, off = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
    return dg.ScheduleDefinition(
        name=NAME,
        job=weekly_digest,
        cron_schedule=cron_of(weekly or Weekly(routes=("none",))),
        execution_timezone="UTC",
        default_status=on if weekly else off,
        description="Send the weekly digest. On where [alerts.weekly] names routes, off where "
        "there are none: it would reach no one.",
    )
