"""Reads days window by window: drives the protocol's conversations over a transport.

Windows go newest first, so that recent days are there early and the floor is met last. A window is
handed on only when all its parts are complete. Not here: what is asked (the protocols).
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from upath import UPath

from openai_costs.kernel.clock_skew import ReadInstant
from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import BodyTooLarge, LookbackExceeded, ReadFailed
from openai_costs.settings.connection import Connection
from openai_costs.sources.http.conversation import hold
from openai_costs.sources.http.paging import Body, Get
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.notes import write_note
from openai_costs.sources.openai.connection import NAME
from openai_costs.sources.openai.costs import protocol
from openai_costs.sources.openai.costs.endpoints import Endpoint
from openai_costs.sources.openai.costs.protocol import WindowRead
from openai_costs.sources.openai.hints import Hints, recall
from openai_costs.storage.archive import DayRead


class Talk(Protocol):
    """Starts the conversation about a window, in the groupings known not to be hopeless."""

    def __call__(
        self, window: DayRange, hints: Hints, today: date, /
    ) -> Generator[Get, Body, WindowRead]:
        """Return the conversation."""
        ...


@dataclass(frozen=True)
class Dataset:
    """A kind of pages that are read by day.

    Args:
        name: The archive's name for its reads.
        note: The name of the note with hints.
        probe: An endpoint of it: the smallest question, and the largest window.
        talk: Starts the conversation about a window.
        tell: Says for a person what was read.
    """

    name: str
    note: str
    probe: Endpoint
    talk: Talk
    tell: Callable[[WindowRead], str]


def windows(
    dataset: Dataset,
    transport: Transport,
    note: UPath,
    days: DayRange,
    now: Callable[[], ReadInstant],
) -> Iterator[tuple[WindowRead, datetime]]:
    """Yield the complete reads of some days with the time each was begun, newest window first.

    Days in the future are not read. Where our clock is wrong, that is known once the server
    has answered: what was asked too early is dropped, and reading goes on without such days.

    Args:
        dataset: What is read.
        transport: Where it is read; closed at the end.
        note: Where hints are remembered.
        days: The days.
        now: Returns the current instant, by our clock and by the server's as far as it is known.

    Raises:
        ReadFailed: A window could not be completed; the windows before it were yielded.
    """

    def today() -> date:
        return now().believed.date()

    with closing(transport):
        unread = _Unread(dataset, transport, note, days)
        while (window := unread.next(today())) is not None:
            read_at = now().ours
            if (read := unread.read(window, today)) is not None:
                yield read, read_at


def open_day(window: DayRange, today: date) -> date | None:
    """Return today if it is in the window: its bucket may be cut short, or not be there yet."""
    return today if window.first <= today <= window.last else None


def by_day(
    dataset: Dataset, connection: Connection, read: WindowRead, read_at: datetime
) -> Iterator[DayRead]:
    """Cut a window's reads into days; a day that is not there yet is not a day."""
    for day in read.window:
        answers = {part: answer for part, answer in read.answers.items() if answer.covers(day)}
        bodies = {part: answer.buckets.get(day) for part, answer in answers.items()}
        whole = {part: bytes(body) for part, body in bodies.items() if body is not None}
        if len(whole) == len(bodies):
            yield DayRead(
                NAME,
                connection.name,
                dataset.name,
                day,
                read_at,
                {
                    part: answer.query.get().as_kept(answer.query.grouping)
                    for part, answer in answers.items()
                },
                whole,
                read.absent | _not_yet(read, day),
            )


def _not_yet(read: WindowRead, day: date) -> dict[str, str]:
    """Return the parts whose history begins inside the window, after the day."""
    return {
        part: f"its history begins on {answer.query.window.first}"
        for part, answer in read.answers.items()
        if not answer.covers(day)
    }


class _Unread:
    """The windows still to be read, newest first; learns from each answer."""

    def __init__(self, dataset: Dataset, transport: Transport, note: UPath, days: DayRange) -> None:
        self._dataset, self._transport, self._note = dataset, transport, note
        self._hints = recall(note)
        self._longest = dataset.probe.most_buckets
        self._unread: DayRange | None = days

    def next(self, today: date) -> DayRange | None:
        """Return the newest window still unread, without days that are in the future."""
        if self._unread and self._unread.last > today:
            first = self._unread.first
            self._unread = DayRange(first, today) if first <= today else None
        return self._unread.newest(self._longest) if self._unread else None

    def read(self, window: DayRange, today: Callable[[], date]) -> WindowRead | None:
        """Return the window's reads; None when another window has to be read first."""
        began = today()
        try:
            read = hold(self._dataset.talk(window, self._hints, began), self._transport)
        except ReadFailed as refused:
            if window.last <= today():
                self._shrink(window, refused, began)
            return None
        if window.last > today():
            return None  # the server's clock says so, which was not known before it answered
        if read.refused:
            self._learn(self._hints.refused(window, read.refused, began))
        self._finish(window.first)
        return read

    def _shrink(self, window: DayRange, refused: ReadFailed, today: date) -> None:
        """Make the window smaller where that helps; raise what was refused where it does not."""
        if isinstance(refused, BodyTooLarge):
            self._longest = max(1, min(len(window) // 2, refused.days_begun - 1))
        elif isinstance(refused, LookbackExceeded):
            floor = hold(protocol.find_floor(window, self._dataset.probe), self._transport)
            if floor > today or floor == window.first:
                raise refused  # no floor is in this window: the question is refused, not its days
            self._learn(self._hints.with_floor(floor))
            self._start_at(floor)
        else:
            raise refused

    def _learn(self, hints: Hints) -> None:
        self._hints = hints
        write_note(self._note, hints)

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
