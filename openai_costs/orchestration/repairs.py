"""The nightly repair: damaged files are set aside, and their days rebuilt from kept pages.

It runs before the refresh, so that what is read from the provider is what the provider has changed,
and not what a disk has lost. Not here: what is damaged and how it is set aside (storage/repair.py).
"""

from collections.abc import Callable, Iterator
from datetime import date

import dagster as dg

from openai_costs.kernel.days import Clock, consecutive
from openai_costs.orchestration.jobs import REBUILD, range_tags
from openai_costs.orchestration.pruning import prune_history
from openai_costs.settings.load import Settings
from openai_costs.settings.read_again import Current
from openai_costs.storage.files import place
from openai_costs.storage.repair import described, repair

KeptDays = Callable[[Settings, date], set[date]]
"""Finds the days up to one that have kept pages."""


def daily_repair(
    current: Current, clock: Clock, kept_days: KeptDays, since: date
) -> dg.ScheduleDefinition:
    """Return the schedule that repairs the home every night; it asks no provider.

    On a disk it reads every file of the lake; an object store compares its files by itself.

    Args:
        current: Returns the settings: whose home.
        clock: Returns the current time.
        kept_days: Finds the days that have pages.
        since: The first day that runs can be of, whatever the settings say now.
    """

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        now, settings = context.scheduled_execution_time if context else clock(), current()
        home = place(settings.home)
        prune_history(home, now)
        done = repair(home)
        for line in described(done.lines):
            context.log.warning(line)
        kept = kept_days(settings, now.date()) if done.lines else set()
        for days in consecutive(done.again({day for day in kept if day >= since})):
            yield dg.RunRequest(run_key=f"repair:{now:%Y-%m-%d}:{days}", tags=range_tags(days))

    return dg.ScheduleDefinition(
        name="daily_repair",
        job_name=REBUILD,
        cron_schedule="30 1 * * *",
        execution_timezone="UTC",
        execution_fn=requests,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Set damaged files of the home aside, rebuild their days from kept "
        "pages, with no request, and delete old events of runs. On, because it sends no request "
        "to a provider.",
    )
