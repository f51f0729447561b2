"""The daily sums of a proxy, without any I/O: of the whole proxy, or none. Pure.

A key without rights gets its own rows with HTTP 200. So the first question of a reading is one that
only a key is answered which sees everything.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import date

from openai_costs.kernel.errors import AccessRefused, RequestRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.daily_reader import Conversation, DayPages, Talk
from openai_costs.sources.gateway.litellm.endpoints import WHOLE_VIEW
from openai_costs.sources.gateway.litellm.partial_answers import (
    DatabaseMissing,
    ViewIsPartial,
    has_no_database,
)
from openai_costs.sources.gateway.litellm.protocol import complete, daily_sums
from openai_costs.sources.http.paging import Body, Get

DAILY = "daily."
"""What the name of a part begins with: the pages of a day's sums are numbered."""


@dataclass
class Activity:
    """The conversations about a proxy's days in one reading.

    Args:
        connection: Whose.
        sees_all: Whether the key was let in where only one is that sees the whole proxy.
    """

    connection: Connection
    sees_all: bool = False

    def read_day(self, day: date) -> Conversation:
        """Read the sums of a day, page by page.

        Raises:
            ViewIsPartial: The key sees its own rows only.
            DatabaseMissing: The proxy has no database, and so no sums.
            IncompleteRead: A page makes no sense, or one is missing.
        """
        if not self.sees_all:
            yield from self._whole_view()
            self.sees_all = True
        pages = yield from complete(daily_sums(day))
        return DayPages({f"{DAILY}{number}": page for number, page in enumerate(pages)})

    def _whole_view(self) -> Generator[Get, Body, None]:
        name, key_env = self.connection.name, self.connection.admin_key_env
        for path in WHOLE_VIEW:
            try:
                yield Get(path, (), may_be_large=True)
            except AccessRefused as refused:
                raise ViewIsPartial(name, path, refused.message, key_env) from None
            except RequestRefused as refused:
                if has_no_database(refused.message):
                    raise DatabaseMissing(name, path) from None
            else:
                return


def talk(connection: Connection, _archive: object) -> Talk:
    """Return what starts the conversations with a connection in one reading."""
    return Activity(connection).read_day
