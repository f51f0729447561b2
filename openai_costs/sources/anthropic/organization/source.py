"""Reads an organization's lists, as one read of the day."""

from collections.abc import Iterator
from contextlib import closing

from openai_costs.kernel.days import DayRange
from openai_costs.settings.connection import Connection
from openai_costs.sources.anthropic.connection import NAME, connect
from openai_costs.sources.anthropic.organization.endpoints import DATASET, LISTS
from openai_costs.sources.anthropic.organization.protocol import read_list
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.provider import Tell
from openai_costs.sources.run_reader import RunReader
from openai_costs.storage.archive import DayRead


class AnthropicOrganization(RunReader):
    """Reads who and what there is in Anthropic organizations."""

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield all lists as one read of the last of `days`: what there is is of now.

        Raises:
            ReadFailed: A list could not be completed.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        read_at = self.clock()
        with closing(connect(self.settings, connection, self.reach, tell)) as transport:
            lists = {one.name: hold(read_list(one), transport) for one in LISTS}
        pages = {
            f"{name}.{number}": page
            for name, read in lists.items()
            for number, page in enumerate(read.pages)
        }
        tell(
            f"{connection.name}: read {', '.join(name for name in lists if not lists[name].absent)}"
        )
        yield DayRead(
            NAME,
            connection.name,
            DATASET,
            days.last,
            read_at,
            {part: page.get.as_kept() for part, page in pages.items()},
            {part: bytes(page.body) for part, page in pages.items()},
            {name: read.absent for name, read in lists.items() if read.absent},
        )
