"""Which days are not stored as their newest kept page has them: it is refused, or no run made them.

The reason for a refusal is that of the run: the page is cleaned and held against the contract once
more. Not here: files that are damaged (due_days.py), and days that are stored from an older page
and had settled by it, whose sums are compared with the newest.
"""

from collections.abc import Iterator
from datetime import date

from openai_costs.kernel.days import DayRange, is_settled, naive
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.due_days import damaged_reads, unmade_days
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.replacing import sound_part
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl


def refused_days(
    lake: Lake, archive: Archive, connection: Connection
) -> dict[date, OpenAICostsError]:
    """Return the days of a connection whose newest page is refused, with the reason of each."""
    costs, control = provider_of(connection).costs, lake.read(SpendControl)
    its = control.filter(connection=connection.name)
    stored = dict(its.select("day", "read_at").iter_rows())
    unmade = unmade_days(archive, connection, stored) - {*its.filter("is_settled")["day"]}
    newest = costs.pages.newest(archive, connection, sorted(unmade))
    refused = dict[date, OpenAICostsError]()
    for batch in costs.ledger((one for one in newest if isinstance(one, KeptRead)), connection):
        _, broken = sound_part(Spend, batch)
        refused |= {key.day: error for key, error in (*batch.refused.items(), *broken.items())}
    return refused


def refusal_text(lake: Lake, archive: Archive, connection: Connection) -> str:
    """Return how many days are refused, which, and why the newest is; empty where none is."""
    refused = refused_days(lake, archive, connection)
    if not refused:
        return ""
    days = DayRange(min(refused), max(refused))
    why = refused[days.last]
    return f"{counted(len(refused), 'day')}, {days}, cannot be used. The newest: {why}"


def days_without_tables(settings: Settings, lake: Lake) -> Iterator[Slice]:
    """Yield the settled days that are kept and in no table, though their newest page can be used.

    No sum differs where such a day lacks altogether, and no one would miss it.

    Args:
        settings: The connections, and when a day has settled.
        lake: Where the tables are.
    """
    archive, control = Archive(place(settings.home)), lake.read(SpendControl)
    for one in settings.connections:
        pages = provider_of(one).costs.pages
        stored = set(control.filter(connection=one.name)["day"])
        kept = archive.newest_at(pages.provider, one.name, pages.dataset)
        days = [
            day
            for day, at in sorted(kept.items())
            if day not in stored and is_settled(day, naive(at), settings.reading.grace)
        ]
        if days:
            unusable = {read.day for read in damaged_reads(archive, one, days)}
            unusable |= refused_days(lake, archive, one).keys()
            yield from (Slice(one.name, day) for day in days if day not in unusable)
