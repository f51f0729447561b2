"""Which days are not stored as their newest kept page has them, because it is refused, and why.

The reason is that of the run: the page is cleaned and held against the contract once more. Not
here: files that are damaged (due_days.py), and settled days, whose sums are compared with it.
"""

from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.kernel.formatting import counted
from openai_costs.settings.connection import Connection
from openai_costs.sources.due_days import unmade_days
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, KeptRead
from openai_costs.storage.lake import Lake
from openai_costs.storage.replacing import sound_part
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
