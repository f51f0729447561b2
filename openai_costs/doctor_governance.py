"""The doctor's facts about the gateway and the company's directory. Asks, and keeps nothing."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

from upath import UPath

from openai_costs.archive import DayRead
from openai_costs.days import ONE_DAY, Clock, DayRange
from openai_costs.errors import OpenAICostsError
from openai_costs.lake import Lake
from openai_costs.sections import Gateway
from openai_costs.settings import Settings
from openai_costs.sources.gateway.reading import GatewayReader, readers_of
from openai_costs.sources.named_files import files
from openai_costs.sources.source import silent
from openai_costs.storage import place
from openai_costs.tables.core.engineers import Engineers

Said = tuple[Literal["OK", "WARN", "FAIL"], str, str]


def governance_facts(settings: Settings, clock: Clock) -> Iterator[Said]:
    """Yield what there is of gateway and directory, and whether it can be read."""
    yield from _gateway(settings, clock)
    yield from _directory(settings)


def _gateway(settings: Settings, clock: Clock) -> Iterator[Said]:
    about = "gateway"
    if not settings.gateway.is_there:
        yield ("OK", about, "none in the settings: nothing is compared with the bill")
        return
    for reader in readers_of(settings, clock):
        name = f"{about}: {type(reader).__name__}"
        try:
            yield from _readable(name, reader, settings.gateway, clock().date())
        except OpenAICostsError as refused:
            yield ("FAIL", name, str(refused))
    if not settings.gateway.upstreams:
        remedy = "tokens name their OpenAI key in their metadata, or [[gateway.upstreams]] does"
        yield ("WARN", f"{about}: upstreams", f"none declared: {remedy}")


def _readable(name: str, reader: GatewayReader, gateway: Gateway, today: date) -> Iterator[Said]:
    """Ask for the registry, and for yesterday's meter.

    Raises:
        OpenAICostsError: One of them cannot be read.
    """
    yesterday = today - ONE_DAY
    if pages := _pages(reader.registry(today, silent)):
        yield ("OK", name, f"the registry can be read ({pages} pages or files)")
    if pages := _pages(reader.meter(DayRange(yesterday, yesterday), silent)):
        yield ("OK", f"{name}, meter", f"the meter of {yesterday} can be read ({pages} pages)")
    elif gateway.spend_files:
        yield ("WARN", f"{name}, meter", f"no file has a row of {yesterday}: is the export late?")


def _pages(reads: Iterable[DayRead]) -> int:
    return sum(len(read.bodies) for read in reads)


def _directory(settings: Settings) -> Iterator[Said]:
    about = "directory"
    if not settings.directory.files:
        yield ("OK", about, "none in the settings: nobody is matched or flagged")
        return
    folder = UPath(settings.config_file.parent)
    for pattern in settings.directory.files:
        try:
            found = files(folder, pattern)
        except OpenAICostsError as refused:
            yield ("FAIL", f"{about}: {pattern}", str(refused))
        else:
            yield ("OK", f"{about}: {pattern}", f"{len(found)} files")
    people = Lake(place(settings.home)).read(Engineers)
    doubted = people.height - people["is_trusted"].sum()
    if people.is_empty():
        yield ("WARN", about, "no person read yet: run the job directory, or a backfill")
    elif doubted:
        yield ("WARN", about, f"not believed since it shrank or was empty: {doubted} people kept")
    else:
        yield ("OK", about, f"{people.height} people")
