from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.sql_text import identifier, literal, read_parquet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("value", ["", "it's", "''", "\\'; DROP TABLE t; --", 'a "b"', "ü\n€"])
def test_a_literal_is_the_text_it_was_made_of(value: str) -> None:
    with duckdb.connect() as sql:
        assert sql.execute(f"SELECT {literal(value)}").fetchone() == (value,)


@pytest.mark.parametrize("name", ["select", "a b", 'a "b"', "it's", "ü.x"])
def test_an_identifier_is_the_name_it_was_made_of(name: str) -> None:
    with duckdb.connect() as sql:
        assert sql.sql(f"SELECT 1 AS {identifier(name)}").columns == [name]


@pytest.mark.parametrize("name", ["it's", "a*b", "a?b", "a[1]b", "[ab", "a]b", "month=1", "{a,b}"])
def test_a_parquet_file_is_read_by_its_own_path_and_no_other(tmp_path: Path, name: str) -> None:
    for folder in (name, "axb", "a1b"):
        (tmp_path / folder).mkdir()
        pl.DataFrame({"of": [folder]}).write_parquet(tmp_path / folder / "rows.parquet")
    rows = read_parquet([tmp_path / name / "rows.parquet"])
    with duckdb.connect() as sql:
        assert sql.sql(f"FROM {rows}").fetchall() == [(name,)]
