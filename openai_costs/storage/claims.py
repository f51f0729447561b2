"""Claims of a name: of the processes that want to be the one that uses it, one gets it.

No one waits: whoever does not get a name takes another. On a disk a claim ends with the process
that has it, and what that leaves is swept. On an object store a claim is a name of its own, written
only if it is not there yet: one who is killed leaves it, and no one uses the name it is about. Not
here: what is waited for (locks.py).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from upath import UPath

from openai_costs.storage.files import HALF_WRITTEN, create_file, is_local


@contextmanager
def claimed(name: UPath) -> Iterator[bool]:
    """Have a name in a block, if no other process has it; yield whether it is so.

    Args:
        name: The file that is used, whether it is there or not.
    """
    claim = name.parent / f".{name.name}{HALF_WRITTEN}"
    if is_local(claim):
        with _held(Path(str(claim))) as is_ours:
            yield is_ours
        return
    is_ours = create_file(claim, b"")
    try:
        yield is_ours
    finally:
        if is_ours:
            with suppress(Exception):  # what the block did stays; no one else needs the name
                claim.fs.rm_file(claim.path)


@contextmanager
def _held(claim: Path) -> Iterator[bool]:
    claim.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(claim, os.O_WRONLY | os.O_CREAT, 0o600)
    is_ours = False
    try:
        with suppress(BlockingIOError):
            flock(opened, LOCK_EX | LOCK_NB)
            is_ours = os.fstat(opened).st_nlink > 0  # else its last holder has just removed it
        yield is_ours
    finally:
        if is_ours:
            claim.unlink(missing_ok=True)
        os.close(opened)


def sweep(home: UPath) -> None:
    """Remove the half-written files and claims that killed processes left below a local home."""
    if not is_local(home):
        return
    for file in Path(str(home)).rglob(f".*{HALF_WRITTEN}"):
        with suppress(OSError), file.open("rb") as half_written:
            flock(half_written, LOCK_EX | LOCK_NB)  # refused while the process that writes it lives
            file.unlink()
