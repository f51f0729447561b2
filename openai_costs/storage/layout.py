"""What this project writes below a local home, by path: what else there is, and what is in its way.

A foreign file is not read. One that stands where a folder belongs, or a folder where a file
belongs, would stop whatever is written there: it is set aside. Not here: damage inside of files.
"""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from upath import UPath

from openai_costs.storage.files import SET_ASIDE, is_local, set_file_aside
from openai_costs.storage.home import FOLDERS
from openai_costs.storage.locks import WRITERS
from openai_costs.storage.object_stores import TRIAL

PUBLICATION_STATE = "published/.publication.json"
"""What the last publication was made of. Without it, the next one is built anew, and holds no byte
of the last one."""

FOCUS = "published/focus"
"""The folder of the bill as FOCUS files."""

_DELTA = (
    r"(_delta_log/(\d{20}\.(json|checkpoint.*\.parquet)|_.*)"
    r"|_digests/[\w.-]+\.sha256|part-\d{5}-[\w-]+\.\w+\.parquet)"
)
_READ = r"[^/]+/\d{4}-\d\d-\d\d/(r\d+-)?[\dT]+\.\d+Z\.tar\.zst"
_COPY = r"([^/]+/(\d{4}-\d\d|all|no_rows)|[^/]+)\.parquet"
_FILE = re.compile(
    rf"raw/[^/]+/[^/]+/({_READ}|[^/]+\.json|.+\.msgpack)"
    rf"|lake/(([^/]+/)+{_DELTA}|format\.json)|(lake|record)/{TRIAL}"
    r"|record/[^/]+/\d{8}\.json"
    rf"|published/(openai_costs\.duckdb|parquet/{_COPY})|{re.escape(PUBLICATION_STATE)}"
    rf"|{FOCUS}/[^/]+/openai_costs\.parquet"
    r"|report/index\.html|dagster/history/(runs/)?[^/]+\.db"
    r"|(.*/)?\.(\w+\.)?lock(\.holder)?|mutes\.json"
)
_MORE = re.compile(rf"({FOCUS}|report|dagster)/.+|.*/\.(.+\.tmp|building-.+)")
"""Files whose names others choose, such as Dagster, or that are there for a moment."""

_FOLDER = re.compile(
    rf"{SET_ASIDE}|raw(/[\w-]+){{1,4}}"
    r"|lake/\w+(/\w+)?(/_delta_log|/_digests|(/\w+=[^/]+){1,2})?"
    r"|record/\w+"
    rf"|published/parquet(/\w+\.\w+)?|{FOCUS}(/billing_period=[\d-]+)?"
    r"|dagster/history(/runs)?"
)


class _Entry(NamedTuple):
    """A file or a folder below a home.

    Args:
        name: Its path from there.
        is_folder: Whether it is a folder, or a link to one.
    """

    name: str
    is_folder: bool

    @property
    def is_in_the_way(self) -> bool:
        """Whether it has the name of something of the other kind."""
        if self.is_folder:
            return _FILE.fullmatch(self.name) is not None
        return _FOLDER.fullmatch(self.name) is not None and not _FILE.fullmatch(self.name)

    @property
    def is_foreign(self) -> bool:
        """Whether it is a file that no one here writes or asks for."""
        is_known = self.is_folder or _FILE.fullmatch(self.name) or _MORE.fullmatch(self.name)
        return not (is_known or self.is_in_the_way)


def foreign_files(home: UPath) -> list[str]:
    """Return the files below a local home that this project did not write: they are not read."""
    return [str(home / one.name) for one in _entries(home) if one.is_foreign]


def misplaced(home: UPath) -> Iterator[tuple[UPath, str]]:
    """Yield what stands where something of another kind belongs, and that in a sentence.

    A link is left as whoever made it wants it.
    """
    for one in _entries(home):
        if one.is_in_the_way and not (path := home / one.name).is_symlink():
            found, wanted = ("folder", "file") if one.is_folder else ("file", "folder")
            yield path, f"{path} is a {found} in the place of a {wanted}"


def set_misplaced_aside(home: UPath) -> list[str]:
    """Move what stands in the way aside; return what that was, in sentences without a full stop.

    Raises:
        OSError: The machine does not let it be moved.
    """
    lines = []
    for path, why in list(misplaced(home)):
        if path.exists():  # it did not go with a folder that it was in
            folder = home / SET_ASIDE / path.relative_to(home).parent
            if path == folder:  # it cannot be moved into itself
                path = path.rename(path.with_name(f"{SET_ASIDE}.file"))  # noqa: PLW2901
            set_file_aside(path, folder)
            lines.append(why)
    return lines


def _entries(home: UPath) -> Iterator[_Entry]:
    """Yield what is below the folders of a local home, sorted, and the files beside them."""
    if not is_local(home):
        return
    beside = (SET_ASIDE, WRITERS, "mutes.json")
    yield from (_Entry(name, (home / name).is_dir()) for name in beside if (home / name).exists())
    for top in FOLDERS:
        for folder, folders, files in os.walk(str(home / top)):
            folders.sort()
            below = folder[len(str(home)) + 1 :]
            yield from (_Entry(f"{below}/{name}", is_folder=True) for name in folders)
            yield from (_Entry(f"{below}/{name}", is_folder=False) for name in sorted(files))
