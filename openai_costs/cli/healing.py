"""What a backfill does about damage before and after: sets it aside, and rebuilds those days.

Not here: what is damaged and how it is set aside (storage/repair.py), the runs (backfill.py).
"""

from collections.abc import Sequence
from datetime import date

from openai_costs.cli.backfill_plan import Step, from_kept_pages
from openai_costs.cli.progress import Say
from openai_costs.kernel.clock_skew import skew_aware
from openai_costs.kernel.days import Clock, consecutive
from openai_costs.outputs.alerts.mutes import restore_mutes
from openai_costs.outputs.publish.tie_outs import untied_lake
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.questions.spend.verification import LAKE
from openai_costs.settings.load import Settings
from openai_costs.sources.registry import provider_of
from openai_costs.storage.files import place
from openai_costs.storage.future_days import described as days_described
from openai_costs.storage.future_days import future_days, set_future_days_aside
from openai_costs.storage.lake import Lake
from openai_costs.storage.repair import described, repair
from openai_costs.tables.core.gateway_spend import GatewaySpend


def healed(settings: Settings, today: date, say: Say, *, is_deep: bool = False) -> list[Step]:
    """Set damaged files aside, and return what rebuilds their rows from kept pages.

    A damaged table has lost rows of every connection, whichever this process reads.

    Args:
        settings: Whose home.
        today: The current UTC day.
        say: Takes a line for each damaged file.
        is_deep: Read every data file of an object store too; those on a disk are always read.
    """
    home = place(settings.home)
    done = repair(home, is_deep=is_deep)
    for line in described([*done.lines, *restore_mutes(home)]):
        say(line)
    if not (done.days or done.lost_all or done.lost_tables):
        return []
    kept = from_kept_pages(settings.only(), None, today)
    return _steps(kept, done.again({day for step in kept for day in step.days}))


def after_a_failed_publication(settings: Settings, today: date, say: Say) -> list[Step]:
    """Return what rebuilds what is damaged or does not tie out, so that it can be published."""
    steps = healed(settings, today, say, is_deep=True)
    lake = Lake(place(settings.home))
    untied = untied_lake(lake, slices_in_flight(lake))
    days = {one.day for one in untied if one.place == LAKE}
    return [*steps, *_steps(from_kept_pages(settings.only(), None, today), days)]


def set_days_to_come_aside(settings: Settings, clock: Clock, say: Say) -> None:
    """Set days aside that are in the future by any clock, once a server's clock was compared.

    Where every connection reads files, there is no server, and ours is all there is: it counts as
    soon as no day of theirs, or of a meter, is left in the future: their files may contradict it.
    """
    home, compared = place(settings.home), skew_aware(clock)
    latest = compared.latest()
    if latest is None:
        if any(provider_of(one).costs.pages.is_paced for one in settings.connections):
            return
        latest = compared.ours()
        metered = Lake(home).days(GatewaySpend, settings.gateway.name)
        is_metered = any(day > latest.date() for day in metered)
        if is_metered or future_days(home, latest.date()).keys() & _names(settings):
            return
    if found := set_future_days_aside(home, latest.date()):
        say(
            f"Removed days in the future, left by a run whose clock was wrong: "
            f"{days_described(found)}. Their pages are set aside in raw/."
        )


def _names(settings: Settings) -> set[str]:
    return {one.name for one in settings.connections}


def _steps(kept: Sequence[Step], days: set[date]) -> list[Step]:
    """Return the runs that rebuild some days, as far as their pages are kept."""
    with_pages = {day for step in kept for day in step.days} & days
    return [kept[0]._replace(days=one) for one in consecutive(with_pages)]
