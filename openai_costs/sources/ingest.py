"""Reads sources and keeps what comes: the one place where a read meets the archive.

Each source is read to its end or to its failure; one that fails never stops the others. Not here:
how a source is read, which are read at the same time, how Dagster hears of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import NamedTuple

from upath import UPath

from openai_costs.kernel.clock_skew import SkewAwareClock
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import IncompleteRead, OpenAICostsError, ReadFailed, SettingsError
from openai_costs.settings.connection import Connection
from openai_costs.sources.account_refusals import REFUSED, OtherAccount
from openai_costs.sources.provider import Tell
from openai_costs.sources.side_by_side import Reading, side_by_side
from openai_costs.storage.archive import Archive, DayRead, set_aside


class Source(NamedTuple):
    """Something that yields complete reads.

    Args:
        name: Its name: a connection's, or a gateway reader's.
        read: Starts the reading, given what takes its lines.
        owed: The days it owes.
        admit: Passes on the reads that may be kept; called once those before it are kept.
    """

    name: str
    read: Reading
    owed: Collection[date] = ()
    admit: Callable[[Iterable[DayRead]], Iterable[DayRead]] = iter


def sources(
    read: Callable[[Connection, Tell], Iterable[DayRead]],
    connections: Iterable[Connection],
    days: DayRange,
    admit: Callable[[Connection, Iterable[DayRead]], Iterable[DayRead]] | None = None,
) -> Iterator[Source]:
    """Yield each connection as a source that owes the days from its first one on."""
    for one in connections:
        owed = [day for day in days if day >= one.first_day]
        yield Source(one.name, partial(read, one), owed, partial(admit, one) if admit else iter)


@dataclass
class Ingested:
    """What became of a reading.

    Args:
        kept: The days kept, by source, with the bytes of their bodies.
        failed: Why a source could not be read to its end.
        unread: The days a failed source still owes.
        absent: What the reads of a source lack and why, by source and day.
        withdrawn: The days of which a source says that nothing proves what is kept, by source.
        ended: The sources that owe days and were read to their end, also where nothing is new.
    """

    kept: dict[str, dict[date, int]] = field(default_factory=dict)
    failed: dict[str, OpenAICostsError] = field(default_factory=dict)
    unread: dict[str, set[date]] = field(default_factory=dict)
    absent: dict[str, dict[date, dict[str, str]]] = field(default_factory=dict)
    withdrawn: dict[str, set[date]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether no source could be read at all."""
        return bool(self.failed) and not self.ended and not any(self.kept.values())

    @property
    def may_succeed_later(self) -> bool:
        """Whether one of the failures may pass without any change."""
        return any(getattr(error, "is_retryable", False) for error in self.failed.values())

    @property
    def body_bytes(self) -> int:
        """The bytes of all bodies."""
        return sum(size for days in self.kept.values() for size in days.values())

    def take_back(self, source: str, files: Iterable[UPath]) -> None:
        """Set aside what a source kept in this reading: it is not known whose days they are."""
        for file in files:
            set_aside(file, REFUSED)
        self.kept[source].clear()
        self.absent.pop(source, None)

    def failures_on(self, day: date) -> dict[str, str]:
        """Return why a day is owed, by source; empty where it is not."""
        return {name: str(self.failed[name]) for name, days in self.unread.items() if day in days}


def ingest(
    sources: Iterable[Source],
    archive: Archive,
    tell: Tell,
    clock: SkewAwareClock | None = None,
    most_ahead: int | None = None,
) -> Ingested:
    """Read every source and keep each complete read at once; all are on the disk at the end.

    A read without bodies only says what is absent: nothing of its day can be used or kept.

    Args:
        sources: What to read; it is kept in this order.
        archive: Where reads are kept.
        tell: Takes the sentence of a failure.
        clock: What the servers' clocks were compared with: a read is kept as of the instant that
            is believed, and a day that has not come by then is not kept. None believes the reader.
        most_ahead: As in `side_by_side`: None reads one source after the other.
    """
    done, asked = Ingested(), [*sources]
    readings = [one.read for one in asked]
    with archive.batch() as keep, side_by_side(readings, tell, most_ahead) as found:
        for source, reads in zip(asked, found, strict=True):
            kept, new = done.kept.setdefault(source.name, {}), list[UPath]()
            try:
                for read in _believed(source.admit(reads), clock):
                    if read.is_withdrawn:
                        done.withdrawn.setdefault(source.name, set()).add(read.day)
                    if read.absent:
                        done.absent.setdefault(source.name, {})[read.day] = dict(read.absent)
                    if not read.bodies:
                        continue
                    file, is_new = keep(read)
                    new += [file] if is_new else []
                    kept[read.day] = sum(map(len, read.bodies.values()))
            except (ReadFailed, SettingsError) as error:
                if isinstance(error, IncompleteRead):  # which knows its path only
                    error.args = (f"{source.name}: {error}",)
                tell(str(error))
                if isinstance(error, OtherAccount):
                    done.take_back(source.name, new)
                done.failed[source.name] = error
                done.unread[source.name] = set(source.owed) - set(kept)
            else:
                done.ended |= {source.name} if source.owed else set()
    return done


def _believed(reads: Iterable[DayRead], clock: SkewAwareClock | None) -> Iterator[DayRead]:
    """Yield the reads as of the instant that is believed, without those of days it cannot be."""
    for read in reads:
        if clock is None or read.is_withdrawn:
            yield read
            continue
        at = clock.instant(read.connection, read.read_at)
        if at.has(read.day):
            ours = at.ours if at.server else None
            yield replace(read, read_at=at.believed, clock_at=ours, server_at=at.server)
