"""Materialises days headless and in process: what is missing, or what is asked for. Resumable.

The same jobs as in the Dagster UI. A day whose complete pages are already kept is made from them,
without a request, so a run that was killed goes on where it stopped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import dagster as dg
from upath import UPath

from openai_costs.archive import Archive, read_at
from openai_costs.days import Clock, DayRange, consecutive, is_settled, utc_now
from openai_costs.definitions import (
    REBUILD,
    REFRESH,
    build_defs,
    daily_assets,
    range_tags,
    trailing,
)
from openai_costs.errors import OpenAICostsError, SettingsError
from openai_costs.lake import Lake
from openai_costs.progress import Progress, Say, progress_logger
from openai_costs.settings import Settings, has_dagster_home
from openai_costs.sources.registry import provider_of
from openai_costs.sources.source import Reach
from openai_costs.storage import place
from openai_costs.tables.mart.spend import Spend as MartSpend


class RunFailedError(OpenAICostsError):
    """A headless run ended red; the sentence is the one its failing step gave."""


@dataclass(frozen=True)
class Plan:
    """What a backfill will do: days to make from kept pages, and days to read."""

    rebuild: tuple[DayRange, ...]
    read: tuple[DayRange, ...]


def plan(settings: Settings, asked: DayRange | None, today: date) -> Plan:
    """Return what is to be done: the range asked for, or all that is missing and the trailing days.

    Args:
        settings: The connections.
        asked: A range that is read whatever is there; None for what is missing.
        today: The current UTC day.
    """
    if asked is not None:
        return Plan((), (asked,))
    home = place(settings.home)
    recent = set(trailing(settings, today))
    missing = _missing(settings, home, today) - recent
    kept = {day for day in missing if _is_kept(settings, Archive(home), day)}
    return Plan(tuple(consecutive(kept)), tuple(consecutive((missing - kept) | recent)))


def from_kept_pages(settings: Settings, asked: DayRange | None, today: date) -> Plan:
    """Return a plan without a request: every day asked for that has kept pages."""
    archive = Archive(place(settings.home))
    days = asked or DayRange(min(settings.first_day, today), today)
    return Plan(tuple(consecutive(day for day in days if _has_pages(settings, archive, day))), ())


@dataclass(frozen=True)
class Headless:
    """Runs jobs in this process, with a line per step.

    Args:
        settings: What to read, and where to keep it.
        say: Takes a line for a person.
        clock: Tells the time.
        reach: How sources get out; None for the usual way.
    """

    settings: Settings
    say: Say = print
    clock: Clock = utc_now
    reach: Reach | None = None

    def backfill(self, asked: DayRange | None = None, *, offline: bool = False) -> None:
        """Materialise the days asked for, or what is missing, each consecutive range as one run.

        Args:
            asked: A range; None for all that is missing, and the trailing days again.
            offline: Make the tables from kept pages only.

        Raises:
            RunFailedError: A run ended red; what was complete before it is kept.
            SettingsError: The range is not one of the connections' days.
        """
        today = self.clock().date()
        _refuse_foreign_days(self.settings, asked, today)
        make = from_kept_pages if offline else plan
        todo = make(self.settings, asked, today)
        if not (todo.rebuild or todo.read):
            self.say("Nothing to do: no pages are kept for these days.")
        names = ", ".join(one.name for one in self.settings.asked_connections)
        steps = [(REBUILD, days, "made from kept pages, no request") for days in todo.rebuild]
        steps += [(REFRESH, days, f"read from {names}") for days in todo.read]
        for number, (job_name, days, how) in enumerate(steps, start=1):
            self.say(f"{days}: {how}")
            self.run(job_name, days, publishes=number == len(steps))

    def run(self, job_name: str, days: DayRange, *, publishes: bool = True) -> None:
        """Run a job over some days.

        Args:
            job_name: REFRESH or REBUILD.
            days: The days.
            publishes: Whether to rebuild what readers get; the last of several runs does.

        Raises:
            RunFailedError: The run ended red.
        """
        progress = Progress(self.say, steps=0)
        loggers = {"progress": progress_logger(progress)}
        defs = build_defs(self.settings, clock=self.clock, reach=self.reach, loggers=loggers)
        job = defs.resolve_job_def(job_name)
        if not publishes:
            job = job.get_subset(asset_selection=daily_assets(defs))
        progress.steps = len(job.nodes)
        with _instance() as instance:
            result = job.execute_in_process(
                instance=instance,
                tags=range_tags(days),
                run_config={"loggers": {"progress": {}}},
                raise_on_error=False,
            )
        if not result.success:
            raise RunFailedError(" ".join(dict.fromkeys(_reasons(result.all_events))))


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Give the instance of DAGSTER_HOME, so that its UI shows the run; else one in memory."""
    with (
        dg.DagsterInstance.get() if has_dagster_home() else dg.DagsterInstance.ephemeral()
    ) as instance:
        yield instance


def _reasons(events: Iterable[dg.DagsterEvent]) -> Iterable[str]:
    for event in events:
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            failure = event.step_failure_data.user_failure_data
            yield (failure.description if failure else None) or (error.message if error else "")


def _missing(settings: Settings, home: UPath, today: date) -> set[date]:
    """Return the days that some connection should have and the last table of a run has not."""
    lake, archive = Lake(home), Archive(home)
    owed: set[date] = set()
    for connection in settings.asked_connections:
        first = provider_of(connection).first_day(archive, connection)
        there = lake.days(MartSpend, connection.name)
        owed |= {day for day in DayRange(first, today) if day not in there}
    return owed


def _is_kept(settings: Settings, archive: Archive, day: date) -> bool:
    """Return whether every connection's newest read of a day is complete and late enough."""
    for connection in settings.asked_connections:
        provider = provider_of(connection)
        files = archive.reads(provider.name, connection.name, provider.dataset, day)
        is_wanted = day >= provider.first_day(archive, connection)
        if is_wanted and not (
            files and is_settled(day, read_at(files[-1]), settings.reading.grace)
        ):
            return False
    return True


def _has_pages(settings: Settings, archive: Archive, day: date) -> bool:
    return any(
        archive.reads(provider_of(one).name, one.name, provider_of(one).dataset, day)
        for one in settings.asked_connections
    )


def _refuse_foreign_days(settings: Settings, asked: DayRange | None, today: date) -> None:
    if asked is None:
        return
    if asked.last < asked.first:
        raise SettingsError(f"--from {asked.first} is after --to {asked.last}. Swap them.")
    if asked.first < settings.first_day or asked.last > today:
        raise SettingsError(
            f"{asked} is outside the days there are: {settings.first_day} (the earliest `start` in "
            f"{settings.config_file}) to {today}, today in UTC."
        )
