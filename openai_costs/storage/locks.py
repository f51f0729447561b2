"""Locks of a home: for as long as a block lasts, and with a limit on waiting for them.

A lock of a local home goes with the process that holds it, however that ends. Beside it stands who
holds it, for the message to whoever waits too long. Not here: how an object store has one
(leases.py, writers.py).
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import is_local
from openai_costs.storage.leases import LeaseTimeoutError, Note, leased
from openai_costs.storage.writers import alone, together

LONGEST_SECONDS = 900.0
"""Longer than a publication of years takes: whoever holds a lock for so long does not go on."""

QUIET_SECONDS = 5.0
"""Whoever waits for longer is informed, once: most locks are held for milliseconds."""

LOG = logging.getLogger(__name__)
HOLDER = ".holder"
ANOTHER = "another process"
WRITERS = ".writers.lock"
"""Below the home: held together by those who write, and by one alone who takes files away."""

AGAIN_SECONDS = 0.05
StillHeld = Callable[[], None]
"""Raises LockLost where another process has taken the lock over since: asked before each file that
is put in the place of another's."""

T = TypeVar("T")
Taken = Callable[[UPath, float], AbstractContextManager[None]]
"""How a lock of an object store is held, for so many seconds of waiting at most."""

_alone: set[str] = set()
"""The homes that this process holds alone."""


class LockHeld(OpenAICostsError):  # noqa: N818
    """Another process has held a lock for too long; nothing was done.

    Args:
        lock: The file.
        holder: Who holds it, and since when.
        seconds: How long this process waited.
    """

    def __init__(self, lock: UPath | Path, holder: str, seconds: float) -> None:
        super().__init__(
            f"{lock.parent} is in use by {holder}. This command waited {seconds:.0f} seconds for "
            "it and changed nothing. Wait for that process, or end it if it hangs; then run the "
            "command again."
        )


@contextmanager
def held(lock: UPath | Path, seconds: float | None = None) -> Iterator[StillHeld]:
    """Hold a lock of a home in a block; a process of its own waits for others.

    Args:
        lock: The file; its folder is made.
        seconds: How long to wait; None for the usual limit.

    Raises:
        LockHeld: Another process still held it after that time.
    """
    limit = LONGEST_SECONDS if seconds is None else seconds
    if isinstance(lock, UPath) and not is_local(lock):
        with _waiting(lock, limit, leased(lock, limit)) as lease:
            yield lease.still_held
        return
    file = Path(str(lock))
    file.parent.mkdir(parents=True, exist_ok=True)
    with _acquired(file, limit):
        holder = file.with_name(file.name + HOLDER)
        holder.write_text(
            json.dumps({"process": os.getpid(), "host": socket.gethostname()}), encoding="utf-8"
        )
        try:
            yield _never_lost
        finally:
            holder.unlink(missing_ok=True)


def _never_lost() -> None:
    """A lock of a local home goes with its process, and not before."""


@contextmanager
def _waiting(lock: UPath, limit: float, taken: AbstractContextManager[T]) -> Iterator[T]:
    """Hold a lock of an object store in a block, or say who held it."""
    with ExitStack() as stack:
        late = threading.Timer(QUIET_SECONDS, _report, (lock, ANOTHER, limit))
        late.daemon = True
        late.start()
        try:
            given = stack.enter_context(taken)
        except LeaseTimeoutError as held_by:
            raise LockHeld(lock, _named(held_by.holder), limit) from None
        finally:
            late.cancel()
        yield given


def _report(lock: UPath | Path, holder: str, limit: float) -> None:
    """Say that this process waits, for whom and for how long."""
    LOG.warning(
        "Waiting for %s, which is in use by %s. This goes on by itself, or ends after %.0f seconds "
        "of waiting.",
        lock.parent,
        holder,
        limit,
    )


@contextmanager
def writing(home: UPath | Path) -> Iterator[None]:
    """Write to a home in a block, together with others that do, and not while one is alone.

    Raises:
        LockHeld: One was alone for longer than the usual limit.
    """
    if str(home) in _alone:
        yield
        return
    with _locked(home, LOCK_SH, together):
        yield


@contextmanager
def no_writers(home: UPath | Path) -> Iterator[None]:
    """Be the only one that writes to a home in a block: what others have begun, they end first.

    For what takes files away that another process may be about to name. Publications and whole
    tables have locks of their own.

    Raises:
        LockHeld: Others still wrote after the usual limit.
    """
    with _locked(home, LOCK_EX, alone):
        _alone.add(str(home))
        try:
            yield
        finally:
            _alone.discard(str(home))


def _locked(home: UPath | Path, how: int, of_store: Taken) -> AbstractContextManager[None]:
    if isinstance(home, UPath) and not is_local(home):
        lock = home / WRITERS
        return _waiting(lock, LONGEST_SECONDS, of_store(lock, LONGEST_SECONDS))
    return _flocked(Path(str(home)), how)


@contextmanager
def _flocked(home: Path, how: int) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    file = home / WRITERS
    opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    began, is_reported = time.monotonic(), False
    try:
        while True:
            try:
                flock(opened, how | LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - began
                if waited > LONGEST_SECONDS:
                    raise LockHeld(file, _known_to_linux(file), LONGEST_SECONDS) from None
                if waited > QUIET_SECONDS and not is_reported:
                    _report(file, _known_to_linux(file), LONGEST_SECONDS)
                    is_reported = True
                time.sleep(AGAIN_SECONDS)
        yield
    finally:
        os.close(opened)


@contextmanager
def _acquired(file: Path, limit: float) -> Iterator[None]:
    lock, quiet = FileLock(str(file), mode=0o600), min(QUIET_SECONDS, limit)
    try:
        lock.acquire(timeout=quiet)
    except Timeout:
        if limit > quiet:
            _report(file, _holder(file), limit)
        try:
            lock.acquire(timeout=limit - quiet)
        except Timeout:
            raise LockHeld(file, _holder(file), limit) from None
    try:
        yield
    finally:
        lock.release()


def _holder(file: Path) -> str:
    """Return who holds a lock, for a person."""
    note = file.with_name(file.name + HOLDER)
    with suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(note.stat().st_mtime, UTC)
        return f"{_named(known)} since {since:%Y-%m-%d %H:%M} UTC"
    return ANOTHER


def _known_to_linux(file: Path) -> str:
    """Return who holds a lock of several, of whom none leaves a note: Linux lists all locks."""
    with suppress(OSError, ValueError):
        inode = f":{file.stat().st_ino}"
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            _, kind, _, _, process, place, *_ = line.split()
            if kind == "FLOCK" and place.endswith(inode) and int(process) > 0:
                return _named({"process": process, "host": socket.gethostname()})
    return ANOTHER


def _named(holder: Note) -> str:
    if {"process", "host"} <= holder.keys():
        return f"process {holder['process']} on {holder['host']}"
    return ANOTHER
