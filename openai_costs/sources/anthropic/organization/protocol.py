"""One list and its pages, without any I/O: what to ask next, and when a list is complete.

Each page but the first is asked for `after_id`, the `last_id` of the page before it. Not here: the
loop over pages (sources/http/paging.py).
"""

from collections.abc import Generator
from dataclasses import dataclass

import msgspec

from openai_costs.kernel.errors import AccessRefused, CursorRefused, RequestRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.anthropic.organization.endpoints import (
    MOST_ENTRIES,
    WORKSPACES,
    ListEndpoint,
)
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    Page,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)


@dataclass(frozen=True)
class ListRead:
    """What became of a list: all its pages, or the message it was refused with."""

    pages: tuple[Page, ...] = ()
    absent: str = ""


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool
    last_id: str | None = None


def get(
    endpoint: ListEndpoint, params: tuple[tuple[str, str], ...] = (), after: str | None = None
) -> Get:
    """Return the request for a page of a list."""
    cursor = () if after is None else (("after_id", after),)
    own = (("limit", str(MOST_ENTRIES)), *endpoint.params, *params)
    return Get(endpoint.path, (*own, *cursor), may_be_large=True)


def read_list(endpoint: ListEndpoint) -> Generator[Get, Body, ListRead]:
    """Read every page of a list; one that this key is not given is absent, with the message.

    Raises:
        AccessRefused: The workspaces are refused: without them there is no organization.
        RequestRefused: The workspaces are refused.
        IncompleteRead: A cursor is missing or repeats, or a body is not readable; also when
            restarts did not help.
    """
    try:
        return ListRead((yield from _whole(endpoint)))
    except CursorRefused:
        raise
    except (AccessRefused, RequestRefused) as refused:
        if endpoint is WORKSPACES:
            raise
        return ListRead(absent=f"HTTP {refused.status}: {refused.message}")


def _whole(endpoint: ListEndpoint) -> Generator[Get, Body, tuple[Page, ...]]:
    """Read a list with its newest parameters; without them where these are refused."""
    try:
        return (yield from restarted(lambda: _pages(endpoint, newest=True), endpoint.path))
    except CursorRefused:
        raise
    except RequestRefused:
        if not endpoint.newest_params:
            raise
    return (yield from restarted(lambda: _pages(endpoint, newest=False), endpoint.path))


def _pages(endpoint: ListEndpoint, *, newest: bool) -> Generator[Get, Body, tuple[Page, ...]]:
    params = endpoint.newest_params if newest else ()

    def end(body: Body, _cursor: str | None) -> PageEnd:
        try:
            page = msgspec.json.decode(body, type=_Page)
        except UNREADABLE as broken:
            raise Garbled(f"the body is not the JSON of a list: {broken}") from None
        return PageEnd(page.has_more, page.last_id or "", not page.data)

    def ask(cursor: str | None) -> Get:
        return get(endpoint, params, cursor)

    return tuple((yield from all_pages(Paging(ask, end, "last_id"))))
