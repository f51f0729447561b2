"""What changes a Delta table: rows added, replaced, changed, removed or compacted, a commit each.

Who removes a file has read it, and must not commit after another writer. delta-rs checks that, but
lets a compaction and a writer of an empty table pass: both commit, and the same rows are there
twice (docs/adr/0012). So it must not go on by itself: a commit fails unless it makes the very next
version, and `DeltaTables.commit` begins anew from the version that is there then.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import polars as pl
from deltalake import CommitProperties, DeltaTable, QueryBuilder, WriterProperties, write_deltalake
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.storage.delta import PROPERTIES
from openai_costs.storage.object_stores import store_options

WRITING = WriterProperties(compression="ZSTD", max_row_group_size=65_536)
"""Small groups of rows: reading some days of a large file skips groups by their statistics."""

NEXT_VERSION_ONLY = CommitProperties(max_commit_retries=0)
REARRANGED = "rearranged"
"""In the log of a table: a commit with this key changes no rows."""

COMPACTION = CommitProperties(max_commit_retries=0, custom_metadata={REARRANGED: "compaction"})


def make(
    folder: UPath,
    rows: pl.DataFrame,
    partition_by: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
) -> None:
    """Make a table of its first rows, which may be none, in one commit.

    Raises:
        DeltaError: There is a table.
    """
    write_deltalake(
        str(folder),
        rows,
        mode="error",
        partition_by=list(partition_by) or None,
        configuration=PROPERTIES,
        storage_options=store_options(folder),
        writer_properties=WRITING,
        commit_properties=_next_version_only(notes),
    )


def append(table: DeltaTable, rows: pl.DataFrame) -> None:
    """Add rows in one commit; additions of several writers do not conflict.

    Raises:
        CommitFailedError: Another writer has removed rows.
    """
    write_deltalake(table, rows, mode="append", writer_properties=WRITING)


def overwrite(
    table: DeltaTable,
    rows: pl.DataFrame,
    predicate: str | None = None,
    *,
    notes: Mapping[str, str] | None = None,
) -> DeltaTable:
    """Replace the rows that a predicate is true of, or all, in one atomic commit.

    In a table without files there is nothing to replace: its rows are added, which takes half the
    time where a predicate names many partitions.

    Args:
        table: The table as the writer knows it.
        rows: The new rows; where there is a predicate, it is true of each. A column that the table
            does not have yet is added to it.
        predicate: In SQL.
        notes: What the log of the table is to say about this commit.

    Returns:
        The table as this commit made it.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    is_wider = set(rows.columns) - {field.name for field in table.schema().fields}
    write = partial(
        write_deltalake,
        table,
        rows,
        schema_mode="merge" if is_wider else None,
        writer_properties=WRITING,
        commit_properties=_next_version_only(notes),
    )
    if table.file_uris():
        write(mode="overwrite", predicate=predicate)
    else:
        write(mode="append")
    return table


def _next_version_only(notes: Mapping[str, str] | None) -> CommitProperties:
    if not notes:
        return NEXT_VERSION_ONLY
    return CommitProperties(max_commit_retries=0, custom_metadata=dict(notes))


def remove(table: DeltaTable, where: str) -> None:
    """Remove the rows that SQL is true of.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    table.delete(where, commit_properties=NEXT_VERSION_ONLY)


def change(table: DeltaTable, where: str, values: Mapping[str, str]) -> None:
    """Set columns of the rows that SQL is true of.

    Args:
        table: The table as the writer knows it.
        where: In SQL.
        values: What each column is to have, in SQL.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    table.update(
        dict(values),
        predicate=where,
        writer_properties=WRITING,
        commit_properties=NEXT_VERSION_ONLY,
    )


def compact(table: DeltaTable, partition: Mapping[str, str]) -> None:
    """Write the rows of a partition into one file, a batch at a time, in one commit.

    Not `optimize.compact`: two of them from one version both commit, and double every row.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    where = " AND ".join(f"{column} = {literal(value)}" for column, value in partition.items())
    question = f"SELECT * FROM stored WHERE {where}"  # noqa: S608 - our own names, quoted values
    write_deltalake(
        table,
        QueryBuilder().register("stored", table).execute(question),
        mode="overwrite",
        predicate=where,
        writer_properties=WRITING,
        commit_properties=COMPACTION,
    )
