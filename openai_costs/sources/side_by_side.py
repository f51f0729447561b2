"""Reads sources side by side: each in a thread of its own, and so at its own pace.

What they bring is handed on in one thread, source by source: whose account a read is of depends on
what was kept before it. Not here: what is kept of it (ingest.py).
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Condition, Thread

from openai_costs.sources.provider import Tell
from openai_costs.storage.archive import DayRead

MOST_AHEAD = 128 * 1024 * 1024
"""Bytes of bodies that are held before it is the turn of their sources, of all of them together."""

MOST_LARGE = 3
"""Sources at a time that may hold much: all days of a request are in memory before the first one is
brought."""

SMALL = 128 * 1024
"""Bytes of a read from which on its source may hold much."""

Reading = Callable[[Tell], Iterable[DayRead]]
"""Reads a source, given what takes its lines."""

_SECONDS = 1.0
"""After so many a thread that waits looks up, so that it can be interrupted on every system."""


@dataclass(eq=False)
class _Stream:
    """What a source has brought.

    Args:
        reading: Starts it.
        held: Its reads that were not taken yet.
        held_bytes: Their bodies, and that of the read that is being kept.
        error: What ended it before its end.
        is_begun: Whether it is being read.
        is_small: Whether its newest read was.
        is_done: Whether nothing more comes.
        is_left: Whether nothing more is wanted.
    """

    reading: Reading
    held: deque[DayRead] = field(default_factory=deque)
    held_bytes: int = 0
    error: Exception | None = None
    is_begun: bool = False
    is_small: bool = False
    is_done: bool = False
    is_left: bool = False


@contextmanager
def side_by_side(
    readings: Sequence[Reading], tell: Tell, most_ahead: int | None
) -> Iterator[Sequence[Iterable[DayRead]]]:
    """Give the reads of each source, to be taken source by source; read all of them meanwhile.

    A source whose days turn out to be large, and one of which that is not known yet, is begun when
    few such are under way. A line of any source is handed on while another one is waited for.

    Args:
        readings: The sources.
        tell: Takes their lines, in this thread.
        most_ahead: How many bytes of bodies all of them may hold before it is their turn. With 0, a
            source goes on when what it brought was taken and is done with, and none is held to be
            large. None reads one source after the other, in this thread; so is one that is alone.
    """
    if most_ahead is None or not readings[1:]:
        yield [_in_turn(one, tell) for one in readings]
        return
    both = _SideBySide(readings, tell, most_ahead // len(readings))
    try:
        yield [both.reads_of(stream) for stream in both.streams]
    finally:
        for stream in both.streams:
            both.leave(stream)


def _in_turn(reading: Reading, tell: Tell) -> Generator[DayRead]:
    yield from reading(tell)


class _SideBySide:
    def __init__(self, readings: Sequence[Reading], tell: Tell, room: int) -> None:
        self._tell, self._room = tell, room
        self._most_large = MOST_LARGE if room else len(readings)
        self._changed, self._lines = Condition(), deque[str]()
        self.streams = [_Stream(one) for one in readings]
        with self._changed:
            self._begin_more()

    def reads_of(self, stream: _Stream) -> Iterator[DayRead]:
        """Yield what a source brings, and tell the lines of all.

        Raises:
            Exception: What ended the source before its end.
        """
        try:
            with self._changed:
                self._begin(stream)
            while self._is_more(stream):
                read = stream.held.popleft()
                yield read
                with self._changed:
                    stream.held_bytes -= _size(read)
                    self._changed.notify_all()
        finally:
            self.leave(stream)
        if stream.error is not None:
            raise stream.error

    def leave(self, stream: _Stream) -> None:
        """End a source's reading after the request that is under way."""
        with self._changed:
            stream.is_left = True
            self._changed.notify_all()

    def _begin_more(self) -> None:
        """Begin sources as long as few that may hold much are under way."""
        under_way = [one for one in self.streams if one.is_begun and not one.is_done]
        large = sum(not one.is_small for one in under_way)
        left = (one for one in self.streams if not one.is_begun)
        for _, stream in zip(range(self._most_large - large), left, strict=False):
            self._begin(stream)

    def _begin(self, stream: _Stream) -> None:
        if not stream.is_begun:
            stream.is_begun = True
            Thread(target=self._fill, args=(stream,), daemon=True).start()

    def _is_more(self, stream: _Stream) -> bool:
        """Wait until a source has brought something, or is at its end."""
        while True:
            with self._changed:
                while not (self._lines or stream.held or stream.is_done):
                    self._changed.wait(_SECONDS)
                lines = [*self._lines]
                self._lines.clear()
                is_more, is_known = bool(stream.held), bool(stream.held or stream.is_done)
            for line in lines:
                self._tell(line)
            if is_known:
                return is_more

    def _fill(self, stream: _Stream) -> None:
        """Read a source, in a thread of its own."""
        try:
            with closing(_in_turn(stream.reading, self._say)) as reads:
                for one in reads:
                    if not self._handed(stream, one):
                        break
        except Exception as error:  # noqa: BLE001 - raised where the source is taken
            stream.error = error
        with self._changed:
            stream.is_done = True
            self._begin_more()
            self._changed.notify_all()

    def _say(self, line: str) -> None:
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()

    def _handed(self, stream: _Stream, read: DayRead) -> bool:
        """Hold a read, and wait for room; return whether more is wanted."""
        size = _size(read)
        with self._changed:
            stream.held.append(read)
            stream.held_bytes += size
            stream.is_small = size < SMALL
            self._begin_more()
            self._changed.notify_all()
            while stream.held_bytes > self._room and not stream.is_left:
                self._changed.wait(_SECONDS)
            return not stream.is_left


def _size(read: DayRead) -> int:
    return 1 + sum(map(len, read.bodies.values()))  # one without bodies is waited for too
