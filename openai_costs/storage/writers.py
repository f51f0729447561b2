"""Who writes to a home on an object store: together, or one alone while the others wait.

Who writes has a note of its own, which it renews, and keeps it for a few seconds after the last
write. Who wants to be alone takes a lease (leases.py), and waits until no note of others is left
that is still renewed. Each writes its own note first and looks for the other's then, so that of two
at the same instant at least one sees the other. Not here: a local home (locks.py).
"""

import atexit
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

from upath import UPath

from openai_costs.storage.files import content_of, create_file
from openai_costs.storage.leases import (
    BEAT_SECONDS,
    FIRST_WAIT,
    LEASE_SECONDS,
    LONGEST_WAIT,
    LeaseTimeoutError,
    leased,
    listed,
    newest,
    note_file,
    note_of_mine,
    read,
)

ALONE, WRITERS = "alone", "writers"
"""Below the lock: the lease of who is alone, and a note for each process that writes."""


class _Presence:
    """The note of this process in a home, from its first write to a pause.

    Args:
        lock: The lock of the home.
        file: The note.
    """

    def __init__(self, lock: UPath, file: UPath) -> None:
        self._lock, self._file = lock, file
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._writers, self._is_asked = 0, False
        threading.Thread(target=self._renew, daemon=True).start()

    def enter(self) -> bool:
        """Count one more that writes; return whether the note still stands."""
        with self._guard:
            if self._is_asked:
                self._end()
            self._writers += not self._ended.is_set()
            return not self._ended.is_set()

    def leave(self) -> None:
        """Count one less."""
        with self._guard:
            self._writers -= 1
            if self._is_asked:
                self._end()

    def end(self) -> None:
        """Remove the note, where no one writes."""
        with self._guard:
            self._end()

    def _end(self) -> None:
        if not self._writers and not self._ended.is_set():
            self._ended.set()
            with suppress(Exception):  # unrenewed, it counts no more in LEASE_SECONDS
                self._file.unlink()

    def _renew(self) -> None:
        beat, idle = 0, 0
        while not self._ended.wait(BEAT_SECONDS):
            beat, idle = beat + 1, 0 if self._writers else idle + 1
            if idle > 1:
                self.end()
                return
            with suppress(Exception):  # the next one may get through
                self._file.write_bytes(note_of_mine(is_free=False, beat=beat))
                self._is_asked = _holder(self._lock) is not None


_present: dict[tuple[int, str], _Presence] = {}
_arriving = threading.Lock()


@contextmanager
def together(lock: UPath, limit: float) -> Iterator[None]:
    """Write in a block, together with others, and not while one is alone.

    Args:
        lock: The lock of the home.
        limit: How many seconds to wait.

    Raises:
        LeaseTimeoutError: One was alone all the time.
        OSError: The store does not answer, or refuses to be written to.
    """
    whose = os.getpid(), str(lock)
    with _arriving:
        presence = _present.get(whose)
        while presence is None or not presence.enter():
            presence = _present[whose] = _Presence(lock, _arrived(lock, limit))
    try:
        yield
    finally:
        presence.leave()


@contextmanager
def alone(lock: UPath, limit: float) -> Iterator[None]:
    """Be the only one that writes in a block.

    Args:
        lock: The lock of the home.
        limit: How many seconds to wait.

    Raises:
        LeaseTimeoutError: Others wrote, or one was alone, all the time.
        OSError: The store does not answer, or refuses to be written to.
    """
    _pause(lock)
    with leased(lock / ALONE, limit):
        _wait_for_writers(lock / WRITERS, limit)
        yield


def _pause(lock: UPath) -> None:
    if (presence := _present.pop((os.getpid(), str(lock)), None)) is not None:
        presence.end()


@atexit.register
def end_all() -> None:
    """Remove the notes of this process."""
    for process, _ in list(_present):
        if process == os.getpid():
            for presence in _present.values():
                with suppress(Exception):  # the store may be closed already
                    presence.end()


def _arrived(lock: UPath, limit: float) -> UPath:
    """Return the note of this process, once no one is alone."""
    file, until = lock / WRITERS / f"{uuid4().hex}.json", time.monotonic() + limit
    while True:
        create_file(file, note_of_mine(is_free=False))
        if _holder(lock) is None:
            return file
        file.unlink()
        _wait_for_who_is_alone(lock, until)


def _wait_for_who_is_alone(lock: UPath, until: float) -> None:
    """Wait until no one is alone; a lease that no one renews is ended."""
    seen, since, wait = b"", time.monotonic(), FIRST_WAIT
    while (holder := _holder(lock)) is not None:
        number, content = newest(lock / ALONE)
        if content != seen:
            seen, since = content, time.monotonic()
        if time.monotonic() - since > LEASE_SECONDS:
            note_file(lock / ALONE, number).write_bytes(note_of_mine(is_free=True))
            return
        if time.monotonic() > until:
            raise LeaseTimeoutError(read(holder))
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _holder(lock: UPath) -> bytes | None:
    """Return what the lease of who is alone says; None where no one is."""
    number, content = newest(lock / ALONE)
    return None if not number or read(content).get("is_free") else content


def _wait_for_writers(folder: UPath, limit: float) -> None:
    """Wait until no note is left that is renewed; the others are of processes that were killed."""
    began, wait = time.monotonic(), FIRST_WAIT
    seen: dict[str, tuple[bytes, float]] = {}
    while names := listed(folder):
        for name in names:
            content, now = _content(folder / name), time.monotonic()
            if seen.get(name, (b"", 0.0))[0] != content:
                seen[name] = content, now
            elif now - seen[name][1] > LEASE_SECONDS:
                with suppress(FileNotFoundError):
                    (folder / name).unlink()
        if time.monotonic() - began > limit:
            raise LeaseTimeoutError(read(seen[names[0]][0]))
        time.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)


def _content(file: UPath) -> bytes:
    try:
        return content_of(file)
    except FileNotFoundError:
        return b"gone"
