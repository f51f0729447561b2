"""Days in a home that are in the future: what a run under a clock ahead of time left behind.

Their slices leave the lake, and their pages are set aside in `raw/`: they prove nothing about days
that are still to come. Not here: what day it is (kernel/clock_skew.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple

import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange, day_named
from openai_costs.kernel.formatting import counted
from openai_costs.storage.archive import set_aside
from openai_costs.storage.files import files_below
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import writing
from openai_costs.storage.read_names import SUFFIX
from openai_costs.storage.withdrawal import SET_ASIDE as WITHDRAWN
from openai_costs.tables.contract import all_contracts

SET_ASIDE = "_ahead_of_time"
"""Added to the dataset of pages that are set aside."""


class _Page(NamedTuple):
    """Kept pages of a day that has not come."""

    connection: str
    day: date
    file: UPath


FutureDays = Mapping[str, set[date]]
"""The days that are in the future, by connection."""


def future_days(home: UPath, today: date) -> FutureDays:
    """Return the days after `today` that a home has slices or pages of."""
    return _by_connection([*_slices(home, today), *(page[:2] for page in _pages(home, today))])


def set_future_days_aside(home: UPath, today: date) -> FutureDays:
    """Remove the slices of days after `today` from the lake and set their pages aside.

    Killed half way and called again, it goes on.
    """
    with writing(home):
        future, pages = future_days(home, today), list(_pages(home, today))
        for page in pages:
            set_aside(page.file, SET_ASIDE)
        if future:
            Lake(home).remove_slices(f"day > '{today}'")
    return future


def described(days: FutureDays) -> str:
    """Return the days of each connection for a person: `acme: 3 days, 2027-01-01 to 2027-01-03`."""
    return "; ".join(
        f"{name}: {counted(len(found), 'day')}, {DayRange(min(found), max(found))}"
        for name, found in sorted(days.items())
    )


def _by_connection(future: Iterable[tuple[str, date]]) -> FutureDays:
    days: dict[str, set[date]] = defaultdict(set)
    for connection, day in future:
        days[connection].add(day)
    return days


def _slices(home: UPath, today: date) -> Iterator[tuple[str, date]]:
    """Yield the connection and day of each slice of the lake."""
    lake = Lake(home)
    for table in all_contracts():
        found = lake.slices(table).filter(pl.col("day") > today)
        yield from found.select("connection", "day").iter_rows()


def _pages(home: UPath, today: date) -> Iterator[_Page]:
    """Yield the kept reads in raw/<provider>/<connection>/<dataset>/<day>/."""
    for file in files_below(home / "raw", SUFFIX):
        dataset = file.parents[1]
        is_aside = dataset.name.endswith((SET_ASIDE, WITHDRAWN))
        if (day := day_named(file.parent.name)) and day > today and not is_aside:
            yield _Page(dataset.parent.name, day, file)
