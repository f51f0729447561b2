"""Which days are due: those that were never stored, and those whose newest read had not settled.

A day that was read while it could still change is due until a later read finds it settled, however
few days the trailing window has. Where a provider says until when its data is complete, that
decides as well. A day that its provider has deleted is due no more. Not here: the trailing window
itself (orchestration/jobs.py), what is run for the days (cli/backfill_plan.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, consecutive, is_settled, naive
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import is_counted_elsewhere
from openai_costs.sources.kept_days import first_not_deleted, with_kept_days
from openai_costs.sources.provider import Provider, RawPages
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, DamagedRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.spend import Spend as MartSpend

EMPTY_DAYS = 180
"""So many stored days in a row without any cost are the time before a connection began."""

ReadAt = Mapping[date, datetime]
"""When each stored day of a connection was read."""


def due_days(settings: Settings, now: datetime) -> dict[str, set[date]]:
    """Return the days that each connection owes, from its first day to today.

    Days of usage are due too, once the provider has given usage of any day: a key that may not
    read usage must not make the whole history be read again and again. The second connection of one
    organization owes none: the first has its days.

    Args:
        settings: The connections, and how long a day stays provisional.
        now: The current instant. A read from after it does not settle its day: whatever clock it
            was read by was wrong.
    """
    home = place(settings.home)
    lake, archive = Lake(home), Archive(home)
    kept_from = first_not_deleted(settings, lake, now.date())
    settings = with_kept_days(settings, lake, now.date())
    billed, used, ledger = lake.slices(MartSpend), lake.slices(Usage), lake.slices(Spend)
    control = lake.read(SpendControl)
    due: dict[str, set[date]] = {}
    for connection in settings.asked_connections:
        provider, name = provider_of(connection), connection.name
        if is_counted_elsewhere(archive, settings, connection):
            due[name] = set()
            continue
        first = first_day(provider.costs.pages, archive, connection)
        stored = _read_at(billed, name)
        days = _unsettled(settings, first, stored, now)
        incomplete = incomplete_days(control, name)
        changed = provider.costs.owed(archive, connection)
        days |= {day for day in (*incomplete, *changed) if first <= day <= now.date()}
        if provider.usage and (given := _read_at(used, name)):
            first = first_day(provider.usage.pages, archive, connection)
            days |= _unsettled(settings, first, given, now)
        days -= lost_days(provider, archive, connection, days - stored.keys(), now.date())
        days -= gone_days(provider, days & stored.keys(), now.date())
        unmade, there = unmade_days(archive, connection, stored), kept_from(name) or date.min
        days |= {day for day in unmade if there <= day <= now.date()}
        began = first_owed_day(ledger, name) if connection.start is None else None
        due[name] = {day for day in days if began is None or day >= began or day in stored}
    return due


def first_day(pages: RawPages, archive: Archive, connection: Connection) -> date:
    """Return the first day of a connection: the provider's first, or the first that is kept.

    A renamed connection continues days that its provider has deleted by then.
    """
    first, earliest = pages.first_day(archive, connection), connection.first_day
    if first == earliest:
        return first
    kept = archive.days(pages.provider, connection.name, pages.dataset)
    return min(first, next((day for day in kept if day >= earliest), first))


def unmade_slices(settings: Settings, control: pl.DataFrame) -> Iterator[Slice]:
    """Yield the slices whose control total is not of the newest read that is kept."""
    archive = Archive(place(settings.home))
    for one in settings.connections:
        of_it = unmade_days(archive, one, _read_at(control, one.name))
        yield from (Slice(one.name, day) for day in of_it)


def unmade_days(archive: Archive, connection: Connection, stored: ReadAt) -> set[date]:
    """Return the days whose tables are not of the newest read that is kept, or that have none.

    A run that was killed behind its reading leaves such days: no other finds a day that had settled
    long ago. A connection that was renamed has them too, also from before its `start`.

    Args:
        archive: Where reads are kept.
        connection: Whose days.
        stored: When each stored day was read.
    """
    pages = provider_of(connection).costs.pages
    kept = archive.newest_at(pages.provider, connection.name, pages.dataset)
    older = {day for day, at in stored.items() if naive(kept.get(day, at)) != naive(at)}
    return older | (kept.keys() - stored.keys())


def gone_days(provider: Provider, days: Iterable[date], today: date) -> set[date]:
    """Return the days that a provider has deleted: to ask for them again is in vain."""
    if provider.kept_days is None:
        return set()
    first = today - ONE_DAY * provider.kept_days
    return {day for day in days if day < first}


def lost_days(
    provider: Provider,
    archive: Archive,
    connection: Connection,
    days: Iterable[date],
    today: date,
) -> set[date]:
    """Return the deleted days of which no read is kept: nothing can be made of them any more.

    Args:
        provider: Whose days.
        archive: Where reads are kept.
        connection: Whose days.
        days: Days that are not stored.
        today: The current UTC day.
    """
    reads = provider.costs.pages.reads
    gone = gone_days(provider, days, today)
    return {day for day in gone if not reads(archive, connection, day)}


def first_owed_day(ledger: pl.DataFrame, connection: str) -> date | None:
    """Return where a connection without `start` begins; None as long as that is not known.

    It is the first of the newest `EMPTY_DAYS` or more stored days in a row that have no costs.

    Args:
        ledger: The stored slices of core.spend: connection, day, rows.
        connection: Which one.
    """
    empty = ledger.filter(pl.col("connection") == connection, pl.col("rows") == 0)
    quiet = [days for days in consecutive(empty["day"]) if len(days) >= EMPTY_DAYS]
    return quiet[-1].first if quiet else None


def where_begun(
    first: Mapping[str, date], connections: Iterable[Connection], ledger: pl.DataFrame
) -> dict[str, date]:
    """Return where the history of each connection begins, which is where reading back ended.

    Days before half a year without costs were not asked for, and are not missing.

    Args:
        first: The first day there can be, by connection.
        connections: Their settings.
        ledger: The stored slices of core.spend.
    """
    ended = {one.name: first_owed_day(ledger, one.name) for one in connections if not one.start}
    return {name: max(day, ended.get(name) or day) for name, day in first.items()}


def kept_days(settings: Settings, last: date) -> set[date]:
    """Return the days up to `last` of which pages of costs are kept, of any connection."""
    archive = Archive(place(settings.home))
    days = DayRange(min(settings.first_day, last), last)
    reads = [(provider_of(one).costs.pages.reads, one) for one in settings.connections]
    return {day for day in days if any(of(archive, one, day) for of, one in reads)}


def damaged_reads(
    archive: Archive, connection: Connection, days: Iterable[date] | None = None
) -> Iterator[DamagedRead]:
    """Yield the newest kept pages of bill and usage that cannot be used: their days are due.

    Args:
        archive: Where the pages are.
        connection: Whose they are.
        days: The days in question; None for all of which pages are kept.
    """
    provider, name = provider_of(connection), connection.name
    usage = provider.usage_of(connection)
    for pages in dict.fromkeys((provider.costs.pages, usage.pages if usage else None)):
        if pages is not None:
            its = archive.days(provider.name, name, pages.dataset) if days is None else days
            newest = pages.newest(archive, connection, its)
            yield from (read for read in newest if isinstance(read, DamagedRead))


def overdue_days(settings: Settings, now: datetime) -> set[date]:
    """Return the days that any connection owes, from the first day on that it has.

    History that was never asked for is not among them: reading it is a decision of a person. What
    is kept was asked for, though no table has it yet: a renamed connection begins so.
    """
    home = place(settings.home)
    billed, archive, due = Lake(home).slices(MartSpend), Archive(home), due_days(settings, now)
    found = set[date]()
    for connection in settings.asked_connections:
        pages, name = provider_of(connection).costs.pages, connection.name
        kept = archive.days(pages.provider, name, pages.dataset)
        first = min([*_read_at(billed, name), *kept], default=date.max)
        found |= {day for day in due[name] if day >= max(first, connection.first_day)}
    return found


def incomplete_days(control: pl.DataFrame, connection: str) -> ReadAt:
    """Return the days whose data was not yet complete when they were read, and when that was.

    Args:
        control: Rows of core.spend_control.
        connection: Whose days.
    """
    rows = control.filter(pl.col("connection") == connection, ~pl.col("is_settled"))
    return dict(rows.select("day", "read_at").iter_rows())


def _read_at(days: pl.DataFrame, connection: str) -> ReadAt:
    return dict(days.filter(connection=connection).select("day", "read_at").iter_rows())


def _unsettled(settings: Settings, first: date, stored: ReadAt, now: datetime) -> set[date]:
    """Return the days from `first` to today that are not stored from a read that had settled."""
    return {
        day
        for day in DayRange(first, now.date())
        if day not in stored or not was_settled(settings, day, stored[day], now)
    }


def was_settled(settings: Settings, day: date, read_at: datetime, now: datetime) -> bool:
    """Return whether a read found a day settled; a read from after `now` proves nothing."""
    at = naive(read_at)
    return at <= naive(now) and is_settled(day, at, settings.reading.grace)
