"""Locks of a home: for as long as a block lasts, and with a limit on waiting for them.

A lock of a local home goes with the process that holds it, however that ends. Beside it stands who
holds it, for the message to whoever waits too long. Not here: how an object store has one
(leases.py).
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from upath import UPath

from openai_costs.kernel.errors import OpenAICostsError
from openai_costs.storage.files import is_local
from openai_costs.storage.leases import LeaseTimeoutError, Note, leased

LONGEST_SECONDS = 900.0
"""Longer than a publication of years takes: whoever holds a lock for so long does not go on."""

HOLDER = ".holder"


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
def held(lock: UPath | Path, seconds: float | None = None) -> Iterator[None]:
    """Hold a lock of a home in a block; a process of its own waits for others.

    Args:
        lock: The file; its folder is made.
        seconds: How long to wait; None for the usual limit.

    Raises:
        LockHeld: Another process still held it after that time.
    """
    limit = LONGEST_SECONDS if seconds is None else seconds
    if isinstance(lock, UPath) and not is_local(lock):
        with _leased(lock, limit):
            yield
        return
    file = Path(str(lock))
    file.parent.mkdir(parents=True, exist_ok=True)
    with _acquired(file, limit):
        holder = file.with_name(file.name + HOLDER)
        holder.write_text(
            json.dumps({"process": os.getpid(), "host": socket.gethostname()}), encoding="utf-8"
        )
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextmanager
def _leased(lock: UPath, limit: float) -> Iterator[None]:
    try:
        with leased(lock, limit):
            yield
    except LeaseTimeoutError as held_by:
        raise LockHeld(lock, _named(held_by.holder), limit) from None


@contextmanager
def _acquired(file: Path, limit: float) -> Iterator[None]:
    lock = FileLock(str(file), timeout=limit, mode=0o600)
    try:
        lock.acquire()
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
    return "another process"


def _named(holder: Note) -> str:
    if {"process", "host"} <= holder.keys():
        return f"process {holder['process']} on {holder['host']}"
    return "another process"
