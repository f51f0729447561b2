"""Materialises days headless and in process: what is missing, or what is asked for. Resumable.

The same jobs as in the Dagster UI. A day whose complete pages are already kept is made from them,
without a request, so a run that was killed goes on where it stopped.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

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


class Step(NamedTuple):
    """One run of a backfill.

    Args:
        settings: The connections it is about.
        job_name: REFRESH reads the provider; REBUILD makes tables from kept pages.
        days: The days.
    """

    settings: Settings
    job_name: str
    days: DayRange

    def __str__(self) -> str:
        names = ", ".join(one.name for one in self.settings.asked_connections)
        how = "read from" if self.job_name == REFRESH else "no request, from kept pages of"
        return f"{self.days}: {how} {names}"


def plan(settings: Settings, asked: DayRange | None, today: date) -> list[Step]:
    """Return what is to be done: the range asked for, or all that is missing and the trailing days.

    What is missing is made up for connection by connection: one that cannot be read must not
    make the others read their history again.

    Args:
        settings: The connections.
        asked: A range that is read whatever is there; None for what is missing.
        today: The current UTC day.
    """
    if asked is not None:
        return [Step(settings, REFRESH, asked)]
    recent = trailing(settings, today)
    steps: list[Step] = []
    for connection in settings.asked_connections:
        alone = settings.only(connection.name)
        missing = _missing(alone, today) - set(recent)
        kept = {day for day in missing if _has_settled_pages(alone, day)}
        steps += [Step(alone, REBUILD, days) for days in consecutive(kept)]
        steps += [Step(alone, REFRESH, days) for days in consecutive(missing - kept)]
    return [*steps, Step(settings, REFRESH, recent)]


def from_kept_pages(settings: Settings, asked: DayRange | None, today: date) -> list[Step]:
    """Return a plan without a request: every day asked for that has kept pages."""
    days = asked or DayRange(min(settings.first_day, today), today)
    there = (day for day in days if any(_pages(settings, day)))
    return [Step(settings, REBUILD, range_) for range_ in consecutive(there)]


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
        steps = (from_kept_pages if offline else plan)(self.settings, asked, today)
        if not steps:
            self.say("Nothing to do: no pages are kept for these days.")
        failed: list[str] = []
        for number, step in enumerate(steps, start=1):
            self.say(str(step))
            runs = replace(self, settings=step.settings)
            try:
                runs.run(step.job_name, step.days, publishes=number == len(steps))
            except RunFailedError as failure:
                failed.append(str(failure))
        if failed:
            raise RunFailedError(" ".join(dict.fromkeys(failed)))

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


def _missing(settings: Settings, today: date) -> set[date]:
    """Return the days that a connection should have and the last table of a run has not."""
    home = place(settings.home)
    owed: set[date] = set()
    for connection in settings.asked_connections:
        first = provider_of(connection).first_day(Archive(home), connection)
        there = Lake(home).days(MartSpend, connection.name)
        owed |= {day for day in DayRange(first, today) if day not in there}
    return owed


def _pages(settings: Settings, day: date) -> Iterator[list[UPath]]:
    """Yield the kept reads of a day, connection by connection."""
    archive = Archive(place(settings.home))
    for connection in settings.asked_connections:
        provider = provider_of(connection)
        yield archive.reads(provider.name, connection.name, provider.dataset, day)


def _has_settled_pages(settings: Settings, day: date) -> bool:
    """Return whether the newest read of a day is complete and came late enough."""
    return all(
        files and is_settled(day, read_at(files[-1]), settings.reading.grace)
        for files in _pages(settings, day)
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
