"""Rows of slices are read from files once for each version of a table, in any order of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage import slice_rows
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.delta_operations import remove
from openai_costs.storage.lake import Lake
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.slices import Slice
from openai_costs.storage.stored_batches import read_rows
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.storage.test_lake import A1, A2, B1, by_another, read, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from openai_costs.storage.slices import Batch

DAYS = [day(1), day(2)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(UPath(tmp_path))


@pytest.fixture
def from_files(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many slices each reading of files was about."""
    found: list[int] = []

    def noting(table: object, files: object, slices: pl.DataFrame, place: object) -> pl.DataFrame:
        found.append(slices.height)
        return read_rows(table, files, slices, place)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(slice_rows, "read_rows", noting)
    return found


def three(usd: str) -> Batch:
    """Lines of three slices, in no order of theirs."""
    lines = [(B1, "bo", usd), (A2, "eve", usd), (A1, "zoe", usd), (A1, "ada", usd)]
    return read(*lines, replaces=(A2, A1, B1))


def users(lake: Lake, days: Sequence[date] = DAYS) -> list[str]:
    return lake.read(SpendByUser, days)["user_id"].to_list()


def test_what_was_written_is_not_read_back_and_stands_as_in_the_files(
    lake: Lake, from_files: list[int]
) -> None:
    lake.replace(SpendByUser, [three("1"), read((A2, "eve", "2"), replaces=(A2,))])
    (known,) = lake.batches(SpendByUser, DAYS)
    assert from_files == []
    close_all()
    (stored,) = Lake(lake.root.parent).batches(SpendByUser, DAYS)
    assert from_files == [3]
    assert known.frame.equals(stored.frame)
    assert known.read_at == stored.read_at


def test_rows_are_in_the_order_of_the_days_asked_for(lake: Lake, from_files: list[int]) -> None:
    lake.replace(SpendByUser, [three("1")])
    assert users(lake, [day(2), day(9), day(1)]) == ["eve", "zoe", "ada", "bo"]
    assert users(lake, [day(1)]) == ["zoe", "ada", "bo"]
    assert users(lake, [day(9)]) == []
    assert users(lake, [day(2), day(1), day(2)]) == ["eve", "zoe", "ada", "bo"]
    assert from_files == []
    close_all()
    assert users(Lake(lake.root.parent), [day(2), day(1), day(2)]) == ["eve", "zoe", "ada", "bo"]


def test_a_commit_of_another_is_read_and_what_it_left_alone_too(
    lake: Lake, from_files: list[int]
) -> None:
    lake.replace(SpendByUser, [three("1")])
    other = read((A1, "kim", "5"), replaces=(A1,))
    by_another(lambda: Lake(lake.root.parent).replace(SpendByUser, [other]))
    lake.replace(SpendByUser, [read((B1, "bea", "6"), replaces=(B1,))])
    assert users(lake) == ["kim", "eve", "bea"]
    assert from_files == [3]
    assert users(lake) == ["kim", "eve", "bea"]
    assert from_files == [3]


def test_rows_that_change_in_place_are_read_anew(lake: Lake) -> None:
    lake.replace(SpendByUser, [three("1")])
    tables = Lake(lake.root.parent)._tables  # noqa: SLF001 - as who forgets people does
    tables.commit("core/spend_by_user", lambda data: remove(data, "user_id = 'zoe'"))
    assert users(lake) == ["ada", "eve", "bo"]


def test_a_caller_that_changes_its_rows_changes_no_others(lake: Lake) -> None:
    lake.replace(SpendByUser, [three("1")])
    lake.read(SpendByUser, DAYS).extend(rows((Slice("acme", day(3)), "kim", "1")))
    assert users(lake) == ["zoe", "ada", "eve", "bo"]


def test_more_than_fits_is_read_from_files(
    lake: Lake, from_files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slice_rows, "MOST_BYTES", 1)
    lake.replace(SpendByUser, [three("1")])
    assert users(lake) == ["zoe", "ada", "eve", "bo"]
    assert from_files == [3]


def asked(lake: Lake, days: list[date]) -> pl.DataFrame:
    return lake.query(SpendByUser, days, lambda rows: [rows])[0]


def test_queries_about_some_days_are_answered_together(lake: Lake) -> None:
    lake.replace(SpendByUser, [three("1")])
    close_all()
    usd = pl.col("billed_usd").sum()
    total, users = Lake(lake.root.parent).query(
        SpendByUser,
        DAYS[:1],
        lambda rows: [rows.select(usd), rows.group_by("user_id").agg(usd)],
    )
    assert total.item() == users["billed_usd"].sum() == 3
    assert sorted(users["user_id"]) == ["ada", "bo", "zoe"]


def test_a_query_names_the_table_that_is_damaged(lake: Lake, tmp_path: Path) -> None:
    lake.replace(SpendByUser, [three("1")])
    close_all()
    for file in (tmp_path / "lake/core/spend_by_user").rglob("part-*.parquet"):
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(StorageFailed, match=r"lake/core/spend_by_user: .*backfill --offline"):
        asked(Lake(lake.root.parent), DAYS)


def test_rows_in_any_order_are_the_same_rows_from_memory_and_from_files(
    lake: Lake, from_files: list[int]
) -> None:
    lake.replace(SpendByUser, [three("1"), read((A2, "eve", "2"), replaces=(A2,))])
    ordered = lake.read(SpendByUser, DAYS).sort("user_id")
    known = asked(lake, DAYS)
    close_all()
    again = Lake(lake.root.parent)
    assert known.sort("user_id").equals(ordered)
    assert asked(again, DAYS).sort("user_id").equals(ordered)
    assert asked(again, [day(2), day(9)])["user_id"].to_list() == ["eve"]
    assert asked(again, [day(9)]).is_empty()
    assert from_files == []


def test_rows_of_a_slice_that_no_commit_noted_are_in_no_order_either(lake: Lake) -> None:
    lake.replace(SpendByUser, [three("1")])
    lake._slices.forget("core/spend_by_user", "connection = 'acme' AND day = '2026-11-01'")  # noqa: SLF001 - as a kill leaves it
    close_all()
    again = Lake(lake.root.parent)
    assert sorted(asked(again, DAYS)["user_id"]) == sorted(users(again))
