"""The archive of raw reads: append-only evidence, from which every table can be rebuilt.

`raw/<provider>/<connection>/<dataset>/<day>/r<number>-<read_at>.tar.zst` is a complete read of a
day: `manifest.json` and a member for each part, exactly as it came. It appears whole or not at
all, and never changes. The largest number is the newest read. Not here: what the bytes mean.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
from upath import UPath

from openai_costs.kernel.days import day_named
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.evidence import without_people
from openai_costs.storage.files import files_below, flush_folder, replace_file
from openai_costs.storage.forgotten import pseudonyms_of
from openai_costs.storage.locks import writing
from openai_costs.storage.newly_named import forgotten_after_pages
from openai_costs.storage.packing import Manifest, Part, packed, unpacked
from openai_costs.storage.read_names import (
    SUFFIX,
    in_order,
    kept_files,
    next_file,
    read_at,
    read_number,
)


@dataclass(frozen=True)
class DayRead:
    """A complete read of one day, ready to be kept; a reader gives this machine's instant alone."""

    provider: str
    connection: str
    dataset: str
    day: date
    read_at: datetime
    requests: Mapping[str, tuple[str, list[tuple[str, str]], list[str]]]
    bodies: Mapping[str, bytes]
    absent: Mapping[str, str] = field(default_factory=dict)
    clock_at: datetime | None = None
    server_at: datetime | None = None
    is_withdrawn: bool = False

    @property
    def paths(self) -> list[str]:
        """The paths that were asked."""
        return [path for path, _, _ in self.requests.values()]

    def manifest(self) -> Manifest:
        """Describe the read, with a digest per body."""
        parts = {
            name: Part(
                path=path,
                params=params,
                grouping=grouping,
                sha256=hashlib.sha256(self.bodies[name]).hexdigest(),
                size_bytes=len(self.bodies[name]),
            )
            for name, (path, params, grouping) in self.requests.items()
        }
        whose = (self.provider, self.connection, self.dataset, self.day, self.read_at)
        return Manifest(*whose, parts, dict(self.absent), self.clock_at, self.server_at)


@dataclass(frozen=True)
class KeptRead:
    """A complete read in the archive."""

    path: UPath
    manifest: Manifest
    bodies: Mapping[str, bytes]

    @property
    def paths(self) -> list[str]:
        """The paths that were asked."""
        return [part.path for part in self.manifest.parts.values()]

    @property
    def requests(self) -> dict[str, tuple[str, list[tuple[str, str]], list[str]]]:
        """How each body was asked for, as in `DayRead`."""
        parts = self.manifest.parts
        return {name: (one.path, one.params, one.grouping) for name, one in parts.items()}

    @property
    def page(self) -> str:
        """The page's name for a person: its path in the archive."""
        return str(self.path)

    def page_of(self, part: str) -> str:
        """Return what a person finds a part by: the file in the archive and the member inside."""
        return f"{self.page}!{part}.json"

    @property
    def number(self) -> int:
        """Its number among the reads of its day; 0 for a read of version 0.1."""
        return read_number(self.path)


class DamagedRead(NamedTuple):
    """A kept file that has changed or is damaged: its day, and what is wrong with it."""

    connection: str
    day: date
    error: PageRefused


Opened = KeptRead | DamagedRead
"""What is found where a read was kept."""


class Archive:
    """The archive below `home/raw`."""

    def __init__(self, home: UPath) -> None:
        self._home, self._root = home, home / "raw"

    @property
    def forgotten(self) -> Pseudonyms | None:
        """Whom the home forgets: in every read that is kept or opened."""
        return pseudonyms_of(self._home)

    def keep(self, read: DayRead) -> UPath:
        """Append one complete read, as the newest of its day."""
        return self.added(read)[0]

    @contextmanager
    def batch(self) -> Iterator[Callable[[DayRead], tuple[UPath, bool]]]:
        """Yield `added` for many reads: their names are on the disk when the block ends."""
        folders = set[Path]()
        try:
            yield partial(self.added, folders=folders)
        finally:
            for folder in folders:
                with suppress(FileNotFoundError):  # its connection was renamed
                    flush_folder(folder)

    def added(self, read: DayRead, folders: set[Path] | None = None) -> tuple[UPath, bool]:
        """Append one read; return its file, and whether it is new (`folders`: `replace_file`)."""
        folder = self.folder_of(read.provider, read.connection, read.dataset, read.day)
        with writing(self._home):
            people = forgotten_after_pages(self._home, read.bodies.values())
            content = packed(*without_people(read.manifest(), read.bodies, people))
            with next_file(folder, read.read_at) as (file, is_new):
                replace_file(file, content, folders)
        return file, is_new

    def reads(self, provider: str, connection: str, dataset: str, day: date) -> list[UPath]:
        """Return the files of a day's complete reads, in the order in which they were kept."""
        return kept_files(self.folder_of(provider, connection, dataset, day))

    def newest_at(self, provider: str, connection: str, dataset: str) -> dict[date, datetime]:
        """Return when the newest read of each day was read, by the names of the files alone."""
        folder = self._root / provider / connection / dataset
        newest = {one.parent.name: one for one in in_order(files_below(folder, SUFFIX))}
        return {day: read_at(newest[name]) for name in newest if (day := day_named(name))}

    def newest(
        self, provider: str, connection: str, dataset: str, days: Iterable[date]
    ) -> Iterator[Opened]:
        """Yield the newest complete read of each day that has one, in the order of `days`."""
        for day in days:
            if files := self.reads(provider, connection, dataset, day):
                yield _opened(files[-1], connection, day)

    def every(self, provider: str, connection: str, dataset: str) -> Iterator[Opened]:
        """Yield all complete reads there are of a dataset, oldest first."""
        for day in self.days(provider, connection, dataset):
            for file in self.reads(provider, connection, dataset, day):
                yield _opened(file, connection, day)

    def newest_first(self, provider: str, connection: str, dataset: str) -> Iterator[Opened]:
        """Yield the newest complete read of each day that has one, the newest day first."""
        days = reversed(self.days(provider, connection, dataset))
        yield from self.newest(provider, connection, dataset, days)

    def connections(self, provider: str) -> list[str]:
        """Return the connections of a provider that anything is kept of, sorted."""
        return sorted(_names(self._root / provider))

    def room(self, provider: str, connection: str, name: str) -> UPath:
        """Return a folder beside a connection's reads, for reads that are not complete yet."""
        return self._root / provider / connection / name

    def note(self, provider: str, connection: str, about: str = "learned") -> UPath:
        """Return the file in which a source keeps cached hints about a connection."""
        return self._root / provider / connection / f"{about}.json"

    def days(self, provider: str, connection: str, dataset: str) -> list[date]:
        """Return the days that any complete read is kept of, sorted."""
        folder = self._root / provider / connection / dataset
        return sorted(filter(None, map(day_named, _names(folder))))

    def folder_of(self, provider: str, connection: str, dataset: str, day: date) -> UPath:
        """Return the folder of a day's complete reads, whether there are any or not."""
        return self._root.joinpath(provider, connection, dataset, day.isoformat())


def set_aside(file: UPath, suffix: str) -> None:
    """Move a kept read to the dataset with a suffix, where no table is made from it."""
    day, dataset = file.parent, file.parents[1]
    aside = dataset.parent / f"{dataset.name}{suffix}" / day.name / file.name
    with writing(_home_of(file)):
        replace_file(aside, file.read_bytes())
        file.unlink()
        if day.exists() and not list(day.iterdir()):
            day.rmdir()


def _names(folder: UPath) -> list[str]:
    """Return the names of the folders in a folder."""
    return [one.name for one in folder.iterdir() if one.is_dir()] if folder.exists() else []


def _opened(file: UPath, connection: str, day: date) -> Opened:
    try:
        return open_read(file)
    except PageRefused as damage:
        return DamagedRead(connection, day, damage)


def open_read(path: UPath) -> KeptRead:
    """Return the read in a kept file.

    Raises:
        PageRefused: The file is damaged, of another day than its folder, or a body has changed.
    """
    manifest, members = unpacked(path.read_bytes(), str(path))
    if str(manifest.day) != path.parent.name:
        raise PageRefused(str(path), "the file", f"is a copy of {manifest.day}")
    for name, part in manifest.parts.items():
        if hashlib.sha256(members.get(name, b"")).hexdigest() != part.sha256:
            raise PageRefused(str(path), f"{name}.json", "has changed: its digest differs")
    named = msgspec.structs.replace(manifest, connection=path.parents[2].name)  # may be renamed
    _, bodies = without_people(named, members, pseudonyms_of(_home_of(path)))
    return KeptRead(path, named, bodies)


def _home_of(read: UPath) -> UPath:
    return read.parents[5]
