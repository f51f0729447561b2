"""Takes the names of forgotten people out of everything that a home keeps, in place.

Pages, tables of the lake and the record: whatever a file is, it has pseudonyms afterwards, or is
gone. Only for who is alone with the home (locks.py). Killed half way
and called again, it goes on: what has no name is left as it is. Not here: what is published, which
is built anew, and Dagster's history (orchestration/history.py).
"""

from collections.abc import Callable
from datetime import datetime

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from upath import UPath

from openai_costs.kernel.json_texts import with_pseudonyms
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.kernel.sql_text import literal
from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import DeltaTables, LiveFile
from openai_costs.storage.delta_operations import REARRANGED, WRITING
from openai_costs.storage.evidence import rewrite
from openai_costs.storage.files import SET_ASIDE, files_below, is_local, remove_folder, replace_file
from openai_costs.storage.forgotten import without_names
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import FOCUS, PUBLICATION_STATE
from openai_costs.storage.live_rows import by_partition
from openai_costs.storage.purging import purge_lake
from openai_costs.storage.read_names import SUFFIX
from openai_costs.tables.contract import all_contracts

NOTES = ".json"
REPLACING = CommitProperties(max_commit_retries=0, custom_metadata={REARRANGED: "forgotten"})
"""In the log of a table: the commit changes what rows say, and no slice."""

Change = Callable[[pl.DataFrame], pl.DataFrame]


def rewrite_home(home: UPath, lake: Lake, people: Pseudonyms, at: datetime) -> None:
    """Replace the names of forgotten people in pages, tables and the record.

    Raises:
        StorageFailed: A table cannot be read or written.
        OSError: A file cannot be written.
    """
    (home / PUBLICATION_STATE).unlink(missing_ok=True)
    for folder in (home / FOCUS, home / SET_ASIDE):
        remove_folder(folder)
    _rewrite_pages(home / "raw", people, at)
    lake.recorded.rewrite(lambda line: with_pseudonyms(line, people))
    tables = DeltaTables(lake.root)
    for name in map(path_of, all_contracts()):
        if tables.find(name) is not None:
            rewrite_table(tables, name, lambda rows: without_names(rows, people))
    purge_lake(lake)


def _rewrite_pages(raw: UPath, people: Pseudonyms, at: datetime) -> None:
    """Rewrite reads and notes; what else is there belongs to a reading that was not finished."""
    for file in list(files_below(raw)):
        if file.name.endswith(SUFFIX):
            rewrite(file, people, at)
        elif file.name.endswith(NOTES):
            if (after := with_pseudonyms(before := file.read_bytes(), people)) != before:
                replace_file(file, after)
        else:
            file.unlink()


def rewrite_table(tables: DeltaTables, name: str, change: Change) -> None:
    """Replace rows of a table by what they are to be, a partition at a time.

    Args:
        tables: Where it is.
        name: Its path.
        change: Returns the rows that stand in the place of some; not more and not fewer.
    """
    columns = tables.get(name).metadata().partition_columns
    for partition, files in by_partition(tables.live_files(name), columns).items():
        rows = _rows(files, partition)
        after = change(rows)
        if not after.equals(rows):
            _replace(tables, name, partition, after)


def _replace(
    tables: DeltaTables, name: str, partition: tuple[tuple[str, str], ...], rows: pl.DataFrame
) -> None:
    where = " AND ".join(f"{column} = {literal(value)}" for column, value in partition)

    def attempt(table: DeltaTable) -> None:
        write_deltalake(
            table,
            rows,
            mode="overwrite",
            predicate=where or None,
            writer_properties=WRITING,
            commit_properties=REPLACING,
        )

    tables.commit(name, attempt)


def _rows(files: list[LiveFile], partition: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    """Return all columns of the rows of one partition, those of the partition too."""
    frames = [
        pl.read_parquet(
            str(file.path) if is_local(file.path) else file.path.read_bytes(),
            glob=False,
            hive_partitioning=False,
        )
        for file in files
    ]
    return pl.concat(frames, how="diagonal").with_columns(
        pl.lit(value).alias(column) for column, value in partition
    )
