"""The rows of a table that is replaced whole are read once for each version of it."""

from __future__ import annotations

from shutil import rmtree
from typing import TYPE_CHECKING

from upath import UPath

from openai_costs.storage import stored_batches
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.lake import Lake
from openai_costs.storage.live_rows import collected
from openai_costs.storage.stored_batches import WholeTables
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.storage.test_lake import covered

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    import pytest


def states(found: pl.DataFrame | None) -> list[str]:
    return [] if found is None else found["state"].to_list()


def test_another_version_is_read_and_the_same_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []

    def counted(rows: pl.LazyFrame, place: object) -> pl.DataFrame:
        reads.append(place)
        return collected(rows, place)

    monkeypatch.setattr(stored_batches, "collected", counted)
    writer, whole = Lake(UPath(tmp_path)), WholeTables(DeltaTables(UPath(tmp_path) / "lake"))
    seen = states(whole.read(Coverage))
    for state in ("settled", "missing"):
        writer.replace_whole(Coverage, covered(state))
        reads.clear()
        seen += [*states(whole.read(Coverage)), *states(whole.read(Coverage))]
        assert len(reads) == 1
    assert seen == ["settled", "settled", "missing", "missing"]


def test_a_table_that_was_removed_and_made_again_is_another(tmp_path: Path) -> None:
    whole = WholeTables(DeltaTables(UPath(tmp_path) / "lake"))
    seen = []
    for state in ("settled", "missing"):
        Lake(UPath(tmp_path)).replace_whole(Coverage, covered(state))
        seen += states(whole.read(Coverage))
        rmtree(tmp_path / "lake/mart/coverage")
    assert seen == ["settled", "missing"]
    assert whole.read(Coverage) is None


def test_a_caller_that_changes_its_rows_changes_no_others(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    lake.replace_whole(Coverage, covered("settled"))
    mine = lake.read(Coverage)
    mine.extend(covered("missing"))
    assert states(lake.read(Coverage)) == ["settled"]
