"""The check `contiguous` names the missing days and a command that reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
from upath import UPath

from openai_costs.outputs.publish.assets import contiguous
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import connected, day

if TYPE_CHECKING:
    from pathlib import Path


def test_missing_days_that_are_not_lost_are_named_with_a_command_that_reads_them(
    tmp_path: Path,
) -> None:
    states = {1: "settled", 2: "missing", 3: "settled", 4: "missing", 5: "settled"}
    rows = [("acme", "costs", day(n), state, *(None,) * 3) for n, state in states.items()]
    lake = Lake(UPath(tmp_path))
    is_lost = pl.col("day") == day(4)
    reason = pl.when(is_lost).then(pl.lit("The provider deletes days."))
    lake.replace_whole(Coverage, connected(rows).with_columns(reason=reason))
    found = contiguous(lake=lake, clock=lambda: datetime(2026, 11, 6, tzinfo=UTC))
    assert isinstance(found, dg.AssetCheckResult)
    assert not found.passed
    assert found.description == (
        f"Days are missing. acme: {day(2)}. To read them, run openai-costs backfill "
        f"--from {day(2)} --to {day(2)}."
    )


def test_a_connection_that_was_never_read_is_named_beside_those_without_a_gap(
    tmp_path: Path,
) -> None:
    rows = [
        ("acme", "costs", day(1), "settled", *(None,) * 3),
        ("bolt", "costs", day(1), "missing", *(None,) * 3),
    ]
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Coverage, connected(rows))
    found = contiguous(lake=lake, clock=lambda: datetime(2026, 11, 2, tzinfo=UTC))
    assert isinstance(found, dg.AssetCheckResult)
    assert found.passed
    assert found.description == (
        "No day is missing since the first read of a connection. Never read: bolt."
    )
