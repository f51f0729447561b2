"""The names of kept reads: the number that orders the reads of a day, and the instant of each.

`r<number>-<read_at>.tar.zst`. The reads of a day have different numbers, also where processes keep
them at once; some numbers may be of none. Earlier versions could give two reads one number, which
are then in the order of their instants. Not here: what is in such a file (archive.py).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from upath import UPath

from openai_costs.storage.claims import claimed

SUFFIX = ".tar.zst"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"(?:r(?P<number>\d+)-)?(?P<stamp>[\dT]+\.\d+Z)" + re.escape(SUFFIX))
"""A file's name; version 0.1 did not number its reads, and they are older than any that is."""


def read_at(path: UPath) -> datetime:
    """Return when a kept file was read, from its name alone."""
    found = _NAME.fullmatch(path.name)
    stamp = found["stamp"] if found else ""
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def read_number(path: UPath) -> int:
    """Return the number of a kept file among the reads of its day; 0 where it has none."""
    found = _NAME.fullmatch(path.name)
    return int(found["number"] or 0) if found else 0


def kept_files(folder: UPath) -> list[UPath]:
    """Return the reads in a day's folder, in the order in which they were kept."""
    try:
        return in_order(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):  # the latter is what a store says of no folder
        return []


def in_order(files: Iterable[UPath]) -> list[UPath]:
    """Return those of some files that are reads, the newest of each day behind its others."""
    kept = [file for file in files if _NAME.fullmatch(file.name)]
    return sorted(kept, key=lambda file: (read_number(file), file.name))


@contextmanager
def next_file(folder: UPath, at: datetime) -> Iterator[tuple[UPath, bool]]:
    """Yield the file for a read that is kept in the block, and whether it is a new one.

    The very read that is the newest keeps its file. Any other gets a number above all that are
    there. Whoever claims a number looks for a read that has it since, so no other read gets it.

    Args:
        folder: The folder of its day.
        at: When it was read.
    """
    kept = kept_files(folder)
    if kept and read_at(kept[-1]) == at:
        yield kept[-1], False
        return
    largest = _largest(kept)
    while True:
        number = largest + 1
        with claimed(folder.parent / f"{folder.name}.r{number:06}") as is_ours:
            largest = _largest(kept_files(folder)) if is_ours else number
            if largest < number:
                yield folder / numbered(number, at), True
                return


def _largest(kept: Sequence[UPath]) -> int:
    return read_number(kept[-1]) if kept else 0


def numbered(number: int, at: datetime) -> str:
    """Return the name of a read's file."""
    return f"r{number:06}-{at.astimezone(UTC).strftime(_STAMP)}{SUFFIX}"
