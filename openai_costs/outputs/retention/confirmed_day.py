"""The day from which months are counted back: a clock that runs ahead must not delete anything.

What is deleted cannot be had again, so this machine's clock counts only as far as a provider's
server has agreed with it: in the newest kept answer of any connection. Where no provider was ever
asked over the network, as with exports alone, the clock is all there is.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime

from upath import UPath

from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.load import Settings
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive, open_read
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_control import SpendControl


def confirmed_day(home: UPath, lake: Lake, settings: Settings, now: datetime) -> date:
    """Return the day by this machine's clock, or that of the newest answer if it is earlier.

    Args:
        home: The home.
        lake: Its lake: when each connection was read last.
        settings: The connections.
        now: The instant by this machine's clock.
    """
    answered = max(_answers(Archive(home), lake, settings), default=now)
    return min(now, answered).date()


def _answers(archive: Archive, lake: Lake, settings: Settings) -> Iterator[datetime]:
    """Yield when the server of each connection last answered, by the server's clock."""
    newest: dict[str, tuple[datetime, date]] = {}
    for (name, day), at in lake.reads(SpendControl).items():
        newest[name] = max(newest.get(name, (at, day)), (at, day))
    for connection in settings.connections:
        if connection.name in newest:
            _, day = newest[connection.name]
            files = provider_of(connection).costs.pages.reads(archive, connection, day)
            with suppress(PageRefused):
                answered = open_read(files[-1]).manifest.server_at if files else None
                if answered is not None:
                    yield answered
