"""How often a table is opened: reading its log is most of what a short run pays for the lake."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage import delta
from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_operations import append, make, overwrite

if TYPE_CHECKING:
    from pathlib import Path

    from deltalake import DeltaTable

NAME = "core/spend"
ROWS = pl.DataFrame({"number": [1, 2]})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were opened, each time they were."""
    found: list[str] = []
    open_table = DeltaTables._open  # noqa: SLF001 - what is counted

    def counted(self: DeltaTables, name: str) -> DeltaTable | None:
        if (table := open_table(self, name)) is not None:
            found.append(name)
        return table

    monkeypatch.setattr(delta.DeltaTables, "_open", counted)
    return found


def test_a_table_is_opened_once_however_often_it_is_changed(
    tmp_path: Path, opened: list[str]
) -> None:
    tables, others = DeltaTables(UPath(tmp_path)), DeltaTables(UPath(tmp_path))
    tables.create(NAME, lambda folder: make(folder, ROWS.clear()))
    for number in range(3):
        tables.commit(NAME, lambda table: overwrite(table, ROWS))
        others.commit(NAME, lambda table: append(table, ROWS))
        assert tables.version(NAME) == 2 * number + 2
    assert opened == [NAME, NAME]


def test_a_table_that_was_removed_and_made_again_is_opened_again(
    tmp_path: Path, opened: list[str]
) -> None:
    tables, others = DeltaTables(UPath(tmp_path)), DeltaTables(UPath(tmp_path))
    tables.create(NAME, lambda folder: make(folder, ROWS.clear()))
    tables.commit(NAME, lambda table: overwrite(table, ROWS))
    shutil.rmtree(tmp_path / NAME)
    for _ in range(2):
        others.create(NAME, lambda folder: make(folder, ROWS.clear()))
        others.commit(NAME, lambda table: overwrite(table, ROWS))
    opened.clear()
    assert tables.get(NAME).metadata().id == others.get(NAME).metadata().id
    assert opened == [NAME]


def test_a_frozen_table_stays_as_it_was_at_its_first_use(tmp_path: Path) -> None:
    tables, others = DeltaTables(UPath(tmp_path)), DeltaTables(UPath(tmp_path))
    tables.create(NAME, lambda folder: make(folder, ROWS.clear()))
    others.commit(NAME, lambda table: append(table, ROWS))
    with tables.frozen():
        assert tables.version(NAME) == 1
        others.commit(NAME, lambda table: append(table, ROWS))
        assert tables.version(NAME) == 1
    assert tables.version(NAME) == 2


def test_a_table_that_is_made_meanwhile_is_not_there_yet_in_a_frozen_block(tmp_path: Path) -> None:
    tables, others = DeltaTables(UPath(tmp_path)), DeltaTables(UPath(tmp_path))
    with tables.frozen():
        assert tables.find(NAME) is None
        others.create(NAME, lambda folder: make(folder, ROWS))
        assert tables.find(NAME) is None
    assert tables.version(NAME) == 0
