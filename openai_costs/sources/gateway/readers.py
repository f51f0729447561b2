"""The readers of a gateway that settings ask for, and what became of a reading."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import httpx
from upath import UPath

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.kernel.errors import ReadFailed, SettingsError
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.files.layouts import NAME as FILES
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.litellm.source import LiteLLM
from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import Archive, DayRead

NOT_CONFIGURED = "There is no [gateway] in the settings: nothing to read."


class GatewayReader(Protocol):
    """Reads one side of a gateway."""

    def registry(self, today: date, tell: Tell) -> Iterator[DayRead]:
        """Yield the registry as one read of today, or nothing where it has none."""
        ...

    def meter(self, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield complete reads of days; nothing for a day that is not there yet."""
        ...


Readers = tuple[GatewayReader, ...]


def readers_of(
    settings: Settings, clock: Clock, inner: httpx.BaseTransport | None = None
) -> Readers:
    """Return the readers of the gateway in the settings, the one that is believed first first."""
    gateway = settings.gateway
    files = GatewayFiles(gateway, UPath(settings.config_file.parent), clock)
    return (LiteLLM(gateway, clock, inner), files) if gateway.litellm_url else (files,)


@dataclass
class Reading:
    """What became of a reading.

    Args:
        kept: The days kept, and the bytes of their bodies.
        failed: Why something could not be read to its end.
        set_aside: The rows of files that were set aside, by day: the place and the reason of each.
    """

    kept: dict[date, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    set_aside: dict[date, dict[str, str]] = field(default_factory=dict)


def read_registry(readers: Readers, archive: Archive, today: date, tell: Tell) -> Reading:
    """Read every registry and keep it."""
    return _kept((reader.registry(today, tell) for reader in readers), archive, tell)


def read_meter(readers: Readers, archive: Archive, days: DayRange, tell: Tell) -> Reading:
    """Read the meter of some days and keep each complete one at once."""
    return _kept((reader.meter(days, tell) for reader in readers), archive, tell)


def _kept(sources: Iterator[Iterator[DayRead]], archive: Archive, tell: Tell) -> Reading:
    done = Reading()
    for reads in sources:
        try:
            for read in reads:
                archive.keep(read)
                done.kept[read.day] = sum(map(len, read.bodies.values()))
                if read.provider == FILES and read.absent:
                    done.set_aside.setdefault(read.day, {}).update(read.absent)
        except (ReadFailed, SettingsError) as error:
            tell(str(error))
            done.failed.append(str(error))
    return done
