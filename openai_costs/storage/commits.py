"""One atomic commit each: the slices of a batch, or a table as a whole."""

from collections.abc import Mapping

import polars as pl
from deltalake import DeltaTable

from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.delta_operations import make, overwrite
from openai_costs.storage.live_rows import PARTITIONS, PLACE_TYPE, POSITION, as_stored
from openai_costs.storage.replacing import predicate, rows_of, slices_in
from openai_costs.storage.sealing import refuse_changed
from openai_costs.storage.slice_log import SLICES
from openai_costs.storage.slices import Batch
from openai_costs.storage.upkeep import is_due, tidy
from openai_costs.tables.contract import Contract


def path_of(table: type[Contract]) -> str:
    """Return the path of a table in the lake: `core/spend`."""
    return f"{table.schema_name()}/{table.table_name()}"


def replace_slices(tables: DeltaTables, table: type[Contract], batch: Batch) -> pl.DataFrame:
    """Replace the slices of a batch; return what the log is to know: COMMIT and SLICES.

    A commit is made also where no row goes and none comes: versions are the order of reads,
    whatever their clocks.

    Raises:
        StorageFailed: A file that has rows of these days, and may have others, has changed.
    """
    name, slices = path_of(table), slices_in(batch)
    rows = rows_of(table, batch, slices)
    tables.create(name, lambda folder: make(folder, rows.clear(), PARTITIONS))
    if slices.is_empty():
        data = tables.get(name)
    else:
        where, connections = predicate(batch.read_at), {key.connection for key in batch.read_at}
        first, last = (end(key.day for key in batch.read_at) for end in (min, max))

        def attempt(data: DeltaTable) -> DeltaTable:
            files = (
                one.path
                for one in tables.files_in(name, data)
                if one.partition["connection"] in connections and one.may_hold(first, last)
            )
            refuse_changed(tables.root / name, files)
            return overwrite(data, rows, where)

        data = tables.commit(name, attempt)
    return slices.select(
        pl.lit(data.metadata().id).cast(pl.String).alias("table_id"),
        pl.lit(data.version(), pl.Int64).alias("version"),
        *SLICES.names(),
    )


def replace_whole(
    tables: DeltaTables,
    table: type[Contract],
    frame: pl.DataFrame,
    read: int | None = None,
    notes: Mapping[str, str] | None = None,
) -> int:
    """Replace all rows of a table, and return the version that has them.

    Args:
        tables: Where the table is.
        table: Its contract.
        frame: Its rows.
        read: The version that the rows were computed from, where another must not be replaced.
        notes: What the log of the table is to say about this commit.

    Raises:
        WriteConflict: There is another version.
    """
    place = pl.int_range(pl.len(), dtype=PLACE_TYPE).alias(POSITION)
    rows = as_stored(frame).with_columns(place)
    if tables.create(path_of(table), lambda folder: make(folder, rows, notes=notes)):
        return 0

    def attempt(data: DeltaTable) -> int:
        if read is not None and data.version() != read:
            raise WriteConflict(table.full_name())
        return overwrite(data, rows, notes=notes).version()

    return tables.commit(path_of(table), attempt)


def store_whole(
    tables: DeltaTables,
    table: type[Contract],
    frame: pl.DataFrame,
    read: int | None = None,
    notes: Mapping[str, str] | None = None,
) -> int:
    """Replace all rows of a table, tidy it where it is time to, and return its version."""
    before = tables.version(path_of(table))
    after = replace_whole(tables, table, frame, read if before >= 0 else None, notes)
    if is_due(before, after):
        tidy(tables, path_of(table))
    return after
