"""One list and its pages, without any I/O: what to ask next, and when a list is complete.

Each page but the first is asked for `after` the `last_id` of the page before it. Not here: the loop
over pages (sources/http/paging.py).
"""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec

from openai_costs.kernel.errors import AccessRefused, CursorRefused, RequestRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.http.paging import (
    Body,
    Garbled,
    Get,
    PageEnd,
    Paging,
    all_pages,
    restarted,
)
from openai_costs.sources.openai.organization.endpoints import (
    API_KEYS,
    ENDPOINTS,
    MOST_ENTRIES,
    PROJECT_ID,
    PROJECTS,
    ListEndpoint,
)

OLDEST_PROJECTS = 3
"""A key of an older project is older than most; more projects cost more requests than they save."""

UNAUTHORIZED = 401
NOT_FOUND = 404


@dataclass(frozen=True)
class Question:
    """One list: of the organization, or of one of its projects."""

    endpoint: ListEndpoint
    project_id: str | None = None

    @property
    def name(self) -> str:
        """The archive's name for the list: `users`, `api_keys.proj_x`."""
        project = () if self.project_id is None else (self.project_id,)
        return ".".join((self.endpoint.name, *project))

    def get(self, after: str | None = None) -> Get:
        """Return the request for a page."""
        path = self.endpoint.path.format(project_id=self.project_id)
        if self.endpoint.is_single:
            return Get(path, ())
        cursor = () if after is None else (("after", after),)
        params = (("limit", str(MOST_ENTRIES)), *self.endpoint.params, *cursor)
        return Get(path, params, may_be_large=True)


@dataclass(frozen=True)
class Page:
    """One page of a list, verbatim, with what it answers."""

    get: Get
    body: bytes


Pages = tuple[Page, ...]
Reading = Generator[Get, Body, Pages]


@dataclass(frozen=True)
class ListRead:
    """What became of a list: all its pages, or the message it was refused with."""

    pages: Pages = ()
    absent: str = ""


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool
    last_id: str | None = None


class _Made(msgspec.Struct):
    id: str
    created_at: int | None = None


def read_list(question: Question) -> Reading:
    """Read every page of a list; an object that is not there is a page without content.

    Raises:
        IncompleteRead: A cursor is missing or repeats, or a body is not readable; also when
            restarts did not help.
    """
    attempt = _object if question.endpoint.is_single else _pages
    return restarted(lambda: attempt(question), question.get().path)


def read_or_refused(question: Question) -> Generator[Get, Body, ListRead]:
    """Read a list; one that this key or this project is not given is absent, with the message.

    Raises:
        AccessRefused: The projects themselves are refused: without them there is no directory. Or
            the key is no longer known half way through them: what is left would all be absent.
        RequestRefused: The projects themselves are refused.
        CursorRefused: A page behind the first is refused: the list is given, and not complete.
        IncompleteRead: See `read_list`.
    """
    try:
        return ListRead((yield from read_list(question)))
    except CursorRefused:
        raise
    except (AccessRefused, RequestRefused) as refused:
        is_key_gone = refused.status == UNAUTHORIZED and question.endpoint.is_per_project
        if question.endpoint is PROJECTS or is_key_gone:
            raise
        return ListRead(absent=f"HTTP {refused.status}: {refused.message}")


def of_organization() -> tuple[Question, ...]:
    """Return the lists of the organization besides its projects."""
    lists = (one for one in ENDPOINTS if one is not PROJECTS and not one.is_per_project)
    return tuple(map(Question, lists))


def of_project(project_id: str) -> tuple[Question, ...]:
    """Return a project's own lists."""
    return tuple(Question(one, project_id) for one in ENDPOINTS if one.is_per_project)


def project_ids(projects: Pages) -> list[str]:
    """Return the projects a list names whose id can become part of a path, each once."""
    ids = (made.id for made in _entries(projects) if re.fullmatch(PROJECT_ID, made.id))
    return list(dict.fromkeys(ids))


def earliest_day() -> Generator[Get, Body, date | None]:
    """Return the UTC day the oldest project or API key was made; None when there is none.

    Asks for the keys of the oldest projects only.

    Raises:
        ReadFailed: The projects cannot be read.
    """
    projects = yield from read_list(Question(PROJECTS))
    lists = [projects]
    made = sorted((one.created_at, one.id) for one in _entries(projects) if one.created_at)
    known = set(project_ids(projects))
    for project_id in [one for _, one in made if one in known][:OLDEST_PROJECTS]:
        read = yield from read_or_refused(Question(API_KEYS, project_id))
        lists.append(read.pages)
    return earliest_made(lists)


def earliest_made(lists: Iterable[Pages]) -> date | None:
    """Return the UTC day the oldest thing in some lists was made; None when nothing says."""
    made = [one.created_at for pages in lists for one in _entries(pages) if one.created_at]
    return datetime.fromtimestamp(min(made), UTC).date() if made else None


def _object(question: Question) -> Reading:
    get = question.get()
    try:
        body = bytes((yield get))
    except RequestRefused as refused:
        if refused.status != NOT_FOUND:
            raise
        return (Page(get, b""),)
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UNREADABLE as broken:
        raise Garbled(f"the body is not a JSON object: {broken}") from None
    return (Page(get, body),)


def _pages(question: Question) -> Reading:
    def end(body: Body, _cursor: str | None) -> PageEnd:
        page = _parsed(body)
        return PageEnd(page.has_more, page.last_id or "", not page.data)

    pages = yield from all_pages(Paging(question.get, end, "last_id"))
    return tuple(Page(one.get, bytes(one.body)) for one in pages)


def _parsed(body: Body) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except UNREADABLE as broken:
        raise Garbled(f"the body is not the JSON of a list: {broken}") from None


def _entries(pages: Pages) -> Iterable[_Made]:
    """Yield what pages list, as far as it has an id and a readable date."""
    for page in pages:
        for entry in _parsed(page.body).data:
            try:
                yield msgspec.json.decode(entry, type=_Made)
            except UNREADABLE:
                continue
