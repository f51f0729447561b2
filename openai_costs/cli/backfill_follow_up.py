"""Which runs the first ones of a backfill showed to be needed: what connections read is known then.

Not here: what a backfill does without them (backfill_plan.py).
"""

from datetime import date, datetime
from typing import NamedTuple

from openai_costs.cli.backfill_plan import Step, plan
from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.jobs import REBUILD
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import counted_elsewhere
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place


class Connected(NamedTuple):
    """What is known of connections.

    Args:
        names: Those of which pages are kept, each with its provider.
        counted_elsewhere: Those that read an organization which another one counts.
    """

    names: set[tuple[str, str]]
    counted_elsewhere: set[str]


def connected(settings: Settings) -> Connected:
    """Return what is known of connections now."""
    archive = Archive(place(settings.home))
    names = {
        (provider, name)
        for provider in {one.provider for one in settings.connections}
        for name in archive.connections(provider)
    }
    return Connected(names, {*counted_elsewhere(settings)})


def follow_up(
    settings: Settings, before: Connected, asked: DayRange | date, now: datetime
) -> list[Step]:
    """Return the runs that only the first ones of a backfill showed to be needed.

    All that is due where the servers' clocks say that it is an earlier day, or of connections that
    read an organization of their own since; and without a request the days that were kept under an
    older name of a connection, and had no tables.

    Args:
        settings: The connections.
        before: What was known before the first runs.
        asked: The range that they were of; a day that was today for those of what is due.
        now: The current instant, by the servers' clocks.
    """
    since = connected(settings)
    if isinstance(asked, date):
        if now.date() < asked:
            return plan(settings, None, now)
        if of_their_own := before.counted_elsewhere - since.counted_elsewhere:
            return plan(settings.only(*sorted(of_their_own)), None, now)
    if before.names - since.names:
        return [step for step in plan(settings, None, now) if step.job_name == REBUILD]
    return []
