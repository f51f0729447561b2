"""Other engines read the lake as it is, with exact decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.storage.test_lake import A1, B1, NOON, read

if TYPE_CHECKING:
    from pathlib import Path

TINY = Decimal("1.000000000000000001")


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A table of two connections, one day of which was replaced."""
    lake = Lake(UPath(tmp_path))
    first = read((A1, "ada", "7"), (B1, "bo", "2"), replaces=(A1, B1))
    lake.replace(SpendByUser, [first])
    lake.replace(SpendByUser, [read((A1, "ada", str(TINY)), replaces=(A1,), at=NOON)])
    return str(tmp_path / "lake/core/spend_by_user")


def test_polars_scans_the_table(folder: str) -> None:
    rows = pl.scan_delta(folder).sort("connection").collect()
    assert rows["billed_usd"].to_list() == [TINY, Decimal(2)]
    assert rows.schema["billed_usd"] == pl.Decimal(38, 18)
    assert rows.schema["read_at"] == pl.Datetime("us", "UTC")
    assert rows["month"].unique().to_list() == ["2026-11"]


@pytest.mark.filterwarnings("ignore")
def test_an_engine_that_speaks_spark_reads_the_table(folder: str) -> None:
    sail = pytest.importorskip(
        "pysail.spark", reason="needs an engine: pip install pysail pyspark-client"
    )
    spark_sql = pytest.importorskip(
        "pyspark.sql", reason="needs a client: pip install pysail pyspark-client"
    )
    server = sail.SparkConnectServer()
    server.start()
    _, port = server.listening_address
    session = spark_sql.SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    try:
        rows = session.read.format("delta").load(folder).orderBy("connection").collect()
        assert [row.billed_usd for row in rows] == [TINY, Decimal(2)]
    finally:
        session.stop()
        server.stop()
