"""Names the slices of a connection after another: no row is made again, and none is missing.

A table changes in one commit, so a slice is under one of the names at any moment. While some tables
have changed and others have not, its days are in flight, and readers keep their last rows. Killed
half way and called again, it goes on.
"""

from collections.abc import Iterable
from datetime import date
from functools import partial

import polars as pl
from deltalake import DeltaTable
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.storage.commits import path_of
from openai_costs.storage.delta_operations import change, remove
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import writing
from openai_costs.storage.opened_lakes import OpenedLake, opened
from openai_costs.storage.sealing import refuse_changed
from openai_costs.storage.slice_log import SLICES
from openai_costs.tables.contract import all_contracts


def rename_slices(home: UPath, old: str, new: str) -> None:
    """Name the slices of a connection after another, in every table of slices.

    Of a day that both have in a table, the slice of the other stays: its read is the newer one.

    Raises:
        StorageFailed: A file of these slices is damaged; its table is as it was.
    """
    lake = Lake(home)
    for table in all_contracts():
        if old in lake.connections(table):
            with writing(home):
                _rename(opened(lake.root), path_of(table), old, new)


def _rename(lake: OpenedLake, name: str, old: str, new: str) -> None:
    before, rest = lake.tables.version(name), f"connection = {literal(old)}"
    renamed = lake.tables.commit(name, partial(_renamed, lake, name, (old, new)))
    lake.slices.note(name, [renamed], before)
    lake.tables.commit(name, lambda data: remove(data, rest))
    lake.slices.forget(name, rest)


def _renamed(lake: OpenedLake, name: str, names: tuple[str, str], data: DeltaTable) -> pl.DataFrame:
    """Rename the rows of a table; return what the log is to know: COMMIT and SLICES."""
    files, slices = lake.slices.of(name)
    old, new = names
    mine, theirs = (slices.filter(connection=one) for one in names)
    of_both = mine.join(theirs, on="day", how="semi")["day"]
    its = (one.path for one in files if one.partition["connection"] == old)
    refuse_changed(lake.tables.root / name, its)
    change(data, f"connection = {literal(old)}{_except(of_both)}", {"connection": literal(new)})
    return mine.filter(~pl.col("day").is_in(of_both.implode())).select(
        pl.lit(str(data.metadata().id)).alias("table_id"),
        pl.lit(data.version(), pl.Int64).alias("version"),
        pl.lit(new).alias("connection"),
        *(column for column in SLICES.names() if column != "connection"),
    )


def _except(days: Iterable[date]) -> str:
    """Return what leaves some days out, in SQL."""
    listed = ", ".join(map(literal, days))
    return f" AND day NOT IN ({listed})" if listed else ""
