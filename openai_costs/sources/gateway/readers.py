"""The readers of a gateway that settings ask for."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Protocol

import httpx
from upath import UPath

from openai_costs.kernel.clock_skew import SkewAwareClock, skew_aware
from openai_costs.kernel.days import Clock, DayRange
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.files.layouts import NAME as FILES
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.litellm.endpoints import METER, REGISTRY
from openai_costs.sources.gateway.litellm.endpoints import NAME as PROXY
from openai_costs.sources.gateway.litellm.source import LiteLLM
from openai_costs.sources.ingest import Ingested, Source, ingest
from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import Archive, DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.renamed import rename_connection
from openai_costs.storage.withdrawal import withdraw

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
    gateway, compared = settings.gateway, skew_aware(clock)
    folder, archive = UPath(settings.config_file.parent), Archive(place(settings.home))
    files = GatewayFiles(gateway, folder, compared.ours, archive)
    proxy = LiteLLM(gateway, compared.ours, inner, compared)
    return (proxy, files) if gateway.litellm_url else (files,)


def read_registry(
    readers: Readers, archive: Archive, clock: SkewAwareClock, tell: Tell
) -> Ingested:
    """Read every registry of today and keep it; again where the responses show another day."""
    of_now = clock.of_now()
    done, today = Ingested(), date.min
    while today != (today := of_now().date()):
        sources = (Source(_name(one), partial(one.registry, today), [today]) for one in readers)
        done = ingest(sources, archive, tell, of_now)
    return done


def read_meter(
    readers: Readers, archive: Archive, days: DayRange, clock: SkewAwareClock, tell: Tell
) -> Ingested:
    """Read the meter of the days that have come and keep each complete one at once."""
    there = [day for day in days if day <= clock().date()]
    if not there:
        return Ingested()
    asked = DayRange(there[0], there[-1])
    sources = (Source(_name(one), partial(one.meter, asked), there) for one in readers)
    return ingest(sources, archive, tell, clock)


def continue_former(settings: Settings, archive: Archive, tell: Tell) -> None:
    """Go on with what is kept of the gateway under another name: a home has one at a time.

    What is metered would count under both names otherwise, and the days of the former would not be
    compared any more.
    """
    name, connections = settings.gateway.name, {one.name for one in settings.connections}
    for provider in (PROXY, FILES):
        for former in {*archive.connections(provider)} - {name, *connections}:
            if any(archive.days(provider, former, one) for one in (METER, REGISTRY)):
                tell(f"{name}: the gateway was called {former}: its days go on as those of {name}.")
                rename_connection(place(settings.home), provider, former, name)


def withdraw_unproven(done: Ingested, archive: Archive, settings: Settings) -> None:
    """Withdraw the days that files do not prove; a proxy's read of a day proves it by itself."""
    name = settings.gateway.name
    reads = {
        day: archive.reads(FILES, name, METER, day)
        for days in done.withdrawn.values()
        for day in days
        if not archive.reads(PROXY, name, METER, day)
    }
    withdraw(Lake(place(settings.home)), name, reads)


def set_aside(done: Ingested) -> dict[date, dict[str, str]]:
    """Return the rows of files that were set aside, by day: the place and the reason of each."""
    return done.absent.get(GatewayFiles.__name__, {})


def _name(reader: GatewayReader) -> str:
    return type(reader).__name__
