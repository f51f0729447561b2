"""Reads an Acme AI account, a month of days at a time, and cuts the answer into days itself."""

from collections.abc import Iterator
from contextlib import closing

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.settings.connection import Connection
from openai_costs.sources.api_transport import transport_to
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead
from openai_costs_tests.sources.acme_ai.endpoints import COSTS, NAME, VENDOR
from openai_costs_tests.sources.acme_ai.protocol import entries, get

MOST_DAYS = 31


class AcmeCosts(RunReader):
    """Reads the costs of Acme AI accounts."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield each day as a complete read, newest month first."""
        self.settings.admin_key(connection)
        left: DayRange | None = days
        opened = transport_to(VENDOR, self.settings, connection, self.reach, tell)
        with closing(opened) as transport:
            while left is not None:
                window = left.newest(MOST_DAYS)
                read_at = self.clock()
                found = hold(entries(window), transport)
                asked = (get(window).path, list(get(window).params), list[str]())
                for day, its in found.items():
                    body = b"[" + b",".join(map(bytes, its)) + b"]"
                    name = connection.name
                    yield DayRead(NAME, name, COSTS, day, read_at, {COSTS: asked}, {COSTS: body})
                tell(f"{connection.name}: read {window}")
                last = window.first - ONE_DAY
                left = DayRange(left.first, last) if left.first <= last else None
