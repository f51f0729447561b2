"""Where bytes come to rest: a local folder or an object store, by URL, with the same code.

The only place that writes or replaces a file, so that "all or nothing" is decided once.
Not here: what the bytes mean.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ENOTEMPTY
from fcntl import LOCK_EX, flock
from pathlib import Path
from shutil import rmtree
from typing import BinaryIO
from uuid import uuid4

from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.redaction import USER_BEFORE_HOST

HALF_WRITTEN = ".tmp"
SET_ASIDE = "set_aside"
"""The folder of a home for damaged files: nothing reads them, and they may be deleted."""

_IMPOSSIBLE = re.compile(r"[\[\]\\?\x00-\x1f]|%[0-9A-Fa-f]{2}")
"""delta-rs stops at brackets and control characters, takes a backslash for a slash, and decodes %20
and the like twice; DuckDB ends the name of a file beside its own at a question mark."""

_LAKE = "lake"
"""The folder of a home with the tables, which may be a link to another disk."""


def place(url: str) -> UPath:
    """Return the folder a URL or a local path names.

    Raises:
        SettingsError: Its address is of no kind that can be reached or has a password, or its path
            has a sign that no table or database can be stored below, or leads to one that does.
    """
    if re.search(USER_BEFORE_HOST, url):
        raise _refused(url, "its address has a password, which belongs in the environment")
    try:
        found = UPath(url)
    except (ValueError, ImportError) as unknown:
        raise _refused(url, str(unknown)) from None
    # A driver that remembers lists would deny that a name exists which another process has added.
    folder = found.absolute() if is_local(found) else UPath(url, use_listings_cache=False)
    for path in dict.fromkeys((folder.path, *_led_to(folder))):
        if sign := _IMPOSSIBLE.search(path):
            leads = "" if path == folder.path else f"it leads to {path}, and "
            why = f"{leads}no table can be stored below a path with {sign[0]!r} in it"
            raise _refused(folder, why)
    return folder


def _led_to(folder: UPath) -> Iterator[str]:
    """Yield where the links in a path on a disk lead: delta-rs follows them before all else."""
    if is_local(folder) or folder.protocol == "file":
        yield from map(os.path.realpath, (folder.path, (folder / _LAKE).path))


def _refused(home: object, why: str) -> SettingsError:
    return SettingsError(
        f"The home {home} cannot be used: {why}. Choose another folder in OPENAI_COSTS_HOME or "
        "--home. Nothing was written."
    )


def is_local(path: UPath | Path) -> bool:
    """Return whether the path is on this machine's own file system."""
    return isinstance(path, Path)


def replace_file(target: UPath, content: bytes, folders: set[Path] | None = None) -> None:
    """Make `target` hold exactly `content`, in one step that a reader cannot see the middle of.

    On a local disk that step is a rename; on an object store a single PUT is already atomic.
    A process killed half way leaves at most a `*.tmp` file that no reader looks at and the next
    run removes.

    Args:
        target: The file.
        content: What it is to hold.
        folders: Takes its folder, where the names in it are not on the disk yet: for one who
            flushes those of many files at once. None has them on the disk.
    """
    if not is_local(target):
        target.write_bytes(content)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _written(Path(str(target)), content, folders) as half_written:
        half_written.replace(str(target))


def create_file(target: UPath, content: bytes) -> bool:
    """Make a file that is not there yet, in one step; return whether it was not.

    Of several writers of one name, on one machine or on several, only one succeeds.
    """
    if not is_local(target):
        return _put_if_absent(target, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _written(Path(str(target)), content) as half_written:
        try:
            os.link(half_written, str(target))
        except FileExistsError:
            return False
        finally:
            half_written.unlink()
    return True


def content_of(file: UPath) -> bytes:
    """Return what a file holds that others may replace meanwhile, as it was before or after that.

    On an object store in one request: a driver that asks for the size first, or reads parts side by
    side, finds another object when it reads.

    Raises:
        FileNotFoundError: It is not there.
    """
    if is_local(file):
        return file.read_bytes()
    return bytes(file.fs.cat_file(file.path, max_concurrency=1))


def set_file_aside(file: UPath, folder: UPath) -> UPath:
    """Move a file or a folder into a folder, under a name that none has; return where it is."""
    aside = folder / file.name
    while aside.exists():
        aside = folder / f"{file.name}.{uuid4().hex[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    if is_local(file):
        Path(str(file)).replace(str(aside))
    else:  # there is no folder to move: only names that begin with it
        parts = file.fs.find(file.path)
        file.fs.copy(parts, [aside.path + part.removeprefix(file.path) for part in parts])
        file.fs.rm(parts)
    return aside


@contextmanager
def _written(target: Path, content: bytes, folders: set[Path] | None = None) -> Iterator[Path]:
    """Yield a file beside `target` that holds `content`, on the disk and not only in memory.

    What the block does with it is on the disk as well when it ends, unless `folders` takes the
    folder.
    """
    half_written = target.parent / f".{target.name}.{uuid4().hex}{HALF_WRITTEN}"
    try:
        with _held(half_written) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            yield half_written
        if folders is None:
            flush_folder(target.parent)
        else:
            folders.add(target.parent)
    except BaseException as error:
        half_written.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(target)  # a full disk does not say where it is
        raise


def flush(file: Path) -> None:
    """Have the content of a file on the disk, whoever wrote it."""
    with file.open("rb") as written:
        os.fsync(written.fileno())


def flush_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a rename is lost with them."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot, and need not
            os.fsync(opened)
    finally:
        os.close(opened)


def _put_if_absent(target: UPath, content: bytes) -> bool:
    if target.protocol == "file":  # a disk by its URL has folders, a store has none
        target.parent.mkdir(parents=True, exist_ok=True)
    for is_last in (False, False, True):
        try:
            target.fs.pipe_file(target.path, content, mode="create")
        except FileExistsError:
            return False
        except OSError:  # s3fs has another error for it with some stores
            if target.exists():
                return False
            if is_last:
                raise
        else:
            return True
    return False


def _held(path: Path) -> BinaryIO:
    """Open a file for its owner alone, and hold it as long as this process has it open."""
    while True:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        flock(file, LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:  # no sweep took it between the two
            return file
        file.close()


def remove_folder(folder: UPath) -> None:
    """Remove a folder with all that is in it; nothing happens when it is not there."""
    if not folder.exists():
        return
    if is_local(folder):
        try:
            rmtree(str(folder))
        except OSError as fault:
            if fault.errno != ENOTEMPTY:
                raise
            rmtree(str(folder), ignore_errors=True)  # a reading that ends wrote a note meanwhile
    else:
        folder.fs.rm(folder.path, recursive=True)


def files_below(folder: UPath, suffix: str = "") -> Iterator[UPath]:
    """Yield the files below a folder whose name ends with `suffix`, sorted by path.

    Raises:
        OSError: A folder cannot be read: what is in it is not known.
    """
    if not folder.exists():
        return
    if not is_local(folder):
        found = folder.rglob(f"*{suffix}")
        yield from sorted((one for one in found if suffix or one.is_file()), key=str)
        return
    walk = os.walk(str(folder), onerror=_raised)  # a glob passes over what it may not read
    paths = (f"{below}/{name}" for below, _, names in walk for name in names)
    yield from (type(folder)(path) for path in sorted(paths) if path.endswith(suffix))


def _raised(fault: OSError) -> None:
    raise fault
