"""The runs that the files of a connection are of: found in folders and object stores.

Lists and reads manifests; no file of rows is opened. Not here: which run counts (ownership.py).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from upath import UPath

from openai_costs.kernel.days import month_of
from openai_costs.kernel.errors import FileRefused
from openai_costs.sources import user_files
from openai_costs.sources.exports import layout
from openai_costs.sources.exports.ownership import Run, newest_of_each_export
from openai_costs.sources.exports.text_tables import is_table

MANIFEST: Final = "manifest.json"
_ANY: Final = "**"


@dataclass(frozen=True)
class Located:
    """The files of a connection.

    Args:
        paths: All files of rows by their names, those of replaced runs too.
        runs: The runs that a newer one of their export does not replace.
        left_over: Files that a manifest does not list: an older run left them.
    """

    paths: dict[str, UPath]
    runs: list[Run]
    left_over: tuple[str, ...]


def located(
    folder: UPath, patterns: Iterable[str], options: Mapping[str, Any] = user_files.NO_OPTIONS
) -> Located:
    """Return the files that some patterns stand for, and their runs.

    Args:
        folder: Where names begin that are neither absolute nor a URL.
        patterns: Files, folders, patterns, or URLs of these.
        options: How their object store is reached, where the environment does not say.

    Raises:
        FileRefused: There is no file of rows, a place cannot be reached, or a manifest lists a
            file that is not there.
    """
    paths: dict[str, UPath] = {}
    places: dict[str, layout.Place] = {}
    for pattern in patterns:
        root = _unnamed_folders(folder, pattern)
        found = {_name(one): one for one in _files(folder, pattern, options)}
        paths |= found
        places |= {name: layout.placed(name, root) for name in found}
    by_manifest: dict[str, list[str]] = {}
    alone: list[str] = []
    manifests = _Manifests()
    for name in sorted(paths):
        manifest = manifests.of(paths[name])
        if manifest:
            by_manifest.setdefault(manifest, []).append(name)
        else:
            alone.append(name)
    listed = [
        _listed(one, manifests.read(one), {name: places[name] for name in names})
        for one, names in by_manifest.items()
    ]
    of_files = [run for run, _ in listed]
    of_folders = _unlisted({name: places[name] for name in alone})
    runs = newest_of_each_export([*of_files, *of_folders])
    for run in runs:
        if run.is_listed:
            _refuse_incomplete(run, manifests.read(run.name))
    return Located(paths, runs, tuple(one for _, left in listed for one in left))


def version(run: Run, paths: Mapping[str, UPath]) -> str:
    """Return what changes with the files of a run, without reading them.

    Args:
        run: The run.
        paths: All files by their names.

    Returns:
        A text to compare with that of another time; empty where nothing says whether they changed.
    """
    found = [(name, user_files.version(paths[name])) for name in sorted(run.files)]
    if not all(its for _, its in found):
        return ""
    return hashlib.sha256(repr((run.ran_at, found)).encode()).hexdigest()[:16]


def _name(path: UPath) -> str:
    return str(path.absolute() if isinstance(path, Path) else path)


def _unnamed_folders(folder: UPath, pattern: str) -> int:
    """Return how many folders at the beginning of a path only lead to the one that settings name.

    What they are called says nothing of a run: `/backup/2024-01/focus/` holds any month.
    """
    plain = pattern.rstrip("/").split("/")
    parts = list(takewhile(lambda one: not set("*?") & set(one), plain))
    ends_in_file = len(parts) == len(plain) and is_table(parts[-1])
    named = "/".join(parts[:-1] if ends_in_file else parts)
    if "://" in pattern:
        return named.count("/")
    if not named.strip("./"):
        return _name(folder).count("/") + 1
    return _name(folder / named).rstrip("/").count("/")


def _files(folder: UPath, pattern: str, options: Mapping[str, Any]) -> list[UPath]:
    whole = user_files.opened(folder, pattern, options)
    is_folder = pattern.endswith("/") or (not set("*?") & set(pattern) and _is_folder(whole))
    asked = f"{pattern.rstrip('/')}/{_ANY}" if is_folder else pattern
    found = [one for one in user_files.files(folder, asked, options) if _is_of_an_export(one.name)]
    if not found:
        why = "has no file of rows (.csv, .csv.gz or .parquet)"
        raise FileRefused(pattern, why, "Correct `files` in openai_costs.toml.")
    user_files.refuse_unwritable_names(map(_name, found))
    return found


def _is_of_an_export(name: str) -> bool:
    """Return whether a file has rows: not what a system or a sync tool hides beside them."""
    return is_table(name) and not name.startswith((".", "_", "~$"))


def _is_folder(path: UPath) -> bool:
    try:
        return path.is_dir()
    except Exception:  # noqa: BLE001 - each object store's library has its own errors
        return False  # what is wrong is said where files are listed


class _Manifests:
    """The manifests beside files, each folder listed and each manifest read once."""

    def __init__(self) -> None:
        self._in_folder: dict[str, str] = {}
        self._paths: dict[str, UPath] = {}
        self._read: dict[str, layout.RunManifest] = {}

    def of(self, file: UPath) -> str:
        """Return the name of the manifest of a file; empty where there is none."""
        for folder in layout.manifest_folders(_name(file)):
            if folder not in self._in_folder:
                self._in_folder[folder] = self._beside(file, folder)
            if found := self._in_folder[folder]:
                return found
        return ""

    def read(self, name: str) -> layout.RunManifest:
        """Return what a manifest says."""
        if name not in self._read:
            self._read[name] = layout.manifest(name, user_files.content(self._paths[name]))
        return self._read[name]

    def _beside(self, file: UPath, folder: str) -> str:
        place = (
            file.with_segments(folder)
            if isinstance(file, Path)
            else UPath(folder, **file.storage_options)
        )
        entries = place.iterdir() if _is_folder(place) else ()
        found = sorted((_name(one), one) for one in entries if one.name.lower().endswith(MANIFEST))
        user_files.refuse_unwritable_names(name for name, _ in found)
        if len(found) > 1:
            names = " and ".join(name for name, _ in found[:2])
            raise FileRefused(names, "are both manifests of one run", "Remove the older one.")
        self._paths |= found
        return found[0][0] if found else ""


def _listed(
    name: str, said: layout.RunManifest, places: Mapping[str, layout.Place]
) -> tuple[Run, list[str]]:
    """Return the run of a manifest, and the files beside it that it does not list."""
    bases = {one.rpartition("/")[2] for one in said.files}
    files = tuple(one for one in places if one.rpartition("/")[2] in bases)
    place = next(iter(places.values()))
    days = said.days or place.days
    is_months = said.is_whole_months if said.days else _is_month(place)
    ran_at = said.ran_at or place.ran_at
    run = Run(place.export, name, files, days, is_months, ran_at, is_listed=True)
    return run, [one for one in places if one not in files]


def _refuse_incomplete(run: Run, said: layout.RunManifest) -> None:
    there = {one.rpartition("/")[2] for one in run.files}
    missing = [one for one in said.files if one.rpartition("/")[2] not in there]
    if missing:
        why = f"lists {missing[0]}, which is not among the files of the connection"
        remedy = "The export may be writing it, or `files` leaves it out: correct that, or wait."
        raise FileRefused(run.name, why, remedy)


def _unlisted(places: Mapping[str, layout.Place]) -> Iterator[Run]:
    """Yield the runs of files without a manifest: a folder with an instant, or a file, is one."""
    folders: dict[tuple[str, str], list[str]] = {}
    for name, place in places.items():
        key = (place.run, str(place.days)) if place.ran_at else (name, "")
        folders.setdefault(key, []).append(name)
    for (run, _), files in folders.items():
        place = places[files[0]]
        yield Run(place.export, run, tuple(files), place.days, _is_month(place), place.ran_at)


def _is_month(place: layout.Place) -> bool:
    return place.days is not None and place.days == month_of(place.days.first)
