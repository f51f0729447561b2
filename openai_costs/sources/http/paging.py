"""The pages of an answer, without any I/O: all of them or none. The one paging loop there is.

A conversation is a generator: it yields a `Get`, is sent the body of the answer (or has the refusal
thrown into it), and returns what it read. Pure. Not here: sending (conversation.py), how a page
names the next one (a provider's protocol).
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from openai_costs.kernel.errors import CursorRefused, IncompleteRead, RequestRefused

MOST_PAGES = 1_000
MOST_RESTARTS = 3

Body = bytes | bytearray
T = TypeVar("T")


@dataclass(frozen=True)
class Get:
    """One request: a path and its parameters, in the order they are sent."""

    path: str
    params: tuple[tuple[str, str], ...]
    may_be_large: bool = False

    def as_kept(self, grouping: Iterable[str] = ()) -> tuple[str, list[tuple[str, str]], list[str]]:
        """Return the request as it is kept with its answer.

        Args:
            grouping: The dimensions that it asks by.
        """
        return self.path, list(self.params), list(grouping)


class Page(NamedTuple):
    """One request and the body that answered it."""

    get: Get
    body: Body


class PageEnd(NamedTuple):
    """What a page says about the pages behind it.

    Args:
        has_more: Whether it says that another page follows.
        cursor: What the next page is asked for with; empty where the page names nothing.
        is_empty: Whether it holds no entry that no page before it has.
    """

    has_more: bool
    cursor: str
    is_empty: bool


class Garbled(Exception):  # noqa: N818 - a signal to start again, never seen outside
    """The answer makes no sense; a new start may."""


class CursorBroken(Garbled):
    """A page names no further page that could be asked for, and says that there is one."""


def never() -> bool:
    """Return False: no content proves that such a list is whole."""
    return False


@dataclass(frozen=True)
class Paging:
    """How the pages of one answer follow one another.

    Args:
        get: Returns the request for the page of a cursor; None asks for the first page.
        end: Returns what a page says about the next one, given the cursor it was asked for with;
            raises Garbled where the body is no such page. Takes in the content as it goes.
        cursor_name: The provider's name for the cursor, for messages.
        is_whole: Whether the content so far proves that nothing is missing.
        most_pages: More pages than this are an endless list.
        about: What the answer is about, for messages.
    """

    get: Callable[[str | None], Get]
    end: Callable[[Body, str | None], PageEnd]
    cursor_name: str
    is_whole: Callable[[], bool] = never
    most_pages: int = MOST_PAGES
    about: str = ""


def all_pages(paging: Paging) -> Generator[Get, Body, list[Page]]:
    """Read every page of an answer.

    The content is believed more than what a page says: where it proves to be whole, a further page
    that is empty or that the provider refuses ends the answer.

    Raises:
        CursorBroken: A cursor is missing or repeats, or an empty page says that more follows.
        Garbled: There are too many pages.
        CursorRefused: A page behind the first was refused while something is still missing.
    """
    pages: list[Page] = []
    seen: set[str] = set()
    cursor: str | None = None
    while len(pages) < paging.most_pages:
        get = paging.get(cursor)
        try:
            body = yield get
        except RequestRefused as refused:
            if cursor is None:
                raise
            if paging.is_whole():
                return pages
            raise CursorRefused(refused.answer) from None
        end = paging.end(body, cursor)
        pages.append(Page(get, body))
        if not end.has_more or (end.is_empty and paging.is_whole()):
            return pages
        cursor = _next(end, seen, paging.cursor_name)
    raise Garbled(f"more than {paging.most_pages} pages{paging.about and f' for {paging.about}'}")


def restarted(attempt: Callable[[], Generator[Get, Body, T]], path: str) -> Generator[Get, Body, T]:
    """Hold a conversation from its beginning, a few times, until its answer makes sense.

    A cursor belongs to one exact question and expires, and a list may change while it is read:
    only a new start helps.

    Args:
        attempt: Starts the conversation.
        path: The path it asks, for messages.

    Raises:
        IncompleteRead: No attempt made sense.
        CursorRefused: The provider refused a page behind the first in every attempt.
    """
    for restart in range(MOST_RESTARTS + 1):
        is_last = restart == MOST_RESTARTS
        try:
            return (yield from attempt())
        except Garbled as garbled:
            if is_last:
                raise IncompleteRead(path, str(garbled)) from None
        except CursorRefused:
            if is_last:
                raise
    raise AssertionError("the last restart returns or raises")  # pragma: no cover


def _next(end: PageEnd, seen: set[str], name: str) -> str:
    if not end.cursor:
        raise CursorBroken(f"the page says has_more but names no {name} cursor")
    if end.cursor in seen:
        raise CursorBroken(f"the cursor {end.cursor!r} came back: paging would never end")
    if end.is_empty:
        raise CursorBroken(f"an empty page says has_more (cursor {end.cursor!r})")
    seen.add(end.cursor)
    return end.cursor
