"""Reads the bills of organizations, also of people who held a seat when a day was read before.

A seat is of now, and a bill is of its day. Not here: what is asked (protocol.py).
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import date
from functools import partial

from openai_costs.kernel.errors import PageRefused
from openai_costs.settings.connection import Connection
from openai_costs.sources.daily_reader import Talk
from openai_costs.sources.github_copilot.endpoints import DATASET, NAME
from openai_costs.sources.github_copilot.protocol import OF_PERSON, Bills, Earlier, bill
from openai_costs.sources.github_copilot.settings import asks_by_person
from openai_costs.sources.http.paging import Page
from openai_costs.storage.archive import Archive, open_read


def talk(connection: Connection, archive: Archive) -> Talk:
    """Return what starts the conversations with a connection in one reading."""
    earlier = partial(billed_earlier, archive, connection)
    return Bills(str(connection.organization_id), asks_by_person(connection), earlier).read_day


def billed_earlier(
    archive: Archive, connection: Connection, day: date, asked: Collection[str]
) -> Earlier:
    """Return the bills of people of a day by its kept reads, also by those before the newest.

    Args:
        archive: Where reads are kept.
        connection: Whose.
        day: The day.
        asked: Who is asked for as it is: they may be kept under a pseudonym.
    """
    bills, people = _kept_bills(archive, connection, day), archive.forgotten
    if people is None:
        return Earlier(bills, {})
    present = {people.identifier(login): login for login in asked}
    named = {present.get(login, login): page for login, page in bills.items()}
    forgotten = {login: page for login, page in named.items() if people.gave(login)}
    known = {login: page for login, page in named.items() if login not in forgotten}
    return Earlier(known, forgotten)


def _kept_bills(archive: Archive, connection: Connection, day: date) -> dict[str, Page]:
    """Return the newest bill of each person, the newest last, without those only kept again.

    A damaged read is reported where it is used.
    """
    bills: dict[str, Page] = {}
    for file in archive.reads(NAME, connection.name, DATASET, day):
        with suppress(PageRefused):
            read = open_read(file)
            for part, body in read.bodies.items():
                if part.startswith(OF_PERSON) and part not in read.manifest.absent:
                    login = part.removeprefix(OF_PERSON)
                    request = bill(str(connection.organization_id), day, login)
                    bills.pop(login, None)
                    bills[login] = Page(request, body)
    return bills
