"""A lake of version 0.1, one Parquet file for each table, connection and day: read to be moved.

Its files go after their rows are in a Delta table, table by table, so that a move that was killed
half way goes on when it is begun again. Whole tables were one file, `all.parquet`. A file that
cannot be read stays where it is, and its name is reported.
"""

import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal

import polars as pl
from upath import UPath

from openai_costs.kernel.formatting import counted
from openai_costs.storage.commits import path_of, replace_slices, store_whole
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.files import is_local, replace_file
from openai_costs.storage.live_rows import completed
from openai_costs.storage.locks import held
from openai_costs.storage.slices import Batch, Slice
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.tables.contract import Contract, all_contracts

FORMAT = "format.json"
"""Says that the lake holds Delta tables only, so that a later start need not look for day files."""

WHOLE = "all.parquet"
OF_DELTA = ("_", "connection=")
"""How the folders begin that a Delta table has."""

REMEDY = "Rebuild that day from the kept pages: openai-costs backfill --offline."
_DAY = re.compile(r"\d{4}-\d\d-\d\d\.parquet")


def move_day_files(root: UPath, tables: DeltaTables, slices: StoredSlices) -> None:
    """Move the rows of all day files into the Delta tables of a lake, and remove the files."""
    with DayFiles(root).claimed() as old:
        for table in old.tables:
            for batch in old.batches(table):
                moved = [replace_slices(tables, table, batch)]
                slices.note(path_of(table), moved, -1)
            if (whole := old.whole(table)) is not None:
                store_whole(tables, table, whole)
            old.remove(table)


class DayFiles:
    """The day files below a lake.

    Attributes:
        tables: The tables that have some; filled in by `claimed`.
    """

    def __init__(self, root: UPath) -> None:
        self.root = root
        self.tables: list[type[Contract]] = []
        self._damaged: set[str] = set()

    @contextmanager
    def claimed(self) -> Iterator["DayFiles"]:
        """Find what is to be moved, and hold it; note at the end that all is moved."""
        if (self.root / FORMAT).exists() or not self.root.exists():
            yield self
            return
        if not self._with_files():
            yield self
            with suppress(OSError):  # a home that is only read works without the note
                self._note()
            return
        with held(self.root / ".moving.lock"):
            self.tables = self._with_files()
            yield self
            self._note()

    def batches(self, table: type[Contract]) -> Iterator[Batch]:
        """Yield the slices of a table, a month of a connection at a time."""
        number = self.tables.index(table) + 1
        months: dict[tuple[str, str], list[UPath]] = defaultdict(list)
        for file in self._files(table):
            if file.name != WHOLE:
                months[file.parent.name, file.name[: len("2026-11")]].append(file)
        moved = counted(sum(map(len, months.values())), "day")
        progress = f"{table.full_name()}, {moved} (table {number} of {len(self.tables)})"
        _say(f"Moving the tables of version 0.1 to Delta Lake: {progress}.")
        for (connection, _), files in sorted(months.items()):
            yield self._batch(table, connection, sorted(files, key=str))

    def whole(self, table: type[Contract]) -> pl.DataFrame | None:
        """Return a table that was one file; None where it was not."""
        file = self._folder(table) / WHOLE
        found = self._read(table, file) if file.exists() else None
        return None if found is None else found[0]

    def remove(self, table: type[Contract]) -> None:
        """Remove the files of a table that was moved, apart from those that cannot be read."""
        for file in list(self._files(table)):
            if str(file) not in self._damaged:
                file.unlink()
                if is_local(file) and file.name != WHOLE and not any(file.parent.iterdir()):
                    file.parent.rmdir()

    def _batch(self, table: type[Contract], connection: str, files: list[UPath]) -> Batch:
        frames, read_at, page_usd = [table.no_rows()], {}, {}
        for file in files:
            if (found := self._read(table, file)) is None:
                continue
            rows, facts = found
            key = Slice(connection, date.fromisoformat(file.stem))
            frames.append(rows)
            read_at[key] = datetime.fromisoformat(facts["read_at"])
            if "page_usd" in facts:
                page_usd[key] = Decimal(facts["page_usd"])
        return Batch(pl.concat(frames), read_at, page_usd=page_usd)

    def _read(
        self, table: type[Contract], file: UPath
    ) -> tuple[pl.DataFrame, dict[str, str]] | None:
        """Return a file's rows with the columns of today, and its metadata; None where damaged."""
        content = file.read_bytes()
        try:
            facts = pl.read_parquet_metadata(io.BytesIO(content))
            rows = pl.read_parquet(io.BytesIO(content))
            if file.name != WHOLE:
                datetime.fromisoformat(facts["read_at"])
            now = [
                pl.col(name) if name in rows.columns else pl.lit(None, kind).alias(name)
                for name, kind in table.types().items()
            ]
            typed = rows.select(now).cast(table.types())  # type: ignore[arg-type]  # its types
            return completed(table, typed), facts
        except (pl.exceptions.PolarsError, KeyError, ValueError) as damage:
            self._damaged.add(str(file))
            reason = str(damage).splitlines()[0]
            _say(f"{file} cannot be read and stays where it is ({reason}). {REMEDY}")
            return None

    def _files(self, table: type[Contract]) -> Iterator[UPath]:
        folder = self._folder(table)
        if not folder.exists():
            return
        for one in folder.iterdir():
            if one.name == WHOLE:
                yield one
            elif not one.name.startswith(OF_DELTA) and one.is_dir():
                yield from (file for file in one.iterdir() if _DAY.fullmatch(file.name))

    def _with_files(self) -> list[type[Contract]]:
        return [table for table in all_contracts() if any(True for _ in self._files(table))]

    def _folder(self, table: type[Contract]) -> UPath:
        return self.root / table.schema_name() / table.table_name()

    def _note(self) -> None:
        replace_file(self.root / FORMAT, b'{"format": "Delta Lake"}\n')


def _say(line: str) -> None:
    """Write a line for a person, whichever command or run is the first to use the home."""
    sys.stderr.write(f"{line}\n")
