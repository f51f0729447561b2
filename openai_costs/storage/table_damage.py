"""Damage to the tables of a lake: logs that cannot be read, and data files that are not as logged.

Not here: what is done about it (repair.py).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl
from upath import UPath

from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import DeltaTables, LiveFile
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.files import is_local
from openai_costs.storage.opened_lakes import OpenedLake, opened
from openai_costs.storage.sealing import has_changed, noted_digest
from openai_costs.storage.slice_log import LOG, of_table
from openai_costs.tables.contract import all_contracts

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint.*\.parquet")


class TableDamage(NamedTuple):
    """What is wrong with a table.

    Args:
        name: Its path in the lake: `core/spend`.
        why: A sentence for each fault, without a full stop.
        files: The data files that are damaged or missing; none where its log cannot be read.
    """

    name: str
    why: list[str]
    files: list[UPath]


def damaged_tables(root: UPath, *, is_deep: bool) -> Iterator[TableDamage]:
    """Yield the tables that are damaged; the log of slices is the last.

    Each is opened anew, and stays open for those who use the lake afterwards.

    Args:
        root: The folder of the lake.
        is_deep: Read every data file of an object store too; those on a disk are always read.

    Raises:
        OSError: The machine does not let them be read.
    """
    lake = opened(root)
    tables = lake.tables
    tables.close()
    for name in (*map(path_of, all_contracts()), LOG):
        if of_log := _log_damage(tables, name):
            yield TableDamage(name, [of_log], [])
            continue
        if missing := _missing(lake, name):
            yield TableDamage(name, [missing], [])
            continue
        sizes = _sizes(root / name)
        found = [
            (file, _size_damage(file, sizes) or _damage_inside(file, root / name, is_deep=is_deep))
            for file in tables.live_files(name)
        ]
        if damaged := [(file.path, text) for file, text in found if text]:
            why = [f"{path} {text}" for path, text in damaged]
            yield TableDamage(name, why, [path for path, _ in damaged])


def _missing(lake: OpenedLake, name: str) -> str:
    """Return what the log of slices knows of a table, and is not there; empty if nothing."""
    try:
        entries = lake.slices.logged(name)
    except StorageFailed:
        return ""  # that log is damaged itself, and named
    folder = lake.tables.root / name
    if (table := lake.tables.find(name)) is None:
        return "" if entries.is_empty() else f"{folder} is missing"
    newest = max(of_table(entries, table)["version"], default=0)
    file = folder / "_delta_log" / f"{newest:020}.json"
    return f"{file} is missing" if newest > table.version() else ""


def _log_damage(tables: DeltaTables, name: str) -> str:
    """Return why the log of a table cannot be used; empty when it can, or where there is none."""
    folder = tables.root / name
    if is_local(folder) and (why := _entry_damage(Path(str(folder)))):
        return why
    try:
        tables.live_files(name)
    except StorageFailed as fault:
        return f"{fault.place}: {fault.why}"
    return ""


def _entry_damage(folder: Path) -> str:
    """Return what is wrong with the entries of a log since its newest checkpoint."""
    log = folder / "_delta_log"
    names = [file.name for file in log.iterdir()] if log.is_dir() else []
    commits = {int(found[1]) for name in names if (found := _COMMIT.fullmatch(name))}
    checkpoints = (int(found[1]) for name in names if (found := _CHECKPOINT.fullmatch(name)))
    first = max(checkpoints, default=-1)
    if not commits and first < 0:
        return f"{log} is missing" if any(folder.rglob("*.parquet")) else ""
    needed = range(first + 1, max(commits, default=first) + 1)
    for number in needed:
        file = log / f"{number:020}.json"
        if number not in commits:
            return f"{file} is missing"
        if not _is_commit(file):
            return f"{file} is damaged"
    return ""


def _is_commit(file: Path) -> bool:
    """Return whether a file of a log is lines of JSON, one of which says what the commit was."""
    try:
        actions = [json.loads(line) for line in file.read_bytes().splitlines()]
    except (ValueError, IsADirectoryError):
        return False
    return any("commitInfo" in one for one in actions if isinstance(one, dict))


def _sizes(folder: UPath) -> dict[str, int]:
    """Return the size of each file of a table in a store, which lists them by one request."""
    if is_local(folder):
        return {}
    found = folder.fs.find(folder.path, detail=True)
    return {str(path): int(about["size"]) for path, about in found.items()}


def _size_damage(file: LiveFile, sizes: Mapping[str, int]) -> str:
    """Return whether a data file is missing, or has another size than the log says."""
    if (size := sizes.get(file.path.path)) is None:
        if not file.path.is_file():
            return "is missing"
        size = file.path.stat().st_size
    return f"is damaged: it has {size:,} bytes, not {file.size:,}" if size != file.size else ""


def _damage_inside(file: LiveFile, table: UPath, *, is_deep: bool) -> str:
    """Return why the content of a data file cannot be used; a store compares its own by itself."""
    if not is_deep and not is_local(file.path):
        return ""
    return _content_damage(file.path, noted_digest(file.path, table))


def _content_damage(file: UPath, digest: str) -> str:
    """Compare a data file with the digest that it was written with; one of before is read."""
    try:
        content = file.read_bytes()
        if digest:
            return "has changed: its digest differs" if has_changed(content, digest) else ""
        pl.read_parquet(content)
    except FileNotFoundError:
        return "is missing"
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as damage:
        return f"is damaged: {str(damage).splitlines()[0]}"
    return ""
