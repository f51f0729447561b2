"""Removes old rows from the lake, and leaves nothing of its tables but the rows that are there.

A row that was removed or replaced is still in files that no version names any more, in older
versions, and in files that a killed writer left. Upkeep keeps these for readers, for days; here
they go at once. So no one may write meanwhile (locks.py), and a reader that opened the table before
may have to open it again.
"""

import os
from datetime import date
from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.storage.commits import path_of
from openai_costs.storage.delta import PROPERTIES, DeltaTables
from openai_costs.storage.delta_faults import as_ours
from openai_costs.storage.lake import Lake
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.recorded_tables import RECORDED
from openai_costs.storage.slice_log import LOG
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.tables.contract import Contract, all_contracts
from openai_costs.tables.mart.people import People

_AT_ONCE = dict.fromkeys(
    ("delta.deletedFileRetentionDuration", "delta.logRetentionDuration"), "interval 0 days"
)
ATTEMPTS = 5
SUMS_OF_ALL_DAYS = (People,)
"""The tables that add up all stored days of all connections: they are made when old ones are gone.
"""
LAST_DAYS = ("last_seen_day", "day")
"""The columns that say how old a row of a table without slices is, the first that it has."""


def purge(tables: DeltaTables, name: str) -> None:
    """Remove every file of a table that its newest version does not need.

    Raises:
        StorageFailed: It is damaged, or others keep committing to it.
    """
    for left in reversed(range(ATTEMPTS)):
        try:
            with as_ours(tables.root / name):
                _purge(tables.get(name))
        except CommitFailedError:
            if not left:
                raise
        else:
            return


def _purge(table: DeltaTable) -> None:
    before = {key: str(PROPERTIES[key]) for key in _AT_ONCE}
    table.alter.set_table_properties(_AT_ONCE)
    # `full`: also the files of a killed writer, which no version has ever named.
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    table.create_checkpoint()
    table.cleanup_metadata()
    table.alter.set_table_properties(before)


def purge_lake(lake: Lake) -> None:
    """Leave nothing of any table but its rows; only for who is alone with the home."""
    tables = DeltaTables(lake.root)
    slices, there = StoredSlices(tables), [LOG, *map(path_of, all_contracts())]
    for name in there:
        if (table := tables.find(name)) is not None:
            is_of_days = name != LOG and bool(table.metadata().partition_columns)
            before = slices.of(name)[1] if is_of_days else None
            purge(tables, name)
            if before is not None:
                slices.keep(name, before)  # a slice is as old as its rows, also for a publication
    if tables.find(LOG) is not None:
        purge(tables, LOG)
    remove_empty_folders(lake.root)  # a vacuum leaves them: their names are those of rows
    close_all()  # what was open has versions that are gone


def remove_empty_folders(top: UPath) -> None:
    """Remove the folders below one that have no file; only for who is alone with the home.

    An object store has no folders.
    """
    if top.protocol in ("", "file"):
        for below, _, _ in os.walk(top.path, topdown=False):
            if below != top.path and not any(Path(below).iterdir()):
                Path(below).rmdir()


def remove_days_before(lake: Lake, connection: str, day: date) -> None:
    """Remove all rows of a connection that are of days before a day, but for recorded ones."""
    lake = lake.uncounted()
    lake.remove_slices(f"connection = {literal(connection)} AND day < '{day}'")
    for table in all_contracts():
        last = next((name for name in LAST_DAYS if name in table.types()), None)
        if last is not None and is_whole(lake, table):
            rows = lake.read(table)
            old = (pl.col("connection") == connection) & (pl.col(last) < day)
            if not rows.filter(old).is_empty():
                lake.replace_whole(table, rows.filter(~old))


def remove_sums_of_all_days(lake: Lake) -> None:
    """Remove the rows that add up days which are gone with those that stay: a run makes them anew.

    Their version of before would be the newest one, which a purge leaves.
    """
    for table in filter(lake.has, SUMS_OF_ALL_DAYS):
        lake.replace_whole(table, table.no_rows())


def is_whole(lake: Lake, table: type[Contract]) -> bool:
    """Return whether a stored table has rows of connections, and is replaced whole, unrecorded."""
    has_connections = "connection" in table.types() and table not in RECORDED
    return has_connections and lake.has(table) and not lake.connections(table)
