from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
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
