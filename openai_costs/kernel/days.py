"""What a day is: UTC partitions, the trailing window that is read again, settled or provisional.

The only module that reads a clock. Everything else gets the time as an argument.
"""

import calendar
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol

ONE_DAY = timedelta(days=1)


class Clock(Protocol):
    """Returns the current instant."""

    def __call__(self) -> datetime:
        """Return the current instant, UTC and aware."""
        ...


def utc_now() -> datetime:
    """Return the current instant, UTC and aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, order=True)
class DayRange:
    """Consecutive UTC days, both ends included; none where the last one is before the first."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + ONE_DAY * i for i in range(len(self)))

    def __len__(self) -> int:
        return max((self.last - self.first).days + 1, 0)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def span(self) -> str:
        """How a sum names its days: `on 2026-01-05`, or `from 2026-01-05 to 2026-01-07`."""
        return f"on {self}" if self.first == self.last else f"from {self}"

    def newest(self, days: int) -> "DayRange":
        """Return the last `days` days of this range (all of it when shorter)."""
        return DayRange(max(self.first, self.last - ONE_DAY * (days - 1)), self.last)


def day_named(name: str) -> date | None:
    """Return the day of a name such as 2026-11-01; None where it is the name of none."""
    with suppress(ValueError):
        day = date.fromisoformat(name)
        return day if str(day) == name else None  # 20261101 is read as a day too
    return None


def month_of(day: date) -> DayRange:
    """Return the days of a day's month."""
    last = calendar.monthrange(day.year, day.month)[1]
    return DayRange(day.replace(day=1), day.replace(day=last))


def months_before(day: date, months: int) -> date | None:
    """Return the first day of the month so many months before a day's own; None before year 1."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1) if number >= 12 else None  # noqa: PLR2004 - a year


def naive(instant: datetime) -> datetime:
    """Return an instant as tables have it: UTC, without a zone; without one it is UTC already."""
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


def midnight(day: date) -> datetime:
    """Return the instant the UTC day begins: where the provider cuts its buckets."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def epoch(day: date) -> int:
    """Return the day's midnight as Unix seconds."""
    return int(midnight(day).timestamp())


def is_settled(day: date, read_at: datetime, grace: timedelta) -> bool:
    """Return whether a read at `read_at` came late enough for the day to have stopped moving.

    Costs arrive hours after the fact and there is no "finalised" flag on the wire, so a day is
    provisional until `grace` after its end.
    """
    return naive(read_at) >= naive(midnight(day)) + ONE_DAY + grace


def is_over(day: date, at: datetime) -> bool:
    """Return whether the UTC day was over at an instant."""
    return is_settled(day, at, timedelta())


def consecutive(days: Iterable[date]) -> list[DayRange]:
    """Return the days as the fewest ranges without gaps, oldest first."""
    ranges: list[DayRange] = []
    for day in sorted(set(days)):
        if ranges and day - ranges[-1].last == ONE_DAY:
            ranges[-1] = DayRange(ranges[-1].first, day)
        else:
            ranges.append(DayRange(day, day))
    return ranges
