"""Where bytes come to rest: a local folder or an object store, by URL, with the same code.

The only place that writes or replaces a file, so that "all of it or none of it" is said once.
Not here: what the bytes mean.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from upath import UPath


def place(url: str) -> UPath:
    """Return the folder a URL or a local path names."""
    found = UPath(url)
    return found.absolute() if is_local(found) else found


def is_local(path: UPath) -> bool:
    """Return whether the path is on this machine's own file system."""
    return isinstance(path, Path)


def replace_file(target: UPath, content: bytes) -> None:
    """Make `target` hold exactly `content`, in one step that a reader cannot see the middle of.

    On a local disk that step is a rename; on an object store a single PUT is already atomic.
    A process killed half way leaves at most a `*.tmp` file that no reader looks at.
    """
    if not is_local(target):
        target.write_bytes(content)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, half_written = tempfile.mkstemp(dir=str(target.parent), prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(half_written, str(target))  # noqa: PTH105 - the atomic rename is the point
    except BaseException:
        Path(half_written).unlink(missing_ok=True)
        raise


def move_into_place(built: Path, target: UPath) -> None:
    """Make `target` be the finished local file `built`, in one step."""
    if is_local(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(built, str(target))  # noqa: PTH105 - the atomic rename is the point
    else:
        target.fs.put_file(str(built), target.path)
        built.unlink()


def files_below(folder: UPath, suffix: str) -> Iterator[UPath]:
    """Yield the files below a folder whose name ends with `suffix`, sorted by path."""
    if folder.exists():
        yield from sorted(folder.rglob(f"*{suffix}"), key=str)
