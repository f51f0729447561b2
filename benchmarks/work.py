"""What a subject is asked to do, and what it hands back. Standard library only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

FIRST_DAY = date(2025, 1, 1)
LARGEST_BODY = 64 * 1024 * 1024
MOST_BUCKETS = 180


@dataclass(frozen=True)
class Task:
    """A year, or less, of costs to be read.

    Args:
        base_url: Where the API is.
        home: An empty folder to work in; with `last_only`, one that already holds the days before.
        days: How many days there are.
        bucket_bytes: Bytes of one day in the ledger's grouping, to size windows.
        groupings: The groupings of a complete read, the ledger's first.
        last_only: Read only the last of the days.
    """

    base_url: str
    home: Path
    days: int
    bucket_bytes: int
    groupings: tuple[tuple[str, ...], ...]
    last_only: bool = False

    @property
    def last_day(self) -> date:
        """The last of the days."""
        return FIRST_DAY + timedelta(days=self.days - 1)

    @property
    def buckets_a_window(self) -> int:
        """The most days whose body stays below the largest body a client takes into memory."""
        return max(1, min(MOST_BUCKETS, LARGEST_BODY // (self.bucket_bytes + 200)))

    def windows(self) -> Iterator[tuple[date, int]]:
        """Yield (first day, number of days) of every request window."""
        step = self.buckets_a_window
        for done in range(0, self.days, step):
            yield FIRST_DAY + timedelta(days=done), min(step, self.days - done)


@dataclass(frozen=True)
class Outcome:
    """What a subject did.

    Args:
        rows: Ledger rows it went through.
        stored_total: Reads back the total from where it was stored; called outside the clock.
        phases: Wall seconds by phase, where the subject has phases.
    """

    rows: int
    stored_total: Callable[[], tuple[Decimal | None, str]] = lambda: (None, "nothing is stored")
    phases: dict[str, float] = field(default_factory=dict)


Subject = Callable[[Task], Outcome]


def epoch(day: date) -> int:
    """Return the day's UTC midnight as Unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def window_params(first: date, days: int, grouping: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the query of one window, in the vendor's own spelling."""
    return [
        ("start_time", str(epoch(first))),
        ("end_time", str(epoch(first + timedelta(days=days)))),
        ("bucket_width", "1d"),
        ("limit", str(days)),
        *(("group_by[]", dimension) for dimension in grouping),
    ]
