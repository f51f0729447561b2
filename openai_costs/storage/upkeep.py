"""Keeps Delta tables tidy: few files, none dead or left by a killed writer, and a short log.

Runs by itself after a number of commits. It takes nothing away that a reader of the last two days
may have listed, and where another writer gets in its way it leaves the rest to the next time.
"""

from collections import Counter

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from upath import UPath

from openai_costs.storage.delta import DeltaTables, LiveFile
from openai_costs.storage.delta_faults import StorageFailed, as_ours
from openai_costs.storage.delta_operations import compact
from openai_costs.storage.files import files_below
from openai_costs.storage.sealing import forget_digests, refuse_changed, seal

EVERY = 20
"""Commits between two upkeeps of a table."""

MOST_FILES = 8
"""Files in one partition before they are compacted into one."""


def is_due(before: int, after: int) -> bool:
    """Return whether a table is to be tidied between two of its versions."""
    return after // EVERY > max(before, 0) // EVERY


def tidy(tables: DeltaTables, name: str) -> None:
    """Compact a table, remove files that no reader needs any more, and shorten its log."""
    try:
        with as_ours(tables.root / name):
            table = tables.get(name)
            _tidy(table, tables.live_files(name), tables.root / name)
    except (CommitFailedError, StorageFailed):
        return
    folder = tables.root / name
    forget_digests(folder, (file.name for file in files_below(folder, ".parquet")))


def _tidy(table: DeltaTable, files: list[LiveFile], folder: UPath) -> None:
    for partition in _crowded(files):
        before = table.version()
        refuse_changed(folder, (one.path for one in files if one.partition == dict(partition)))
        compact(table, dict(partition))
        seal(folder, range(before + 1, table.version() + 1))
    table.vacuum(dry_run=False, full=True)  # `full`: also what a killed writer left behind
    table.create_checkpoint()
    table.cleanup_metadata()


def _crowded(files: list[LiveFile]) -> list[tuple[tuple[str, str], ...]]:
    counts = Counter(tuple(sorted(file.partition.items())) for file in files if file.partition)
    return [partition for partition, many in counts.items() if many > MOST_FILES]
