from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage.delta import PROPERTIES, DeltaTables
from openai_costs.storage.delta_operations import make, overwrite
from openai_costs.storage.lake import Lake
from openai_costs.storage.purging import purge, purge_lake
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.storage.test_lake import A1, A2, B1, read

if TYPE_CHECKING:
    from pathlib import Path

GONE, KEPT = "user-who-left", "user-who-stayed"


def test_a_purge_leaves_no_byte_of_a_replaced_row_and_every_byte_of_the_others(
    tmp_path: Path,
) -> None:
    tables = DeltaTables(UPath(tmp_path))
    both = pl.DataFrame({"user": [GONE, KEPT]})
    tables.create("core/users", lambda folder: make(folder, both.clear()))
    tables.commit("core/users", lambda table: overwrite(table, both))
    orphan = tmp_path / "core/users/part-of-a-killed-writer.parquet"
    both.write_parquet(orphan, compression="uncompressed")
    tables.commit("core/users", lambda table: overwrite(table, both.filter(user=KEPT)))
    purge(tables, "core/users")
    files = [path for path in (tmp_path / "core/users").rglob("*") if path.is_file()]
    data = [path for path in files if path.suffix == ".parquet" and "_delta_log" not in str(path)]
    assert pl.read_parquet(data)["user"].to_list() == [KEPT]
    assert not any(GONE.encode() in path.read_bytes() for path in files)
    table = DeltaTables(UPath(tmp_path)).get("core/users")
    assert {**PROPERTIES, **table.metadata().configuration} == PROPERTIES


def test_a_purge_leaves_each_slice_as_old_as_it_was(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    lake.replace(SpendByUser, [read((A2, "ada", "2"), replaces=(A2, B1))])  # no row of B1
    before = lake.written(SpendByUser)
    purge_lake(lake)
    after = Lake(UPath(tmp_path)).written(SpendByUser)
    assert after.version > before.version
    assert before.slices["version"].n_unique() > 1
    assert after.slices.equals(before.slices)


@pytest.mark.parametrize("of", ["{}", "file://{}"])
def test_a_purge_leaves_no_folder_that_names_rows_that_are_gone(tmp_path: Path, of: str) -> None:
    lake = Lake(UPath(of.format(tmp_path)))
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (B1, "bob", "2"), replaces=(A1, B1))])
    lake.remove_slices(f"connection = '{B1.connection}'")
    purge_lake(lake)
    folders = [path.name for path in tmp_path.rglob("*") if path.is_dir()]
    assert f"connection={A1.connection}" in folders
    assert not any(B1.connection == one.partition("=")[2] for one in folders)
    assert not any(path.is_dir() and not list(path.iterdir()) for path in tmp_path.rglob("*"))
