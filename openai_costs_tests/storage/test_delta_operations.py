"""Two changes of one version of a table: the second is refused, so that no row is doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from openai_costs.storage.delta_operations import append, compact, overwrite, remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = pl.DataFrame({"part": ["a", "a"], "number": [1, 2]})
REPLACEMENT = pl.DataFrame({"part": ["a"], "number": [2]})
CHANGES: dict[str, Callable[[DeltaTable], object]] = {
    "replaces rows": lambda table: overwrite(table, REPLACEMENT, "part = 'a' AND number = 2"),
    "replaces all": lambda table: overwrite(table, ROWS),
    "removes rows": lambda table: remove(table, "number = 2"),
    "compacts": lambda table: compact(table, {"part": "a"}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table of two rows, each in a file of its own."""
    for number in range(ROWS.height):
        write_deltalake(str(tmp_path), ROWS[number], mode="append", partition_by=["part"])
    return tmp_path


def numbers(folder: Path) -> list[int]:
    table = DeltaTable(str(folder))
    files = [file.removeprefix("file://") for file in table.file_uris()]
    frames = [pl.read_parquet(file, hive_partitioning=False) for file in files]
    return sorted(number for frame in frames for number in frame["number"])


@pytest.mark.parametrize("second", CHANGES)
@pytest.mark.parametrize("first", CHANGES)
def test_of_two_changes_from_one_version_the_second_is_refused(
    folder: Path, first: str, second: str
) -> None:
    ahead, behind = DeltaTable(str(folder)), DeltaTable(str(folder))
    CHANGES[first](ahead)
    expected = numbers(folder)
    with pytest.raises(CommitFailedError):
        CHANGES[second](behind)
    assert numbers(folder) == expected


@pytest.mark.parametrize("first", ["replaces rows", "replaces all"])
def test_of_two_first_writers_of_a_table_without_rows_the_second_is_refused(
    tmp_path: Path, first: str
) -> None:
    write_deltalake(str(tmp_path), ROWS.clear(), partition_by=["part"])
    ahead, behind = DeltaTable(str(tmp_path)), DeltaTable(str(tmp_path))
    CHANGES[first](ahead)
    expected = numbers(tmp_path)
    with pytest.raises(CommitFailedError):
        CHANGES[first](behind)
    assert numbers(tmp_path) == expected


def test_a_table_without_rows_gets_its_first_ones_by_any_predicate_with_a_new_column(
    tmp_path: Path,
) -> None:
    write_deltalake(str(tmp_path), ROWS.clear(), partition_by=["part"])
    table = DeltaTable(str(tmp_path))
    overwrite(table, ROWS.with_columns(since=pl.lit("a")), "part = 'a' AND number < 9")
    assert table.version() == 1
    assert numbers(tmp_path) == [1, 2]
    assert {field.name for field in table.schema().fields} == {"part", "number", "since"}
    overwrite(table, ROWS[1:].with_columns(since=pl.lit("b")), "part = 'a' AND number = 2")
    assert numbers(tmp_path) == [1, 2]


def test_several_writers_add_rows_to_one_version(folder: Path) -> None:
    tables = [DeltaTable(str(folder)) for _ in range(3)]
    for number, table in enumerate(tables, 3):
        append(table, pl.DataFrame({"part": ["a"], "number": [number]}))
    assert numbers(folder) == [1, 2, 3, 4, 5]


def test_a_compacted_partition_is_one_file_with_the_same_rows(folder: Path) -> None:
    append(DeltaTable(str(folder)), pl.DataFrame({"part": ["it's"], "number": [3]}))
    table = DeltaTable(str(folder))
    compact(table, {"part": "a"})
    assert len(table.file_uris()) == 2
    assert numbers(folder) == [1, 2, 3]
    compact(table, {"part": "it's"})
    assert numbers(folder) == [1, 2, 3]
