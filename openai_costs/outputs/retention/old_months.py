"""Deletes the months that are older than the settings keep, and writes down what was deleted.

The row of a month is written before its deletion begins, so that its days are never asked for again
and its sum is that of all of it; the row gets an end when nothing is left. A process that was
killed in between leaves rows without an end, and the next one begins anew.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import polars as pl
from upath import UPath

from openai_costs.kernel.days import midnight, naive
from openai_costs.kernel.formatting import counted, listed
from openai_costs.orchestration.history import forget_days
from openai_costs.outputs.retention.confirmed_day import confirmed_day
from openai_costs.settings.load import Settings
from openai_costs.settings.retention import FOREVER, MONTHS, first_kept_day
from openai_costs.sources.kept_days import days_after_deleted, first_kept, months_kept
from openai_costs.storage.deletion import days_before, delete_before
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import no_writers
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.deleted_months import DeletedMonths

MOST_NAMES = 5


def delete_old_months(home: UPath, lake: Lake, settings: Settings, now: datetime) -> list[str]:
    """Delete the months that are older than the settings keep; return a sentence for each.

    Args:
        home: The home.
        lake: Its lake.
        settings: How long days are kept; where they do not say, nothing is deleted.
        now: The current instant.

    Raises:
        StorageFailed: A table cannot be read or written; the next call goes on.
        LockHeld: Another process writes, and does not end.
    """
    old = _old_days(home, lake, settings, now).agreed
    begun = lake.read(DeletedMonths).filter(pl.col("finished_at").is_null())
    if not old and begun.is_empty():
        return []
    with no_writers(home):
        months = _noted(lake, old, settings, naive(now))
        lake.replace_whole(DeletedMonths, months)
        limits = days_after_deleted(lake)
        delete_before(home, lake, limits)
        forget_days(home, min(limits.values()))
        is_over = pl.coalesce("finished_at", pl.lit(naive(now), pl.Datetime("us")))
        lake.replace_whole(DeletedMonths, months.with_columns(finished_at=is_over))
    return _deletion_texts(lake, naive(now))


class _Old(NamedTuple):
    """The days that are older than the settings keep, by connection.

    Args:
        confirmed: The day that a provider's answer agrees with.
        agreed: Those that are old on that day too: they may be deleted.
        waiting: Those that are old by this machine's clock alone.
    """

    confirmed: date
    agreed: Mapping[str, set[date]]
    waiting: Mapping[str, set[date]]


def _old_days(home: UPath, lake: Lake, settings: Settings, now: datetime) -> _Old:
    """Return the old days; nothing is asked of a provider's answer where the clock finds none."""
    by_clock = days_before(home, lake, partial(first_kept, settings, today=now.date()))
    if not by_clock:
        return _Old(now.date(), {}, {})
    confirmed = confirmed_day(home, lake, settings, now)
    if confirmed == now.date():
        return _Old(confirmed, by_clock, {})
    agreed = days_before(home, lake, partial(first_kept, settings, today=confirmed))
    left = {name: days - agreed.get(name, set()) for name, days in by_clock.items()}
    return _Old(confirmed, agreed, {name: days for name, days in left.items() if days})


def retention_texts(settings: Settings, since: datetime, now: datetime) -> list[str]:
    """Return what was deleted since an instant, what waits, and how long days are kept, if asked.

    Args:
        settings: How long days are kept.
        since: When the run began.
        now: The instant by this machine's clock.
    """
    home = place(settings.home)
    lake = Lake(home)
    open_texts = (
        unconfirmed_text(home, lake, settings, now),
        undecided_text(home, lake, settings, since.date()),
    )
    return [*_deletion_texts(lake, naive(since)), *filter(None, open_texts)]


def unconfirmed_text(home: UPath, lake: Lake, settings: Settings, now: datetime) -> str:
    """Return the sentence that names what is not deleted until a provider answers; else empty."""
    old = _old_days(home, lake, settings, now)
    if not old.waiting:
        return ""
    days = sum(map(len, old.waiting.values()))
    return (
        f"Not deleted: {counted(days, 'day')} of {listed(sorted(old.waiting), MOST_NAMES)}. By "
        f"this machine's clock it is {now.date()}, and the newest answer of a provider is of "
        f"{old.confirmed}. They are deleted after the next answer that agrees. Set the clock if it "
        "is wrong."
    )


def _deletion_texts(lake: Lake, since: datetime) -> list[str]:
    """Return what was deleted since an instant, a sentence for each connection."""
    rows = lake.read(DeletedMonths).filter(pl.col("finished_at") >= since)
    return rows.sort("connection")["because"].unique(maintain_order=True).to_list()


def undecided_text(home: UPath, lake: Lake, settings: Settings, today: date) -> str:
    """Return the sentence that asks how long days are kept; empty where that is settled."""
    limit = first_kept_day(MONTHS, today)

    def undecided(name: str) -> date | None:
        return limit if months_kept(settings, name) is None else None

    old = days_before(home, lake, undecided)
    if not old:
        return ""
    days, names = sum(map(len, old.values())), listed(sorted(old), MOST_NAMES)
    return (
        f"{home} holds {counted(days, 'day')} of {names} from before {limit}, older than "
        f"{MONTHS} months, and the settings do not say how long days are kept. Nothing was "
        f"deleted. "
        f'Write months = {MONTHS} (whole older months are deleted) or months = "{FOREVER}" below '
        f"[retention] in {settings.config_file}."
    )


def _noted(
    lake: Lake, old: Mapping[str, set[date]], settings: Settings, now: datetime
) -> pl.DataFrame:
    """Return mart.deleted_months with the months that are about to be deleted."""
    before = lake.read(DeletedMonths)
    known = set(before.select("connection", "month").rows())
    sums = _sums(lake) if settings.retention.keep_totals else {}
    rows = [
        (name, month, days, sums.get((name, month)), now, None, _because(settings, name, old, now))
        for name, some in sorted(old.items())
        for month, days in sorted(_months(some).items())
        if (name, month) not in known
    ]
    new = pl.DataFrame(rows, schema=before.schema, orient="row")
    return pl.concat([before, new]).sort("connection", "month")


def _because(settings: Settings, name: str, old: Mapping[str, set[date]], now: datetime) -> str:
    days, months = old[name], months_kept(settings, name)
    first, last = f"{min(days):%Y-%m}", f"{max(days):%Y-%m}"
    return (
        f"Deleted {counted(len(_months(days)), 'month')} of {name}, "
        f"{first if first == last else f'{first} to {last}'}, on "
        f"{midnight(now.date()):%Y-%m-%d}: the settings keep "
        f"{counted(int(months or MONTHS), 'month')}."
    )


def _months(days: set[date]) -> dict[date, int]:
    """Return how many of some days each month has."""
    counts: dict[date, int] = defaultdict(int)
    for day in days:
        counts[day.replace(day=1)] += 1
    return counts


def _sums(lake: Lake) -> dict[tuple[str, date], Decimal]:
    """Return what was billed on the stored days of each month, by connection."""
    months = lake.read(SpendControl).group_by("connection", pl.col("day").dt.truncate("1mo"))
    return {
        (name, month): usd
        for name, month, usd in months.agg(pl.col("billed_usd").sum()).iter_rows()
    }
