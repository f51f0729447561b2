from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import polars as pl
import pytest
from deltalake import DeltaTable
from upath import UPath

from openai_costs.storage import delta
from openai_costs.storage.lake import Lake
from openai_costs.storage.opened_lakes import MOST, close_all, opened
from openai_costs.storage.table_damage import damaged_tables
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.org import day

if TYPE_CHECKING:
    from pathlib import Path


def covered(state: str) -> pl.DataFrame:
    row = {"connection": "acme", "source": "costs", "day": day(1), "state": state}
    row["is_connected"] = True
    return pl.DataFrame([{**dict.fromkeys(Coverage.types()), **row}], schema=Coverage.types())


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that are opened, in order."""
    places: list[str] = []
    original = delta.DeltaTable

    def noting(place: str, **options: object) -> object:
        places.append(place)
        return original(place, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(delta, "DeltaTable", noting)
    return places


def test_a_second_lake_of_a_home_opens_no_table_anew(tmp_path: Path, opening: list[str]) -> None:
    Lake(UPath(tmp_path)).replace_whole(Coverage, covered("missing"))
    close_all()
    opening.clear()
    for _ in range(3):
        assert Lake(UPath(tmp_path)).read(Coverage)["state"].to_list() == ["missing"]
    assert opening == [str(UPath(tmp_path) / "lake/mart/coverage")]


def test_who_looks_for_damage_opens_each_table_anew_and_others_do_not_after_that(
    tmp_path: Path, opening: list[str]
) -> None:
    lake, coverage = Lake(UPath(tmp_path)), tmp_path / "lake/mart/coverage"
    lake.replace_whole(Coverage, covered("missing"))
    opening.clear()
    assert list(damaged_tables(lake.root, is_deep=True)) == []
    assert lake.read(Coverage)["state"].to_list() == ["missing"]
    assert opening == [str(coverage)]
    DeltaTable(coverage).create_checkpoint()
    [checkpoint] = (coverage / "_delta_log").glob("*.checkpoint.parquet")
    checkpoint.write_bytes(b"")
    assert [one.name for one in damaged_tables(lake.root, is_deep=False)] == ["mart/coverage"]


def test_a_table_that_another_took_the_place_of_is_not_shown_from_memory(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    Lake(UPath(one)).replace_whole(Coverage, covered("missing"))
    Lake(UPath(two)).replace_whole(Coverage, covered("settled"))
    shutil.rmtree(one / "lake")
    shutil.copytree(two / "lake", one / "lake")
    assert Lake(UPath(one)).read(Coverage)["state"].to_list() == ["settled"]


@pytest.mark.parametrize("is_shown", [True, False])
def test_a_table_that_was_put_back_from_a_backup_is_not_shown_from_memory(
    tmp_path: Path, *, is_shown: bool
) -> None:
    home, backup = tmp_path / "home", tmp_path / "backup"
    write(home, "missing")
    shutil.copytree(home, backup)
    write(home, "provisional")
    lake = Lake(UPath(home))
    assert not is_shown or lake.read(Coverage)["state"].to_list() == ["provisional"]
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    write(home, "settled")
    assert lake.read(Coverage)["state"].to_list() == ["settled"]


def write(home: Path, state: str) -> None:
    """What another process writes."""
    writer = threading.Thread(
        target=lambda: Lake(UPath(home)).replace_whole(Coverage, covered(state))
    )
    writer.start()
    writer.join()


def test_a_thread_keeps_the_lakes_open_that_it_used_last(tmp_path: Path) -> None:
    first = opened(UPath(tmp_path / "first"))
    for number in range(MOST - 1):
        opened(UPath(tmp_path / str(number)))
    assert opened(UPath(tmp_path / "first")) is first
    for number in range(MOST):
        opened(UPath(tmp_path / str(number)))
    assert opened(UPath(tmp_path / "first")) is not first
