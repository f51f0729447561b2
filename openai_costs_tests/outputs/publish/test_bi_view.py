from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from openai_costs.outputs.publish.bi.view import mirrored
from openai_costs.tables.mart.seats import Seats


def test_a_mirrored_mart_has_doubles_and_no_address_in_a_name(tmp_path: Path) -> None:
    seat = dict.fromkeys(Seats.types()) | {
        "connection": "acme",
        "user_id": "user-1",
        "name": "d'Arc@tide.example (contractor)",
        "email": "d'arc@tide.example",
        "spend_30d_usd": Decimal("1.5"),
    }
    pl.DataFrame([seat], schema=Seats.types()).write_parquet(tmp_path / "seats.parquet")
    view = mirrored("seats", Seats, without=("email",))
    with duckdb.connect() as sql:
        sql.execute("CREATE SCHEMA mart")
        sql.execute(f"CREATE TABLE mart.seats AS FROM read_parquet('{tmp_path}/*.parquet')")
        found = sql.sql(view.sql)
        (row,) = (dict(zip(found.columns, one, strict=True)) for one in found.fetchall())
    assert list(row) == list(view.columns)
    shown = (row["user_id"], row["name"], row["spend_30d_usd"])
    assert shown == ("user-1", "d'Arc (contractor)", 1.5)
