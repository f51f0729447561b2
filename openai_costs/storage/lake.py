"""The lake, the system of record: one Parquet file per table, connection and day.

A slice (one connection, one day) is validated and then replaced by rename, or left alone; a day
without rows is a file without rows. Any number of processes may write different slices at once,
without a lock. Each file carries the `read_at` of the read it was made from, so that a reader
can see whether two tables are of the same read. Not here: Dagster
(orchestration/table_assets.py), DuckDB (publish/).
"""

import io
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from functools import partial

import duckdb
import polars as pl
from filelock import FileLock
from upath import UPath

from openai_costs.kernel.errors import ContractBroken, OpenAICostsError
from openai_costs.kernel.money import total
from openai_costs.storage.files import files_below, is_local, replace_file
from openai_costs.storage.slices import Batch, Batches, Replaced, Slice
from openai_costs.storage.sql import connected
from openai_costs.tables.contract import Contract

ROWS_A_BATCH = 60_000
"""Rows taken into memory at a time: bounds the memory of a run, whatever the range."""

BYTES_AT_ONCE = 200_000
"""Files are taken at once up to so many bytes: a file for itself costs as much as ten together."""

WRITERS = 4
"""Files written at a time: Polars and the disk work outside Python's lock."""

_READ_AT = "read_at"
_PAGE_USD = "page_usd"
_DAILY_USD = """SELECT day, sum(billed_usd) AS billed_usd FROM read_parquet($files)
    WHERE connection NOT IN ({}) GROUP BY day ORDER BY day"""
_SLICES = """
    SELECT split_part(f.file_name, '/', -2), CAST(parse_filename(f.file_name, true) AS DATE),
           f.num_rows, CAST(decode(k.value) AS TIMESTAMP)
    FROM parquet_file_metadata($files) f
    JOIN parquet_kv_metadata($files) k ON k.file_name = f.file_name AND decode(k.key) = 'read_at'
"""


class Lake:
    """The lake below `home/lake`."""

    def __init__(self, home: UPath) -> None:
        self.root = home / "lake"

    def replace(self, table: type[Contract], batches: Batches) -> Replaced:
        """Write batches slice by slice; a slice that breaks the contract is left as it was."""
        done = Replaced()
        for batch in batches:
            done.refused |= batch.refused
            done.remarks |= batch.remarks
            parts = _parts(table, batch)
            broken = _broken(table, batch.frame, parts)
            done.refused |= broken
            sound = {key: rows for key, rows in parts.items() if key not in broken}
            with ThreadPoolExecutor(WRITERS) as writers:
                list(writers.map(partial(self._write, table, batch), sound, sound.values()))
            for key, rows in sound.items():
                _count(done, key, rows)
        return done

    def batches(self, table: type[Contract], days: Iterable[date]) -> Iterator[Batch]:
        """Yield the stored slices of some days, a bounded number of rows at a time."""
        held: list[Batch] = []
        for files in self._bundles(table, list(days)):
            held.append(_batch(files))
            if sum(one.frame.height for one in held) > ROWS_A_BATCH:
                yield _together(table, held)
                held = []
        yield _together(table, held)

    def read(self, table: type[Contract], days: Iterable[date] | None = None) -> pl.DataFrame:
        """Return a small table as one frame: some days, or all of it."""
        if days is None:
            files = [one.read_bytes() for one in files_below(self._folder(table), ".parquet")]
            found = [pl.read_parquet(files)] if files else []
            return pl.concat([table.no_rows(), *found])
        return pl.concat([table.no_rows(), *(batch.frame for batch in self.batches(table, days))])

    def replace_whole(self, table: type[Contract], frame: pl.DataFrame) -> None:
        """Replace a small table that is computed whole, as one file.

        Raises:
            ContractBroken: The rows break the contract; the table is as it was.
        """
        if broken := table.broken_rules(frame):
            raise ContractBroken(table.full_name(), [], broken)
        replace_file(self._folder(table) / "all.parquet", _parquet(frame, {}))

    def read_at(self, table: type[Contract], key: Slice) -> datetime | None:
        """Return which read a slice was made from; None when the slice is not there."""
        path = self._path(table, key)
        if not path.exists():
            return None
        return datetime.fromisoformat(
            pl.read_parquet_metadata(io.BytesIO(path.read_bytes()))[_READ_AT]
        )

    @contextmanager
    def alone(self, table: type[Contract]) -> Iterator[None]:
        """Compute and replace a whole table alone: overlapping runs would lose rows of one another.

        Slices need no such thing. An object store has no file locks: run one at a time there.
        """
        folder = self._folder(table)
        if not is_local(folder):
            yield
            return
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(str(folder / ".lock")):
            yield

    def slices(self, table: type[Contract]) -> pl.DataFrame:
        """Return each stored slice, its rows and its read: connection, day, rows, read_at."""
        schema = pl.Schema(
            {
                "connection": pl.String(),
                "day": pl.Date(),
                "rows": pl.Int64(),
                "read_at": pl.Datetime("us"),
            }
        )
        return self.ask(table, _SLICES, schema)

    def daily_usd(self, table: type[Contract], without: Iterable[str] = ()) -> pl.DataFrame:
        """Return the exact sum of `billed_usd` over all connections but some: day, billed_usd."""
        question = _DAILY_USD.format(", ".join(f"'{name}'" for name in ("", *without)))
        return self.ask(table, question, table.no_rows().select("day", "billed_usd").schema)

    def ask(self, table: type[Contract], question: str, schema: pl.Schema) -> pl.DataFrame:
        """Return DuckDB's short answer to a question about all files of a table."""
        if not self.has(table):
            return pl.DataFrame(schema=schema)
        with connected() as sql:
            self.make_readable(sql)
            rows = sql.execute(question, {"files": self.glob(table)}).fetchall()
        return pl.DataFrame(rows, schema=schema, orient="row")

    def has(self, table: type[Contract]) -> bool:
        """Return whether anything of a table is stored."""
        return next(files_below(self._folder(table), ".parquet"), None) is not None

    def glob(self, table: type[Contract]) -> str:
        """Return the pattern that DuckDB finds a table's files by."""
        return f"{self._folder(table)}/**/*.parquet"

    def make_readable(self, sql: duckdb.DuckDBPyConnection) -> None:
        """Let a DuckDB connection read the lake, also where it is an object store."""
        if not is_local(self.root):
            sql.register_filesystem(self.root.fs)

    def days(self, table: type[Contract], connection: str) -> set[date]:
        """Return the days a connection has in a table."""
        folder = self._folder(table) / connection
        files = folder.iterdir() if folder.exists() else ()
        return {date.fromisoformat(f.stem) for f in files if f.suffix == ".parquet"}

    def connections(self, table: type[Contract]) -> list[str]:
        """Return the connections that have slices in a table, sorted."""
        folder = self._folder(table)
        return sorted(f.name for f in folder.iterdir() if f.is_dir()) if folder.exists() else []

    def _bundles(self, table: type[Contract], days: Sequence[date]) -> Iterator[dict[Slice, bytes]]:
        """Yield the files of stored slices, several at once; nothing for what is not there."""
        bundle: dict[Slice, bytes] = {}
        for connection in self.connections(table):
            for key in (Slice(connection, day) for day in days):
                with suppress(FileNotFoundError):
                    bundle[key] = self._path(table, key).read_bytes()
                if sum(map(len, bundle.values())) > BYTES_AT_ONCE:
                    yield bundle
                    bundle = {}
        if bundle:
            yield bundle

    def _write(self, table: type[Contract], batch: Batch, key: Slice, rows: pl.DataFrame) -> None:
        replace_file(self._path(table, key), _parquet(rows, _facts(batch, key)))

    def _folder(self, table: type[Contract]) -> UPath:
        return self.root / table.schema_name() / table.table_name()

    def _path(self, table: type[Contract], key: Slice) -> UPath:
        return self._folder(table) / key.connection / f"{key.day}.parquet"


def _parts(table: type[Contract], batch: Batch) -> dict[Slice, pl.DataFrame]:
    found = batch.frame.partition_by("connection", "day", as_dict=True, maintain_order=True)
    rows = {Slice(*key): part for key, part in found.items()}
    nothing = table.no_rows()
    return {key: rows.get(key, nothing) for key in batch.read_at if key not in batch.refused}


def _broken(
    table: type[Contract], frame: pl.DataFrame, parts: Mapping[Slice, pl.DataFrame]
) -> dict[Slice, OpenAICostsError]:
    """Validate all rows at once, and slice by slice only to find the one that is wrong."""
    if not table.broken_rules(frame):
        return {}
    return {
        key: ContractBroken(table.full_name(), [key.day], sentences)
        for key, rows in parts.items()
        if (sentences := table.broken_rules(rows))
    }


def _count(done: Replaced, key: Slice, rows: pl.DataFrame) -> None:
    done.rows[key] = rows.height
    if "billed_usd" in rows.columns:
        done.totals_usd[key] = total(rows["billed_usd"])


def _together(table: type[Contract], batches: Sequence[Batch]) -> Batch:
    return Batch(
        pl.concat([table.no_rows(), *(one.frame for one in batches)]),
        dict(ChainMap(*(dict(one.read_at) for one in batches))),
        page_usd=dict(ChainMap(*(dict(one.page_usd) for one in batches))),
    )


def _parquet(frame: pl.DataFrame, metadata: dict[str, str]) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd", metadata=metadata)
    return content.getvalue()


def _batch(files: Mapping[Slice, bytes]) -> Batch:
    facts = {key: pl.read_parquet_metadata(io.BytesIO(file)) for key, file in files.items()}
    return Batch(
        pl.read_parquet(list(files.values())),
        {key: datetime.fromisoformat(of[_READ_AT]) for key, of in facts.items()},
        page_usd={key: Decimal(of[_PAGE_USD]) for key, of in facts.items() if _PAGE_USD in of},
    )


def _facts(batch: Batch, key: Slice) -> dict[str, str]:
    """Return the metadata of a slice's file: the read that it was made from."""
    facts = {_READ_AT: batch.read_at[key].isoformat()}
    return facts | {_PAGE_USD: str(batch.page_usd[key])} if key in batch.page_usd else facts
