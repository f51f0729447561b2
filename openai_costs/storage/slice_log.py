"""The log of slices: which slices of a table were written, in which version, from which read.

It answers what is stored without a look into data files, and knows days without rows. An entry is
appended after the commit of its rows. A process killed in between leaves a version of the table
without an entry; then the rows themselves decide, and of the log counts only that a slice without
rows was written (`slices_of`). Not here: the rows (lake.py).
"""

from collections.abc import Callable, Mapping

import polars as pl
from deltalake import DeltaTable
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.storage.delta import DeltaTables, LiveFile
from openai_costs.storage.delta_operations import REARRANGED, append, make, overwrite, remove
from openai_costs.storage.live_rows import UTC_INSTANT, collected, scan

LOG = "slice_log"
TABLE = "table_name"
MOST_FILES = 8
"""Files of one table in the log before its entries are folded into one file."""

KEY = ("connection", "day")
SLICES = pl.Schema(
    {
        "connection": pl.String(),
        "day": pl.Date(),
        "rows": pl.Int64(),
        "read_at": UTC_INSTANT,
        "read_number": pl.Int64(),
        "page_usd": pl.String(),
    }
)
VERSION = "version"
WRITTEN = pl.Schema({**SLICES, VERSION: pl.Int64()})
"""`version`: the version of the table that wrote the slice; null where only its rows are known."""

COMMIT = pl.Schema({"table_id": pl.String(), VERSION: pl.Int64()})
ENTRIES = pl.Schema({TABLE: pl.String(), **COMMIT, **SLICES})
"""`table_id`, `version`: the commit that wrote the slice; a table that was removed and rebuilt
has another id. An entry without a connection says that all slices up to its version are in the log.
`page_usd`: exact, as decimal text."""

Known = tuple[DeltaTable, pl.DataFrame]
"""A version of a table, and its slices: the columns of WRITTEN."""

REARRANGES = {"OPTIMIZE", "VACUUM START", "VACUUM END"}
"""Commits of other programs that change no rows, and have no entry."""

REMOVAL = "DELETE"
"""Commits that remove rows and write none; what they leave is as it was."""


class SliceLog:
    """The log beside the tables of a lake."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables
        self._read: dict[str, tuple[list[str], pl.DataFrame]] = {}

    def entries(self, table: str) -> pl.DataFrame:
        """Return the entries of a table: the same frame until there are others."""
        files = _of(table, self._tables.live_files(LOG))
        paths = [str(one.path) for one in files]
        if table not in self._read or self._read[table][0] != paths:
            self._read[table] = (paths, self._rows(files))
        return self._read[table][1]

    def add(self, table: str, slices: pl.DataFrame) -> None:
        """Add slices that commits to a table have replaced: the columns of COMMIT and SLICES."""
        self._tables.create(LOG, _made)
        rows = slices.select(pl.lit(table).alias(TABLE), *COMMIT.names(), *SLICES.names())
        self._tables.commit(LOG, lambda log: append(log, rows))

    def is_scattered(self, table: str) -> bool:
        """Return whether the entries of a table are in many files."""
        return len(_of(table, self._tables.live_files(LOG))) > MOST_FILES

    def fold(self, table: str, known: Callable[[pl.DataFrame], Known | None]) -> None:
        """Fold the entries of a table into one file, and make the log complete.

        Args:
            table: The table.
            known: Returns what is known by the entries of a table, read now: also where the log got
                others since, so that neither an entry nor a fold in between is lost.
        """

        def attempt(log: DeltaTable) -> None:
            entries = self._rows(_of(table, self._tables.files_in(LOG, log)))
            if (now := known(entries)) is not None:
                overwrite(log, _folded(table, *now), f"{TABLE} = {literal(table)}")

        self._tables.create(LOG, _made)
        self._tables.commit(LOG, attempt)

    def forget(self, table: str, where: str) -> None:
        """Remove the entries of a table that SQL is true of."""
        if self._tables.find(LOG) is not None:
            these = f"{TABLE} = {literal(table)} AND {where}"
            self._tables.commit(LOG, lambda log: remove(log, these))

    def _rows(self, files: list[LiveFile]) -> pl.DataFrame:
        return collected(scan(ENTRIES, files), self._tables.root / LOG)


def of_table(entries: pl.DataFrame, data: DeltaTable) -> pl.DataFrame:
    """Return the entries of the table that is there now, not of one that was there before."""
    return entries.filter(table_id=str(data.metadata().id))


def unlogged(entries: pl.DataFrame, data: DeltaTable) -> list[str]:
    """Return the operations that changed rows of a table and are not in its log: none, usually."""
    base = entries.filter(pl.col("connection").is_null())["version"].to_list()
    logged = set(entries["version"])
    missing = {*range(max(base, default=0) + 1, data.version() + 1)} - logged
    if not missing:
        return []
    recent = data.history(data.version() - min(missing) + 1)
    known = {one["version"]: one for one in recent if one["version"] in missing}
    lost = [""] * len(missing - known.keys())
    return lost + [str(one["operation"]) for one in known.values() if not _changes_no_rows(one)]


def _folded(table: str, data: DeltaTable, slices: pl.DataFrame) -> pl.DataFrame:
    """Return entries that say that these are all slices of this version of a table.

    A slice keeps the version that wrote it, so that a publication sees which slices are newer than
    it; one whose version is not known counts as written by this one.
    """
    return pl.concat([slices, WRITTEN.to_frame().clear(1)]).select(
        pl.lit(table).alias(TABLE),
        pl.lit(str(data.metadata().id)).alias("table_id"),
        pl.col(VERSION).fill_null(pl.lit(data.version(), pl.Int64)),
        *SLICES.names(),
    )


def _changes_no_rows(commit: Mapping[str, object]) -> bool:
    return REARRANGED in commit or commit["operation"] in REARRANGES


def slices_of(
    entries: pl.DataFrame, stored: pl.DataFrame | None, *, are_as_old: bool = False
) -> pl.DataFrame:
    """Return the slices of a table, sorted: the columns of WRITTEN.

    Args:
        entries: Its entries in the log.
        stored: The slices of its rows, where the log is not complete: connection, day, rows,
            read_at, read_number. They decide, and of the log count the slices without rows.
        are_as_old: Whether no slice was written since: one that has all its rows is as old as ever.
    """
    logged = entries.drop_nulls("connection").sort("version", "read_at", maintain_order=True)
    newest = logged.unique(KEY, keep="last").select(WRITTEN.names())
    if stored is None:
        return newest.sort(KEY)
    pages = logged.drop_nulls("page_usd").unique([*KEY, "read_at"], keep="last")
    known = newest if are_as_old else newest.clear()
    whole = [*KEY, "rows", "read_at", "read_number"]
    with_pages = stored.join(
        pages.select(*KEY, "read_at", "page_usd"), on=[*KEY, "read_at"], how="left"
    ).join(known.select(*whole, VERSION), on=whole, how="left", nulls_equal=True)
    empty = newest.filter(pl.col("rows") == 0).join(stored, on=KEY, how="anti")
    return pl.concat([with_pages.select(WRITTEN.names()), empty]).sort(KEY)


def _made(folder: UPath) -> None:
    make(folder, ENTRIES.to_frame(), [TABLE])


def _of(table: str, files: list[LiveFile]) -> list[LiveFile]:
    return [one for one in files if one.partition[TABLE] == table]
