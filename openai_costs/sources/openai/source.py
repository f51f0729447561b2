"""Reads an organisation's costs: drives the protocol's conversations over a transport.

Windows go newest first, so that recent days are there early and the floor is met last. A window is
handed on only when its ledger, control and user view are all complete.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from pydantic import SecretStr

from openai_costs.archive import Archive, DayRead
from openai_costs.days import Clock, DayRange
from openai_costs.errors import BodyTooLarge, LookbackExceeded, ReadFailed
from openai_costs.settings import Connection, Settings
from openai_costs.sources.openai import protocol
from openai_costs.sources.openai.endpoints import ALLOWED, COSTS
from openai_costs.sources.openai.learned import Learned, recall, remember
from openai_costs.sources.openai.paging import Body, Get, Query
from openai_costs.sources.openai.protocol import WindowRead
from openai_costs.sources.source import Reach, Tell
from openai_costs.sources.transport import Access, Transport

NAME = "openai"
IN_PROCESS_URL = "http://127.0.0.1/v1"
"""What the sample organisation is called by; nothing listens there."""

T = TypeVar("T")


@dataclass(frozen=True)
class OpenAICosts:
    """Reads the costs of OpenAI organisations."""

    settings: Settings
    archive: Archive
    clock: Clock
    reach: Reach = field(default_factory=Reach)

    def read(self, connection: Connection, days: DayRange, tell: Tell) -> Iterator[DayRead]:
        """Yield every day of `days` that the provider has, as complete reads, newest window first.

        Raises:
            ReadFailed: A window could not be completed; the windows before it were yielded.
            MissingKey: The connection has no key; nothing was sent.
        """
        self.settings.admin_key(connection)
        with closing(connect(self.settings, connection, self.reach)) as transport:
            windows = _Windows(self, connection, transport, days)
            while (window := windows.next()) is not None:
                read_at = self.clock()
                if (read := windows.read(window, read_at)) is not None:
                    tell(_progress(connection, read, days))
                    yield from _by_day(connection, read, read_at)


def connect(settings: Settings, connection: Connection, reach: Reach) -> Transport:
    """Return a transport to a connection's API; the key is read when a request leaves."""

    def key() -> SecretStr:
        return settings.admin_key(connection)

    access = Access(
        connection=connection.name,
        base_url=IN_PROCESS_URL if connection.is_sample else connection.base_url,
        key=key,
        key_env=connection.admin_key_env,
        allowed=ALLOWED[connection.access],
        requests_per_minute=connection.requests_per_minute,
        max_body_bytes=settings.reading.max_body_mb * 1024 * 1024,
    )
    return Transport(access, reach.inner(connection))


def probe(settings: Settings, connection: Connection, reach: Reach, day: DayRange) -> None:
    """Ask for one day without grouping: the smallest request that shows whether we may read.

    Raises:
        ReadFailed: The request was refused or did not arrive.
        MissingKey: The connection has no key; nothing was sent.
    """
    get = Query(COSTS, day).get()
    with closing(connect(settings, connection, reach)) as transport:
        transport.get(get.path, get.params)


def first_day(archive: Archive, connection: Connection) -> date:
    """Return the first day there is history for: the connection's start, or the floor met since."""
    floor = recall(archive.note(NAME, connection.name)).floor
    return max(connection.first_day, floor or connection.first_day)


class _Windows:
    """The windows of one connection still to be read, newest first; learns from each answer."""

    def __init__(
        self, source: OpenAICosts, connection: Connection, transport: Transport, days: DayRange
    ) -> None:
        self._transport = transport
        self._note = source.archive.note(NAME, connection.name)
        self._learned = recall(self._note)
        self._longest = COSTS.most_buckets
        self._unread: DayRange | None = days
        self._start_at(first_day(source.archive, connection))

    def next(self) -> DayRange | None:
        """Return the newest window still unread."""
        return self._unread.newest(self._longest) if self._unread else None

    def read(self, window: DayRange, read_at: datetime) -> WindowRead | None:
        """Return the window's reads; None when the provider asks for another window first."""
        today = read_at.date()
        groupings = self._learned.groupings(window, today)
        open_day = today if window.first <= today <= window.last else None
        try:
            read = self._hold(protocol.read_window(window, groupings, open_day))
        except BodyTooLarge as large:
            self._longest = max(1, min(len(window) // 2, large.buckets_begun - 1))
            return None
        except LookbackExceeded:
            floor = self._hold(protocol.find_floor(window))
            if floor > today:
                raise
            self._learn(Learned(floor, self._learned.refusals))
            self._start_at(floor)
            return None
        if read.refused:
            self._learn(self._learned.refused(window, read.refused, today))
        self._finish(window.first)
        return read

    def _hold(self, conversation: Generator[Get, Body, T]) -> T:
        """Hold a conversation to its end: send each request, hand back answer or refusal."""
        try:
            request = next(conversation)
            while True:
                request = _reply(conversation, self._send, request)
        except StopIteration as ended:
            return ended.value  # type: ignore[no-any-return]  # StopIteration is not generic

    def _send(self, get: Get) -> Body:
        return self._transport.get(get.path, get.params, may_be_large=get.may_be_large)

    def _learn(self, learned: Learned) -> None:
        self._learned = learned
        remember(self._note, learned)

    def _start_at(self, first: date) -> None:
        if self._unread and first > self._unread.first:
            self._unread = (
                DayRange(first, self._unread.last) if first <= self._unread.last else None
            )

    def _finish(self, first: date) -> None:
        unread = self._unread
        if unread is not None:
            before = first - timedelta(days=1)
            self._unread = DayRange(unread.first, before) if unread.first <= before else None


def _reply(conversation: Generator[Get, Body, T], send: Callable[[Get], Body], request: Get) -> Get:
    try:
        body = send(request)
    except ReadFailed as refused:
        return conversation.throw(refused)
    return conversation.send(body)


def _by_day(connection: Connection, read: WindowRead, read_at: datetime) -> Iterator[DayRead]:
    """Cut a window's reads into days; a day that is not there yet is not a day."""
    requests = {
        part: (get.path, list(get.params), list(answer.query.grouping))
        for part, answer in read.answers.items()
        for get in (answer.query.get(),)
    }
    for day in read.window:
        bodies = {part: answer.buckets.get(day) for part, answer in read.answers.items()}
        whole = {part: bytes(body) for part, body in bodies.items() if body is not None}
        if len(whole) == len(bodies):
            yield DayRead(NAME, connection.name, COSTS.dataset, day, read_at, requests, whole)


def _progress(connection: Connection, read: WindowRead, days: DayRange) -> str:
    done = (days.last - read.window.first).days + 1
    grouping = ", ".join(read.answers["ledger"].query.grouping)
    return f"{connection.name}: read {read.window} by {grouping} ({done} of {len(days)} days)"
