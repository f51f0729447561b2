"""The checks of what is published name missing days, and say no more than is known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
import pytest
from upath import UPath

from openai_costs.outputs.publish.assets import contiguous, through_yesterday
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
        f"No day is missing through {day(1)}, since the first read of a connection. "
        "Never read: bolt."
    )


def test_days_that_no_run_has_looked_at_are_not_called_published(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    for rows, known in (([], "No day was ever read"), ([1], f"mart.coverage ends with {day(1)}")):
        stored = [("acme", "costs", day(one), "settled", *(None,) * 3) for one in rows]
        lake.replace_whole(Coverage, connected(stored))
        found = through_yesterday(lake=lake, clock=lambda: datetime(2026, 11, 6, tzinfo=UTC))
        assert isinstance(found, dg.AssetCheckResult)
        assert (found.passed, found.description) == (
            False,
            f"{known}, so nothing is known of {day(5)}. To read it, run openai-costs backfill.",
        )
    found = contiguous(lake=lake, clock=lambda: datetime(2026, 11, 6, tzinfo=UTC))
    assert isinstance(found, dg.AssetCheckResult)
    assert (found.passed, found.description) == (True, f"No day is missing through {day(1)}.")


@pytest.mark.parametrize(("state", "is_there"), [("settled", True), ("missing", False)])
def test_yesterday_is_published_where_no_connection_misses_it(
    tmp_path: Path, state: str, *, is_there: bool
) -> None:
    rows = [(name, "costs", day(2), state, *(None,) * 3) for name in ("acme", "bolt")]
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Coverage, connected(rows))
    found = through_yesterday(lake=lake, clock=lambda: datetime(2026, 11, 3, tzinfo=UTC))
    assert isinstance(found, dg.AssetCheckResult)
    said = f"Every connection is published through {day(2)}."
    assert (found.passed, found.description) == (
        is_there,
        said if is_there else f"{day(2)} is missing for acme, bolt.",
    )
