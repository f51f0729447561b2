"""The names of kept reads: the number that orders the reads of a day, and the instant of each.

`r<number>-<read_at>.tar.zst`. Not here: what is in such a file (archive.py).
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from upath import UPath

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
    return in_order(folder.iterdir())


def in_order(files: Iterable[UPath]) -> list[UPath]:
    """Return those of some files that are reads, the newest of each day behind its others."""
    kept = [file for file in files if _NAME.fullmatch(file.name)]
    return sorted(kept, key=lambda file: (read_number(file), file.name))


def next_name(at: datetime, kept: Sequence[UPath]) -> str:
    """Return the name of a read that is kept now; the very read that is there keeps its name."""
    if kept and read_at(kept[-1]) == at:
        return kept[-1].name
    return numbered(max(map(read_number, kept), default=0) + 1, at)


def numbered(number: int, at: datetime) -> str:
    """Return the name of a read's file."""
    return f"r{number:06}-{at.astimezone(UTC).strftime(_STAMP)}{SUFFIX}"
