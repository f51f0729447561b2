"""The readers of a gateway that settings ask for."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Protocol

import httpx
from upath import UPath

from openai_costs.kernel.days import Clock, DayRange
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.litellm.source import LiteLLM
from openai_costs.sources.ingest import Ingested, Source, ingest
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


def read_registry(readers: Readers, archive: Archive, today: date, tell: Tell) -> Ingested:
    """Read every registry and keep it."""
    sources = (Source(_name(one), partial(one.registry, today, tell), [today]) for one in readers)
    return ingest(sources, archive, tell)


def read_meter(readers: Readers, archive: Archive, days: DayRange, tell: Tell) -> Ingested:
    """Read the meter of some days and keep each complete one at once."""
    sources = (Source(_name(one), partial(one.meter, days, tell), list(days)) for one in readers)
    return ingest(sources, archive, tell)


def _name(reader: GatewayReader) -> str:
    return type(reader).__name__
