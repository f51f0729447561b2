"""What the doctor finds out about the gateway and the company's directory. Asks, keeps nothing.

Not here: connections and the home (doctor.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import httpx
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, Clock, DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted, listed
from openai_costs.questions.gateway_bypass.assets import why_unjudged
from openai_costs.settings import DirectoryFile, Gateway
from openai_costs.settings.load import Settings
from openai_costs.sources.gateway.files.layouts import NAME as FILES
from openai_costs.sources.gateway.files.odd_rows import summary
from openai_costs.sources.gateway.readers import GatewayReader, readers_of
from openai_costs.sources.gateway.registry import strangers
from openai_costs.sources.people.assets import contents
from openai_costs.sources.people.frames import read_people
from openai_costs.sources.provider import Diagnosis, silent
from openai_costs.storage.archive import DayRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_tokens import GatewayTokens


def governance_facts(
    settings: Settings, clock: Clock, inner: httpx.BaseTransport | None = None
) -> Iterator[Diagnosis]:
    """Yield what there is of gateway and directory, and whether it can be read.

    Args:
        settings: What to read.
        clock: Returns the current time.
        inner: The inner HTTP transport to a proxy; None for the network.
    """
    yield from _gateway(settings, clock, inner)
    yield from _directory(settings)


def _gateway(
    settings: Settings, clock: Clock, inner: httpx.BaseTransport | None
) -> Iterator[Diagnosis]:
    about = "gateway"
    if not settings.gateway.is_there:
        yield Diagnosis("OK", about, "not configured, so the bill is not compared with a meter")
        return
    for reader in readers_of(settings, clock, inner):
        name = f"{about}: {type(reader).__name__}"
        try:
            yield from _readable(name, reader, settings.gateway, clock().date())
        except OpenAICostsError as refused:
            yield Diagnosis("FAIL", name, str(refused))
    yield from _gateway_tokens(settings)
    for why in why_unjudged(Lake(place(settings.home)), settings, clock().date()):
        yield Diagnosis("WARN", f"{about}: not judged", why)


def _readable(
    name: str, reader: GatewayReader, gateway: Gateway, today: date
) -> Iterator[Diagnosis]:
    """Ask for the registry, and for yesterday's meter.

    Raises:
        OpenAICostsError: One of them cannot be read, or holds less than the gateway has.
    """
    yesterday = today - ONE_DAY
    if registry := list(reader.registry(today, silent)):
        yield Diagnosis("OK", name, f"the registry is readable: {_counted(registry)}")
        yield from _set_aside(name, registry)
    reads = reader.meter(DayRange(yesterday, yesterday), silent)
    if meter := [one for one in reads if not one.is_withdrawn]:
        if any(read.bodies for read in meter):
            of_day = f"the meter of {yesterday} is readable: {_counted(meter)}"
            yield Diagnosis("OK", f"{name}, meter", f"{of_day}{_valued(gateway)}")
        yield from _set_aside(f"{name}, meter", meter)
    elif gateway.spend_files:
        yield Diagnosis(
            "WARN",
            f"{name}, meter",
            f"no file has a row of {yesterday}: check whether the export is late",
        )


def _valued(gateway: Gateway) -> str:
    is_valued = gateway.spend_files and gateway.spend_cost == "list_price"
    return "; its tokens are valued at list price, an estimate" if is_valued else ""


def _set_aside(name: str, reads: Iterable[DayRead]) -> Iterator[Diagnosis]:
    """Yield the rows of files that cannot be used."""
    odd = [row for read in reads if read.provider == FILES for row in read.absent.items()]
    if odd:
        yield Diagnosis("WARN", f"{name}, rows", summary(odd))


def _gateway_tokens(settings: Settings) -> Iterator[Diagnosis]:
    """Yield whether each token has an upstream key, and the tokens whose key no directory has."""
    lake = Lake(place(settings.home))
    tokens = lake.read(GatewayTokens)
    unmapped = tokens.filter(is_current=True, mapping="none").height
    if not settings.gateway.upstreams and (unmapped or tokens.is_empty()):
        which = counted(unmapped, "gateway token") if unmapped else "the gateway"
        remedy = "Name it in the token's metadata, or in [[gateway.upstreams]]"
        yield Diagnosis(
            "WARN", "gateway: upstreams", f"the upstream key of {which} is unknown. {remedy}"
        )
    for text in strangers(tokens, lake.read(ApiKeys)):
        yield Diagnosis("WARN", "gateway: tokens", text)


def _counted(reads: Sequence[DayRead]) -> str:
    """Return how many files or pages were read."""
    noun = "file" if reads[0].provider == FILES else "page"
    return counted(sum(len(read.bodies) for read in reads), noun)


def _people_in(file: DirectoryFile, settings: Settings) -> Diagnosis:
    """Return whether the files of one setting can be read as a run reads them, and how much."""
    about, folder = f"directory: {file.path}", UPath(settings.config_file.parent)
    try:
        found = contents(folder, [file])
        people = read_people(found, settings.directory)
    except OpenAICostsError as refused:
        return Diagnosis("FAIL", about, str(refused))
    many = people.frame.height
    text = f"{counted(len(found), 'file')}, {f'{many:,} people' if many != 1 else '1 person'}"
    if people.remarks:
        return Diagnosis("WARN", about, f"{text}; {listed(people.remarks, 1, 'row', '; ')}")
    return Diagnosis("OK", about, text)


def _directory(settings: Settings) -> Iterator[Diagnosis]:
    about = "directory"
    if not settings.directory.files:
        yield Diagnosis("OK", about, "not configured, so no one is matched or flagged")
        return
    yield from (_people_in(file, settings) for file in settings.directory.files)
    people = Lake(place(settings.home)).read(Engineers)
    doubted = people.height - people["is_trusted"].sum()
    if people.is_empty():
        yield Diagnosis(
            "WARN",
            about,
            "no one has been read yet: run `openai-costs backfill`, or the job directory",
        )
    elif doubted:
        kept = f"the last list of {doubted:,} people is kept"
        yield Diagnosis(
            "WARN", about, f"the directory shrank or was empty, so {kept}: check its files"
        )
    else:
        yield Diagnosis("OK", about, f"{people.height:,} people")
