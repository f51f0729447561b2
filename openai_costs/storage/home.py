"""Whether a home can be used: its folders are folders, and something can be written.

Asked before a command begins, so that a fault of the machine is one sentence at once, and not one
for each table at the end.
"""

import errno
import os
from collections import deque
from pathlib import Path

from upath import UPath

from openai_costs.storage.files import files_below, is_local, replace_file
from openai_costs.storage.object_stores import refuse_unsafe_store
from openai_costs.storage.store_faults import StoreUnreachable, of_store

FOLDERS = ("raw", "lake", "record", "published", "report", "dagster")
"""What a home has below it."""

ENOUGH_BYTES = 1024 * 1024
"""A disk that does not take so much is full: the smallest run writes more."""


def _refuse_unreachable(home: UPath) -> None:
    with of_store(home, "read", StoreUnreachable):
        try:
            home.fs.ls(home.path)
        except FileNotFoundError as missing:
            if missing.__cause__ is not None:  # the store's own answer: there is no such bucket
                raise


def refuse_unusable(home: UPath) -> None:
    """Refuse a home where a file stands in the place of a folder, or that cannot be reached.

    Raises:
        OSError: It does; the error has its path. Or it cannot be looked into.
        StoreUnreachable: Its object store does not answer, or does not let this process in.
    """
    if not is_local(home):
        _refuse_unreachable(home)
        return
    there = Path(str(home))
    for folder in (*reversed(there.parents), there, *(there / name for name in FOLDERS)):
        if folder.exists() and not folder.is_dir():
            reason = os.strerror(errno.ENOTDIR)
            raise NotADirectoryError(errno.ENOTDIR, reason, str(folder))


def refuse_unwritable(home: UPath) -> None:
    """Refuse a home in which nothing can be written; leaves no file behind on a disk.

    Raises:
        OSError: Of the machine: no right, no space, a read-only disk. It has the path.
        StoreUnusable: Of an object store; `StoreUnreachable` where nothing can be read either.
        StoreUnsafe: The object store does not keep two writers apart.
    """
    refuse_unusable(home)
    probe = home / ".probe"
    if not is_local(home):
        with of_store(home, "written to"):
            replace_file(probe, b"")
            probe.unlink()
        refuse_unsafe_store(home / "record")
        return
    replace_file(probe, b"\0" * ENOUGH_BYTES)
    probe.unlink()
    for folder in (Path(str(home)) / name for name in FOLDERS):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def refuse_unreadable(home: UPath) -> None:
    """Refuse a local home of which a folder cannot be read: its days would be missing.

    Raises:
        PermissionError: Of the machine. It has the path.
    """
    if is_local(home):
        for name in FOLDERS:
            deque(files_below(home / name), maxlen=0)
