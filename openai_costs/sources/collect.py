"""Reads every connection of a provider into the archive; one that fails never stops the others.

Not here: how a provider is read (its own folder) or how Dagster is told (its assets).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from openai_costs.archive import Archive
from openai_costs.days import DayRange
from openai_costs.errors import MissingKey, OpenAICostsError, ReadFailed
from openai_costs.settings import Connection
from openai_costs.sources.source import DayReader, Tell


@dataclass
class Collected:
    """What became of a reading.

    Args:
        kept: The days kept, by connection, with the bytes of their bodies.
        failed: Why a connection could not be read to its end.
        unread: The days a failed connection still owes.
    """

    kept: dict[str, dict[date, int]] = field(default_factory=dict)
    failed: dict[str, OpenAICostsError] = field(default_factory=dict)
    unread: dict[str, set[date]] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether no connection could be read at all."""
        return bool(self.failed) and not any(self.kept.values())

    @property
    def may_succeed_later(self) -> bool:
        """Whether one of the failures may pass without anybody acting."""
        return any(getattr(error, "is_retryable", False) for error in self.failed.values())


def collect(
    reader: DayReader,
    archive: Archive,
    connections: Iterable[Connection],
    days: DayRange,
    tell: Tell,
) -> Collected:
    """Read the days of every connection and keep each complete one at once."""
    done = Collected()
    for connection in connections:
        kept = done.kept.setdefault(connection.name, {})
        try:
            for read in reader.read(connection, days, tell):
                archive.keep(read)
                kept[read.day] = sum(map(len, read.bodies.values()))
        except (ReadFailed, MissingKey) as error:
            tell(str(error))
            done.failed[connection.name] = error
            owed = (day for day in days if day >= connection.first_day)
            done.unread[connection.name] = set(owed) - set(kept)
    return done
