from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from upath import UPath

from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.lake import Lake
from openai_costs.storage.repair import repair
from openai_costs.storage.slices import Slice
from openai_costs.storage.table_damage import damaged_tables
from openai_costs.storage.upkeep import EVERY, MOST_FILES, tidy
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.storage.test_lake import A1, A2, read

TABLE = "lake/core/spend_by_user"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Lake(UPath(tmp_path)).replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    return tmp_path


def data_file(home: Path) -> Path:
    [file] = (home / TABLE).rglob("part-*.parquet")
    return file


def flip_a_bit_that_no_reader_misses(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[1] ^= 0x20
    file.write_bytes(content)


def found(home: Path) -> list[str]:
    return [text for one in damaged_tables(UPath(home / "lake"), is_deep=False) for text in one.why]


def test_a_flipped_bit_in_a_file_that_can_still_be_read_is_named_and_its_day_made_again(
    home: Path,
) -> None:
    assert found(home) == []
    file = data_file(home)
    flip_a_bit_that_no_reader_misses(file)
    assert Lake(UPath(home)).read(SpendByUser).height == 1
    assert found(home) == [f"{file} has changed: its digest differs"]
    assert repair(UPath(home)).days == {day(1)}
    assert (home / "set_aside" / TABLE / file.name).exists()
    assert found(home) == []


def test_rows_of_a_file_with_a_flipped_bit_get_no_new_file_and_no_new_digest(home: Path) -> None:
    lake, file = Lake(UPath(home)), data_file(home)
    flip_a_bit_that_no_reader_misses(file)
    with pytest.raises(StorageFailed, match=r"part-.*its digest differs"):
        lake.replace(SpendByUser, [read((A1, "ada", "2"), replaces=(A1,))])
    assert lake.read(SpendByUser)["billed_usd"].to_list() == [Decimal(1)]
    for number in range(MOST_FILES + 1):
        key = Slice("acme", day(3 + number))
        lake.replace(SpendByUser, [read((key, "cy", "1"), replaces=(key,))])
    tidy(DeltaTables(UPath(home / "lake")), "core/spend_by_user")
    assert found(home) == [f"{file} has changed: its digest differs"]


@pytest.mark.parametrize("note", [None, b"", b"\xff\0"], ids=["none", "empty", "damaged"])
def test_a_file_whose_digest_is_not_known_is_read_instead(home: Path, note: bytes | None) -> None:
    [digest] = (home / TABLE / "_digests").iterdir()
    digest.unlink() if note is None else digest.write_bytes(note)
    assert found(home) == []
    data_file(home).write_bytes(bytes(data_file(home).stat().st_size))
    assert "is damaged" in found(home)[0]


def test_what_a_commit_wrote_is_on_the_disk_with_the_names_of_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed, flush = set[str](), os.fsync

    def noted(number: int) -> None:
        flushed.add(str(Path(f"/proc/self/fd/{number}").readlink()))
        flush(number)

    monkeypatch.setattr(os, "fsync", noted)
    Lake(UPath(tmp_path)).replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    file, log = data_file(tmp_path), tmp_path / TABLE / "_delta_log"
    wanted = {file, file.parent, log, log / f"{1:020}.json"}
    assert {str(path) for path in wanted} <= flushed


def test_upkeep_keeps_the_digests_of_the_files_that_are_there_and_removes_others(
    home: Path,
) -> None:
    stray = home / TABLE / "_digests" / "part-00000-gone.zstd.parquet.sha256"
    stray.write_text("0" * 64)
    for number in range(EVERY + 1):
        Lake(UPath(home)).replace(SpendByUser, [read((A2, "bo", str(number)), replaces=(A2,))])
    there = {f"{file.name}.sha256" for file in (home / TABLE).rglob("part-*.parquet")}
    assert {one.name for one in (home / TABLE / "_digests").iterdir()} >= there
    assert not stray.exists()
    assert found(home) == []
