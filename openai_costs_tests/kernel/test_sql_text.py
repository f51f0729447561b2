from __future__ import annotations

import duckdb
import pytest

from openai_costs.kernel.sql_text import literal


@pytest.mark.parametrize("value", ["", "it's", "''", "\\'; DROP TABLE t; --", 'a "b"', "ü\n€"])
def test_a_literal_is_the_text_it_was_made_of(value: str) -> None:
    with duckdb.connect() as sql:
        assert sql.execute(f"SELECT {literal(value)}").fetchone() == (value,)
