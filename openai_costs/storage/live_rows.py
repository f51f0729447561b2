"""The rows in live files of a Delta table: as Polars frames, and as SQL for DuckDB.

A data file has no partition columns, and instants are stored with their zone; both are set right
here. Files are named one by one, and no folder above the table is taken for a column.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import polars as pl

from openai_costs.kernel.sql_text import literal, read_parquet
from openai_costs.storage.delta import LiveFile
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.fetched import local_copies
from openai_costs.tables.contract import Contract

READ_AT = "read_at"
READ_NUMBER = "read_number"
POSITION = "position"
"""The place of a row in what was written: Delta Lake keeps rows, not their order."""

MONTH = "month"
PARTITIONS = ("connection", MONTH)
UTC_INSTANT = pl.Datetime("us", "UTC")
INSTANT = pl.Datetime("us")
PLACE_TYPE = pl.Int32()
OF_READ: Mapping[str, pl.DataType] = {
    READ_AT: UTC_INSTANT,
    READ_NUMBER: pl.Int64(),
    POSITION: PLACE_TYPE,
}
"""What every row says beside its contract: the read it was made from, and its place."""

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

Query = Callable[[pl.LazyFrame], Sequence[pl.LazyFrame]]
"""What is asked of the rows of a table: some queries about them."""

SQL_TYPES = {
    "String": "VARCHAR",
    "Date": "DATE",
    "Boolean": "BOOLEAN",
    "Int64": "BIGINT",
    "Decimal(precision=38, scale=18)": "DECIMAL(38,18)",
    "Datetime(time_unit='us', time_zone=None)": "TIMESTAMP",
}


def stored_types(table: type[Contract]) -> dict[str, pl.DataType]:
    """Return the columns in the data files of a table: those of its contract, and of the read."""
    return with_zones(table.types()) | dict(OF_READ)


def with_zones(types: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Return types in which every instant says that it is in UTC: Delta Lake's `timestamp`."""
    return {name: UTC_INSTANT if kind == INSTANT else kind for name, kind in types.items()}


def completed(table: type[Contract], rows: Frame) -> Frame:
    """Return rows in which columns that are younger than a row say what was true before them."""
    has = rows.collect_schema()
    before = {name: it for name, it in table.before().items() if name in has}
    return rows.with_columns(pl.col(name).fill_null(it) for name, it in before.items())


def as_stored(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows of a contract with instants that say that they are in UTC."""
    return rows.with_columns(pl.col(INSTANT).dt.replace_time_zone("UTC"))


def scan(types: Mapping[str, pl.DataType], files: Iterable[LiveFile]) -> pl.LazyFrame:
    """Return the rows of live files, in no order.

    Args:
        types: The columns wanted. A column that a file does not have yet is null.
        files: The files.
    """
    parts = [pl.LazyFrame(schema=types)]
    for partition, some in by_partition(files, types).items():
        inside = {name: kind for name, kind in types.items() if name not in dict(partition)}
        rows = pl.scan_parquet(
            local_copies([file.path for file in some]),
            schema=inside,
            glob=False,
            hive_partitioning=False,
            missing_columns="insert",
            extra_columns="ignore",
        )
        of_partition = [pl.lit(value).alias(name) for name, value in partition]
        parts.append(rows.with_columns(of_partition).select(list(types)))
    return pl.concat(parts)


def collected(rows: pl.LazyFrame, place: object) -> pl.DataFrame:
    """Return rows in memory.

    Raises:
        StorageFailed: A file is damaged or missing.
    """
    with _as_ours(place):
        return rows.collect()


@contextmanager
def _as_ours(place: object) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, FileNotFoundError) as damage:
        raise StorageFailed(place, str(damage).splitlines()[0]) from damage


def answers(queries: Sequence[pl.LazyFrame], place: object) -> list[pl.DataFrame]:
    """Return the answers to queries, which read what they have in common once.

    Rows pass by in parts, so that only what is added up is in memory. The answers have no order.

    Raises:
        StorageFailed: A file is damaged or missing.
    """
    with _as_ours(place):
        return pl.collect_all(queries, engine="streaming")


def by_partition(
    files: Iterable[LiveFile], columns: Iterable[str]
) -> dict[tuple[tuple[str, str], ...], list[LiveFile]]:
    """Return files by the values of those partition columns that are wanted."""
    found: dict[tuple[tuple[str, str], ...], list[LiveFile]] = defaultdict(list)
    wanted = set(columns)
    for file in files:
        values = [(name, value) for name, value in file.partition.items() if name in wanted]
        found[tuple(sorted(values))].append(file)
    return dict(found)


def files_with(files: Iterable[LiveFile], slices: pl.DataFrame) -> list[LiveFile]:
    """Return the files that may have rows of some slices: connection, day."""
    ends = slices.group_by("connection").agg(pl.col("day").min(), last=pl.col("day").max())
    days = {name: (first, last) for name, first, last in ends.iter_rows()}
    return [
        file
        for file in files
        if (found := days.get(file.partition["connection"])) and file.may_hold(*found)
    ]


def relation(
    table: type[Contract], files: Iterable[LiveFile], slices: pl.DataFrame | None = None
) -> str:
    """Return the rows of live files as SQL: a subquery with the contract's columns and types.

    Args:
        table: The contract.
        files: The files.
        slices: connection, day: only files that may have rows of these.
    """
    files = files if slices is None else files_with(files, slices)
    inside = {name: kind for name, kind in table.types().items() if name != "connection"}
    typed = [f"CAST(NULL AS {_in_file(kind)}) AS {name}" for name, kind in inside.items()]
    parts = [f"SELECT CAST(NULL AS VARCHAR) AS connection, {', '.join(typed)} WHERE false"]
    for partition, some in by_partition(files, ["connection"]).items():
        values = [f"{literal(value)} AS {name}, " for name, value in partition]
        copies = local_copies([file.path for file in some])
        rows = read_parquet(copies, "hive_partitioning = false, union_by_name = true")
        parts.append(f"SELECT {''.join(values)}* FROM {rows}")  # noqa: S608 - our own names and quoted paths
    before = table.before()
    columns = ", ".join(_from_file(*one, before.get(one[0])) for one in table.types().items())
    return f"(SELECT {columns} FROM ({' UNION ALL BY NAME '.join(parts)}))"  # noqa: S608 - as above


def _in_file(kind: pl.DataType) -> str:
    return "TIMESTAMPTZ" if kind == INSTANT else SQL_TYPES[str(kind)]


def _from_file(name: str, kind: pl.DataType, before: str | None) -> str:
    if before is not None:
        return f"coalesce({name}, {literal(before)}) AS {name}"
    return f"make_timestamp(epoch_us({name})) AS {name}" if kind == INSTANT else name
