"""The activity of a day, without any I/O: by workspace, and as a whole to compare it with. Pure."""

from collections.abc import Generator
from datetime import date

import msgspec

from openai_costs.kernel.errors import RequestRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.settings.connection import Connection
from openai_costs.sources.daily_reader import Conversation, DayPages, Talk
from openai_costs.sources.http.paging import Body, Garbled, Get, Page, restarted
from openai_costs.sources.openrouter.endpoints import ACTIVITY, BY_WORKSPACE

LEDGER = "ledger"
CONTROL = "control"
WORKSPACES = "workspaces"
"""What is absent where OpenRouter does not group."""
DIMENSIONS = ("workspace_id", "model", "endpoint_id")


class _Dated(msgspec.Struct):
    date: str


class _Answer(msgspec.Struct):
    data: list[_Dated]


def get(day: date, *more: tuple[str, str]) -> Get:
    """Return the request for a day."""
    return Get(ACTIVITY, (("date", str(day)), *more))


def talk(_connection: Connection, _archive: object) -> Talk:
    """Return what starts the conversation about a day: there is nothing to remember between two."""
    return read_day


def read_day(day: date) -> Conversation:
    """Read a day by workspace and as a whole; only as a whole where the former is refused.

    Raises:
        IncompleteRead: An answer is not JSON, or is of another day than the one asked for.
        RequestRefused: The day as a whole was refused.
    """
    control = yield from restarted(lambda: _asked(get(day), day), ACTIVITY)
    try:
        grouped = get(day, BY_WORKSPACE)
        ledger = yield from restarted(lambda: _asked(grouped, day), ACTIVITY)
    except RequestRefused as refused:
        absent = {WORKSPACES: refused.message}
        return DayPages({LEDGER: control, CONTROL: control}, absent=absent)
    return DayPages({LEDGER: ledger, CONTROL: control}, {LEDGER: DIMENSIONS})


def _asked(one: Get, day: date) -> Generator[Get, Body, Page]:
    body = yield one
    try:
        found = msgspec.json.decode(body, type=_Answer).data
    except UNREADABLE as broken:
        raise Garbled(f"the body is not an activity page: {broken}") from None
    if others := sorted({entry.date[:10] for entry in found} - {str(day)}):
        raise Garbled(f"{day} was requested, but the response has rows of {', '.join(others)}")
    return Page(one, body)
