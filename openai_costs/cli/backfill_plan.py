"""What a backfill does: which days of which connections, by requests or from kept pages.

Not here: what it refuses (backfill_refusals.py), what its first runs show to be needed
(backfill_follow_up.py), names, gateway and people (backfill_names.py), doing it (backfill.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from upath import UPath

from openai_costs.cli.empty_home import NothingStored
from openai_costs.kernel.days import DayRange, consecutive, naive
from openai_costs.orchestration.jobs import REBUILD, REFRESH, trailing
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.settings.load import Settings
from openai_costs.sources.due_days import (
    ReadAt,
    damaged_reads,
    due_days,
    incomplete_days,
    was_settled,
)
from openai_costs.sources.kept_days import with_kept_days
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.read_names import read_at
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage

ReadsOf = Callable[[date], Sequence[UPath]]
"""Returns the kept reads of a day, in the order in which they were kept."""


class Step(NamedTuple):
    """One run of a backfill.

    Args:
        settings: The connections it is about.
        job_name: REFRESH reads the provider; REBUILD makes tables from kept pages.
        days: The days.
        is_open: Whether it reads back to a first day that is not set: it may stop before.
    """

    settings: Settings
    job_name: str
    days: DayRange
    is_open: bool = False

    def __str__(self) -> str:
        names = ", ".join(one.name for one in self.settings.asked_connections)
        how = "read from" if self.job_name == REFRESH else "no request, from kept pages of"
        return f"{self.days}: {how} {names}"


def asked_days(
    settings: Settings, since: date | None, until: date | None, now: datetime
) -> DayRange | None:
    """Return the days asked for; a missing end is the first day there is, or today."""
    if since is None and until is None:
        return None
    kept = with_kept_days(settings, Lake(place(settings.home)), now.date())
    return DayRange(since or kept.first_day, until or now.date())


def plan(settings: Settings, asked: DayRange | None, now: datetime) -> list[Step]:
    """Return the runs of a backfill: the range asked for, or what is due and the trailing days.

    What is due is read connection by connection: one that cannot be read must not make the others
    read their history again. Days that a run left in part are made from kept pages, whatever is
    asked and of whom, even where they are read as well: reading may fail.

    Args:
        settings: The connections.
        asked: A range that is read in any case; None for what is due.
        now: The current instant.
    """
    today = now.date()
    if asked is not None:
        steps = [Step(settings, REFRESH, asked)]
        return [*steps, *_unfinished(settings, steps, today)]
    recent = trailing(settings, today)
    home = place(settings.home)
    lake, archive = Lake(home), Archive(home)
    due, in_part = due_days(settings, now), slices_in_flight(lake)
    control = lake.read(SpendControl)
    steps = list[Step]()
    for connection in settings.asked_connections:
        alone, name = settings.only(connection.name), connection.name
        torn = {day for one, day in in_part if one == name and day <= today}
        days = (due[name] | torn) - set(recent)
        archived = _archived(alone)
        incomplete = incomplete_days(control, name)
        changed = provider_of(connection).costs.owed(archive, connection)
        kept = {
            day
            for day in days.difference(changed)
            if day < connection.first_day  # not asked for again, so kept as it was
            or _has_settled_pages(alone, archived, day, now, incomplete)
        }
        kept -= {read.day for read in damaged_reads(archive, connection, sorted(kept))}
        whole = reaching_back(alone) if kept else alone
        steps += [Step(whole, REBUILD, one) for one in consecutive(kept)]
        is_open = connection.start is None
        unread = {day for day in days - kept if day >= connection.first_day}
        steps += [Step(alone, REFRESH, one, is_open) for one in consecutive(unread)]
    steps.append(Step(settings, REFRESH, recent))
    return [*steps, *_unfinished(settings, steps, today)]


def from_kept_pages(settings: Settings, asked: DayRange | None, today: date) -> list[Step]:
    """Return a plan without a request: every day asked for that has kept pages.

    Without a range these are all of them: also days from before a `start` that was set later.
    """
    whole = reaching_back(settings)
    days = asked or DayRange(min(whole.first_day, today), today)
    archived = _archived(settings)
    there = (day for day in days if any(reads_of(day) for reads_of in archived))
    return [Step(whole, REBUILD, range_) for range_ in consecutive(there)]


def reaching_back(settings: Settings) -> Settings:
    """Return the same settings, whose asked connections begin with the first day kept of them.

    For runs that ask no provider: a `start` that was set later is before no kept day then.
    """
    archive, earlier = Archive(place(settings.home)), dict[str, date]()
    for one in settings.asked_connections:
        pages = provider_of(one).costs.pages
        kept = archive.days(pages.provider, one.name, pages.dataset)[:1]
        if one.start and kept and kept[0] < one.start:
            earlier[one.name] = kept[0]
    connections = tuple(
        one.model_copy(update={"start": earlier[one.name]}) if one.name in earlier else one
        for one in settings.connections
    )
    return settings.model_copy(update={"connections": connections})


def plan_offline(settings: Settings, asked: DayRange | None, now: datetime) -> list[Step]:
    """Return the same as `from_kept_pages`; raise NothingStored where no page is kept."""
    today = now.date()
    if steps := from_kept_pages(settings, asked, today):
        return [*steps, *_unfinished(settings, steps, today)]
    raise NothingStored(place(settings.home), "kept pages", str(asked or ""))


def _unfinished(settings: Settings, steps: Iterable[Step], today: date) -> Iterator[Step]:
    """Yield runs of the days whose tables are not all of one read, where no step rebuilds them.

    Tables of all days would be of two reads as well: budgets of new dollars beside older days. A
    day whose newest page is damaged waits for the step that reads it; without one its run says so.
    """
    home, made = place(settings.home), list(steps)
    torn = set(slices_in_flight(Lake(home))) - _made_by(REBUILD, made)
    read = _made_by(REFRESH, made)
    for connection in settings.connections:
        name = connection.name
        days = sorted(day for one, day in torn if one == name and day <= today)
        if not days:
            continue
        alone = settings.only(name)
        damaged = damaged_reads(Archive(home), connection, days)
        unusable = {one.day for one in damaged if (name, one.day) in read}
        for kept in from_kept_pages(alone, DayRange(days[0], days[-1]), today):
            some = set(kept.days).intersection(days) - unusable
            yield from (kept._replace(days=one) for one in consecutive(some))


def _made_by(job_name: str, steps: Iterable[Step]) -> set[tuple[str, date]]:
    """Return what the steps of a job make: connection and day."""
    return {
        (one.name, day)
        for step in steps
        if step.job_name == job_name
        for one in step.settings.asked_connections
        for day in step.days
    }


def _archived(settings: Settings) -> list[ReadsOf]:
    """Return where the kept reads of a day are: costs, and usage where it was ever given."""
    home = place(settings.home)
    archive, lake, found = Archive(home), Lake(home), list[ReadsOf]()
    for connection in settings.asked_connections:
        provider = provider_of(connection)
        found.append(partial(provider.costs.pages.reads, archive, connection))
        if provider.usage and lake.days(Usage, connection.name):
            found.append(partial(provider.usage.pages.reads, archive, connection))
    return found


def _has_settled_pages(
    settings: Settings, archived: Iterable[ReadsOf], day: date, now: datetime, incomplete: ReadAt
) -> bool:
    """Return whether the newest reads of a day are complete and found it settled."""
    reads = [read_at(files[-1]) if (files := reads_of(day)) else None for reads_of in archived]
    return all(
        at is not None
        and was_settled(settings, day, at, now)
        and naive(at) != incomplete.get(day)  # it was looked into, and the provider said so
        for at in reads
    )
