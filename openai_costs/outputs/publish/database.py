"""Builds the published DuckDB file from the lake, and renames it into place.

Readers keep the file they have open and see one consistent state; they never meet a lock, and the
run never meets theirs (docs/adr/0002).
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import rmtree

import duckdb
import polars as pl
from dagster_duckdb import DuckDBResource
from upath import UPath

from openai_costs.outputs.publish.empty_database import (
    READABLE_FROM,
    at_once,
    empty_database,
    literal,
)
from openai_costs.outputs.publish.last_publication import (
    DATABASE,
    KEPT,
    LastPublication,
    is_daily,
)
from openai_costs.outputs.publish.tie_outs import (
    TOGETHER,
    PublicationRefused,
    untied,
    untied_pages,
)
from openai_costs.questions.spend.verification import LAKE, Difference
from openai_costs.storage.files import is_local, move_into_place, sweep
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import held
from openai_costs.storage.sql import QUIET
from openai_costs.tables.contract import Contract, all_contracts

PARQUET = "published/parquet"
BUILDING = ".building-"
MEMORY_LIMIT = "256MB"
"""Bounds a publication whatever the history; DuckDB spills to disk beyond it."""


@dataclass(frozen=True)
class Published:
    """What was published.

    Args:
        path: The database.
        rows: Rows by table.
        in_flight: (connection, day) that some run is still writing; they kept their last rows.
        withheld: Where settled days do not tie out; they kept their last rows.
        size_bytes: Size of the database.
    """

    path: UPath
    rows: dict[str, int]
    in_flight: list[tuple[str, date]]
    withheld: list[Difference]
    size_bytes: int


def publish(home: UPath, lake: Lake) -> Published:
    """Rebuild the published database and Parquet tables from the lake, and put them in place.

    Raises:
        PublicationRefused: The days do not tie out, not even with the last published rows.
    """
    with _one_at_a_time(home) as scratch:
        built = scratch / "openai_costs.duckdb"
        with lake.frozen(), _database(built, scratch) as sql:
            lake.make_readable(sql)
            in_flight = slices_in_flight(lake)
            last = LastPublication(sql, home, scratch)
            last.keep(in_flight)
            for table in all_contracts():
                with at_once(sql):
                    _fill(sql, lake, table, last)
            withheld = _withhold(sql, lake, last, in_flight)
            rows = {table.full_name(): _height(sql, table) for table in all_contracts()}
            parquet = [_parquet(sql, scratch, name) for name in rows]
            last.close()
        size = built.stat().st_size
        move_into_place(built, home / DATABASE)
        for file in parquet:
            move_into_place(file, home / PARQUET / file.name)
    return Published(home / DATABASE, rows, in_flight, withheld, size)


def slices_in_flight(lake: Lake) -> list[tuple[str, date]]:
    """Return the slices whose tables do not all come from the same read of the provider.

    Some run is between writing core and mart, or was killed there.
    """
    stored = [lake.slices(table) for table in TOGETHER]
    reads = pl.concat(stored).group_by("connection", "day")
    agreement = reads.agg(tables=pl.len(), moments=pl.col("read_at").n_unique())
    torn = agreement.filter((pl.col("tables") < len(TOGETHER)) | (pl.col("moments") > 1))
    return torn.select("connection", "day").sort("connection", "day").rows()


@contextmanager
def _one_at_a_time(home: UPath) -> Iterator[Path]:
    """Hold the publication of a home, and give a folder to build in that can be renamed out of.

    A process that waited builds from a lake that already has what the one before it wrote.
    """
    if not is_local(home):
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch)
        return
    folder = Path(str(home)) / "published"
    folder.mkdir(parents=True, exist_ok=True)
    with held(folder / ".publishing.lock"):
        sweep(home)
        for abandoned in folder.glob(f"{BUILDING}*"):
            rmtree(abandoned)
        with tempfile.TemporaryDirectory(dir=folder, prefix=BUILDING) as scratch:
            yield Path(scratch)


@contextmanager
def _database(built: Path, scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that has every table and view already, and no rows."""
    built.write_bytes(empty_database())
    resource = DuckDBResource(
        database=str(built),
        connection_config={
            "storage_compatibility_version": READABLE_FROM,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(scratch / "spill"),
        },
    )
    with resource.get_connection() as sql:
        sql.execute(QUIET)
        yield sql
        sql.execute("CHECKPOINT")


def _withhold(
    sql: duckdb.DuckDBPyConnection,
    lake: Lake,
    last: LastPublication,
    in_flight: Sequence[tuple[str, date]],
) -> list[Difference]:
    """Keep settled days that do not tie out as they were published last; return them.

    Raises:
        PublicationRefused: That does not help.
    """
    found = [*untied_pages(sql, lake, in_flight), *untied(sql, LAKE)]
    if not found:
        return []
    last.hold_back(sorted({one.key for one in found}))
    if still := untied(sql, DATABASE):
        raise PublicationRefused(still)
    return found


def _height(sql: duckdb.DuckDBPyConnection, table: type[Contract]) -> int:
    question = f"SELECT count(*) FROM {table.full_name()}"  # noqa: S608 - our own names
    return int(sql.sql(question).fetchall()[0][0])


def _fill(
    sql: duckdb.DuckDBPyConnection, lake: Lake, table: type[Contract], last: LastPublication
) -> None:
    """Fill a table from the lake, and with what the last publication keeps of it."""
    name, names = table.full_name(), ", ".join(table.types())
    kept = KEPT if is_daily(table) else "false"
    if lake.has(table):
        source = lake.relation(table)
        sql.execute(f"INSERT INTO {name} SELECT {names} FROM {source} WHERE NOT {kept}")  # noqa: S608 - our own names
    last.take(table)


def _parquet(sql: duckdb.DuckDBPyConnection, scratch: Path, name: str) -> Path:
    file = scratch / f"{name}.parquet"
    sql.execute(f"COPY {name} TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)")
    return file
