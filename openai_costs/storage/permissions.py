"""Who may read a home on a disk: the account that writes it, and no other.

Folders are 0700 and files 0600. Libraries make files of their own, so the process itself gives no
more rights than these; what was written before, or by another program, is closed afterwards.
An object store has rules of its own.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from upath import UPath

from openai_costs.storage.files import SET_ASIDE, is_local
from openai_costs.storage.home import FOLDERS

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_for_owner_only() -> None:
    """Let no file or folder that this process makes from now on be read by others."""
    os.umask(OTHERS)


def close_to_others(home: UPath) -> None:
    """Take the rights of others away from all that a local home has below it.

    A file of another account stays as it is: `open_to_others` names it.
    """
    for path in open_to_others(home):
        with suppress(OSError):
            path.chmod(path.stat().st_mode & ~OTHERS)


def open_to_others(home: UPath) -> Iterator[Path]:
    """Yield the files and folders of a local home that others than their owner have rights to.

    A folder comes before what is in it; below a folder that is closed, nothing can be reached, but
    it is looked at all the same: folders are moved and copied.
    """
    if not is_local(home):
        return
    for name in (*FOLDERS, SET_ASIDE):
        folder = Path(str(home)) / name
        for path in (folder, *folder.rglob("*")):
            with suppress(OSError):  # gone since it was listed
                if not path.is_symlink() and path.stat().st_mode & OTHERS:
                    yield path
