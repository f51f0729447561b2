"""Slices under another name: the same rows, also where a process is killed between two commits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage import renamed_slices as module
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.lake import Lake
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.renamed_slices import rename_slices
from openai_costs.storage.slice_log import SliceLog
from openai_costs.storage.slices import Slice
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.storage.test_lake import MORNING, NOON, held, read, rows
from openai_costs_tests.storage.test_slice_log import KilledError, die

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD, EMPTY, BOTH, OTHER = (
    Slice("acme", day(1)),
    Slice("acme", day(2)),
    Slice("acme", day(3)),
    Slice("other", day(1)),
)
NEW = Slice("bolt", day(3))


@pytest.fixture(params=["a local folder", "an object store"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    return UPath(tmp_path if request.param == "a local folder" else tmp_path.as_uri())


@pytest.fixture
def lake(home: UPath) -> Lake:
    """Three days of acme, of which one has no rows and another is one of bolt as well."""
    made, lines = Lake(home), ((OLD, "ada", "1"), (BOTH, "ada", "2"), (OTHER, "eve", "4"))
    older = read(*lines, replaces=(OLD, EMPTY, BOTH, OTHER))
    made.replace(SpendByUser, [replace(older, page_usd={OLD: Decimal(1)}, read_number={OLD: 7})])
    made.replace(SpendByUser, [read((NEW, "ben", "8"), replaces=(NEW,), at=NOON)])
    return made


def is_renamed(lake: Lake) -> bool:
    """Whether every day of acme is one of bolt, which has kept its own."""
    assert held(lake) == [
        ("bolt", day(1), "ada", Decimal(1)),
        ("bolt", day(3), "ben", Decimal(8)),
        ("other", day(1), "eve", Decimal(4)),
    ]
    known = lake.slices(SpendByUser).select("connection", "day", "rows").rows()
    assert known == [
        ("bolt", day(1), 1),
        ("bolt", day(2), 0),
        ("bolt", day(3), 1),
        ("other", day(1), 1),
    ]
    reads = lake.reads(SpendByUser)
    return (reads[Slice("bolt", day(1))], reads[NEW]) == (MORNING, NOON)


def test_slices_are_those_of_the_new_name_and_a_day_that_both_have_is_its_own(
    home: UPath, lake: Lake
) -> None:
    before = lake.written(SpendByUser)
    rename_slices(home, "acme", "bolt")
    assert is_renamed(lake)
    [batch] = lake.batches(SpendByUser, [day(1)])
    bolt = Slice("bolt", day(1))
    assert batch.frame.equals(rows((bolt, "ada", "1"), (OTHER, "eve", "4")))
    assert (batch.page_usd, batch.read_number) == ({bolt: Decimal(1)}, {bolt: 7})
    after = lake.written(SpendByUser).slices.filter(pl.col("version") > before.version)
    assert after["day"].to_list() == [day(1), day(2)], "a publication sees which slices are new"
    rename_slices(home, "acme", "bolt")
    assert is_renamed(lake)


def test_another_name_is_a_name_like_any_other(home: UPath, lake: Lake) -> None:
    rename_slices(home, "acme", "o'hara")
    assert ("o'hara", day(1), "ada", Decimal(1)) in held(lake)


@pytest.mark.parametrize(
    "kill",
    [
        lambda patch: patch.setattr(module, "change", die),
        lambda patch: patch.setattr(SliceLog, "add", die),
        lambda patch: patch.setattr(module, "remove", die),
        lambda patch: patch.setattr(StoredSlices, "forget", die),
        lambda patch: patch.setattr(StoredSlices, "fold", die),
    ],
    ids=("before all", "before the log", "before the rest", "before the old", "before the fold"),
)
def test_a_renaming_that_was_killed_goes_on(
    home: UPath,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
    kill: Callable[[pytest.MonkeyPatch], None],
) -> None:
    with monkeypatch.context() as patch:
        kill(patch)
        with pytest.raises(KilledError):
            rename_slices(home, "acme", "bolt")
    close_all()
    usd = {(name, when): usd for name, when, _, usd in held(lake)}
    assert usd.pop(("acme", day(3)), Decimal(2)) == Decimal(2)
    assert sum(usd.values()) == Decimal(13), "no row is missing, and none is there twice"
    rename_slices(home, "acme", "bolt")
    assert is_renamed(Lake(home))


def test_rows_of_a_damaged_file_are_not_taken_over(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    lake = Lake(home)
    lake.replace(SpendByUser, [read((OLD, "ada", "1"), replaces=(OLD,))])
    [file] = (home / "lake/core/spend_by_user").glob("connection=acme/*/part-*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    with pytest.raises(StorageFailed, match="it has changed since it was written"):
        rename_slices(home, "acme", "bolt")
    assert lake.connections(SpendByUser) == ["acme"]
