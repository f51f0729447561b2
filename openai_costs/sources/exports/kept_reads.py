"""What is kept of a connection's days, and when a day has to be kept again.

Not here: what a read is made of (evidence.py), rows of files that are gone (gone_files.py).
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from openai_costs.kernel.clock_skew import MOST_SKEW
from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.exports.evidence import Source, newest_run, sources_of
from openai_costs.sources.exports.settings import host_of, settled_after
from openai_costs.sources.exports.settled import Read, is_settled
from openai_costs.storage.archive import Archive, DayRead, KeptRead, open_read

DATASET = "costs"


@dataclass(frozen=True)
class KeptReads:
    """The kept reads of a connection.

    Args:
        archive: Where they are.
        connection: Whose.
    """

    archive: Archive
    connection: Connection

    @property
    def whose(self) -> tuple[str, str, str]:
        """The names under which they are kept."""
        return self.connection.provider, self.connection.name, DATASET

    @cached_property
    def read_at(self) -> dict[date, datetime]:
        """When the newest read of each day was."""
        return self.archive.newest_at(*self.whose)

    @cached_property
    def sources(self) -> set[Source]:
        """The files that the newest reads of all days have rows of."""
        reads = self.archive.newest(*self.whose, self.read_at)
        return {
            its for one in reads if isinstance(one, KeptRead) for its in sources_of(one.manifest)
        }

    def newest(self, day: date) -> KeptRead | None:
        """Return the newest read of a day; None where there is none that can be used."""
        kept = self.archive.newest(*self.whose, [day])
        return next((one for one in kept if isinstance(one, KeptRead)), None)

    def every(self, day: date) -> list[KeptRead]:
        """Return all reads of a day; none where one of them cannot be used."""
        with suppress(PageRefused):
            return [open_read(one) for one in self.archive.reads(*self.whose, day)]
        return []

    def has(self, read: DayRead) -> bool:
        """Return whether the newest read of a day says the same, and finds it as settled.

        One that is dated after this read says nothing: a run had a clock that was ahead.
        """
        before = self.newest(read.day)
        if before is None or dict(before.bodies) != dict(read.bodies):
            return False
        rule = host_of(self.connection), settled_after(self.connection)
        now, then = (
            is_settled(one.day, Read(one.read_at, newest_run(sources_of(one))), *rule)
            for one in (read.manifest(), before.manifest)
        )
        return now == then and before.manifest.read_at <= read.read_at

    def dated_after(self, now: datetime) -> list[date]:
        """Return the days whose newest read is dated after now: one of two clocks was wrong."""
        return [day for day, at in self.read_at.items() if at - now > MOST_SKEW]

    def dated_again(self, days: Iterable[date], read_at: datetime) -> Iterator[DayRead]:
        """Yield what is kept of some days as of now, where their newest read is dated after now."""
        for day in days:
            if self.read_at.get(day, read_at) > read_at and (before := self.newest(day)):
                yield DayRead(*self.whose, day, read_at, before.requests, before.bodies)
