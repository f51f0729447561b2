"""Locks on an object store: notes that only one writer can create, and that their holder renews.

No lock there ends with the process that holds it. So a holder creates the next number below the
lock's name, of several writers only one (a conditional put), renews what the note says while it
lives, and writes into it that the lock is free. Whoever waits compares what it reads, and no
clocks: a note that has not changed for LEASE_SECONDS is of a process that was killed, or stood
still for so long. Such a one has lost its lock when it goes on, and can know it (Lease.is_lost).
Not here: locks of a local home (locks.py).
"""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import content_of, create_file

LEASE_SECONDS = 30.0
BEAT_SECONDS = 5.0
FIRST_WAIT = 0.1
LONGEST_WAIT = 2.0
"""Between two looks at a lock that is held, in seconds: each twice the one before."""

_ENDING = ".json"
Note = Mapping[str, Any]


class LeaseTimeoutError(Exception):
    """A lock was still held when the limit was over.

    Args:
        holder: What its note says; empty where that cannot be read.
    """

    def __init__(self, holder: Note) -> None:
        super().__init__("held")
        self.holder = holder


class LockLost(OpenAICostsError):  # noqa: N818
    """A process that stood still goes on, and another has taken its lock over meanwhile.

    Args:
        lock: The file.
    """

    def __init__(self, lock: UPath) -> None:
        super().__init__(
            f"This process stood still, or did not reach the store, for more than "
            f"{LEASE_SECONDS:.0f} seconds, and another has taken {lock.parent} over meanwhile. "
            "What the other one put there stays. Run the command again."
        )


class Lease:
    """A lock of an object store that this process took.

    Args:
        lock: Its name.
        number: The number of its note.
    """

    def __init__(self, lock: UPath, number: int) -> None:
        self._lock, self._number = lock, number
        self._note = note_file(lock, number)

    def is_lost(self) -> bool:
        """Return whether another process took the lock over, or ended it."""
        number, content = newest(self._lock)
        return number != self._number or read(content).get("is_free") is not False

    def still_held(self) -> None:
        """Go on where the lock is not lost.

        Raises:
            LockLost: It is.
        """
        if self.is_lost():
            raise LockLost(self._lock)

    def renew(self, ended: threading.Event) -> None:
        """Say that its holder lives, until that ends or has lost it."""
        beat = 0
        while not ended.wait(BEAT_SECONDS):
            beat += 1
            with suppress(Exception):  # the next one may get through
                if self.is_lost():
                    return
                self._note.write_bytes(note_of_mine(is_free=False, beat=beat))

    def give_back(self) -> None:
        """Say that the lock is free, where it was not lost."""
        with suppress(Exception):  # unrenewed, it is free in LEASE_SECONDS
            if not self.is_lost():
                self._note.write_bytes(note_of_mine(is_free=True))


@contextmanager
def leased(lock: UPath, limit: float) -> Iterator[Lease]:
    """Hold a lock of an object store in a block.

    Args:
        lock: Its name; the notes are below it.
        limit: How many seconds to wait.

    Raises:
        LeaseTimeoutError: It was held all the time.
        OSError: The store does not answer, or refuses to be written to.
    """
    lease = Lease(lock, _taken(lock, limit))
    ended = threading.Event()
    beats = threading.Thread(target=lease.renew, args=(ended,), daemon=True)
    beats.start()
    try:
        yield lease
    finally:
        ended.set()
        beats.join()
        lease.give_back()


def _taken(lock: UPath, limit: float) -> int:
    """Return the number of this process's note, once the lock is free."""
    began, wait = time.monotonic(), FIRST_WAIT
    seen, since = (0, b""), began
    while True:
        number, content = latest = newest(lock)
        now = time.monotonic()
        if latest != seen:
            seen, since = latest, now
        holder = read(content)
        if not number or holder.get("is_free") or now - since > LEASE_SECONDS:
            if create_file(note := note_file(lock, number + 1), note_of_mine(is_free=False)):
                if _is_the_newest(lock, number + 1):
                    return number + 1
                note.unlink()
        elif now - began > limit:
            raise LeaseTimeoutError(holder)
        else:
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)


def newest(lock: UPath) -> tuple[int, bytes]:
    """Return the largest number below a lock, and what its note says; 0 where there is none."""
    number = max(_numbers(lock), default=0)
    try:
        return number, content_of(note_file(lock, number)) if number else b""
    except FileNotFoundError:
        return number, b""  # removed by who took it since


def _numbers(lock: UPath) -> list[int]:
    stems = [name.removesuffix(_ENDING) for name in listed(lock)]
    return [int(stem) for stem in stems if stem.isdigit()]


def listed(folder: UPath) -> list[str]:
    """Return the names of the notes in a folder, as they are now."""
    try:
        names = [str(path).rpartition("/")[2] for path in folder.fs.ls(folder.path, detail=False)]
    except FileNotFoundError:
        return []
    return [name for name in names if name.endswith(_ENDING)]


def _is_the_newest(lock: UPath, number: int) -> bool:
    """Return whether no larger number is there, and remove the smaller ones.

    There is one where, since this process looked, others held the lock and removed its number.
    """
    others = [one for one in _numbers(lock) if one != number]
    if max(others, default=0) > number:
        return False
    for old in others:
        with suppress(FileNotFoundError):
            note_file(lock, old).unlink()
    return True


def note_file(lock: UPath, number: int) -> UPath:
    """Return the note of a number below a lock."""
    return lock / f"{number:08}{_ENDING}"


def note_of_mine(*, is_free: bool, beat: int = 0) -> bytes:
    """Return what a note of this process says."""
    who = {"process": os.getpid(), "host": socket.gethostname()}
    return json.dumps({**who, "beat": beat, "is_free": is_free}).encode()


def read(content: bytes) -> Note:
    """Return what a note says; nothing where it cannot be read."""
    with suppress(ValueError):
        found = json.loads(content)
        return found if isinstance(found, dict) else {}
    return {}
