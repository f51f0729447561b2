from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from upath import UPath

from openai_costs.storage.layout import foreign_files, misplaced, set_misplaced_aside
from openai_costs.storage.object_stores import TRIAL

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        "raw/openai",
        "raw/openai/acme/costs/2026-11-16",
        "lake/core",
        "lake/core/spend/connection=acme/month=2026-11",
        "lake/slice_log/_digests",
        "record/findings",
        "published/parquet/core.spend",
        "published/focus/billing_period=2026-11",
        "dagster/history/runs",
    ],
)
def test_a_file_in_the_place_of_a_folder_is_set_aside(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text("mine", encoding="utf-8")
    home, sentence = UPath(tmp_path), f"{file} is a file in the place of a folder"
    assert foreign_files(home) == []
    assert set_misplaced_aside(home) == [sentence]
    assert not file.exists()
    assert (tmp_path / "set_aside" / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    "name",
    [
        ".writers.lock",
        "mutes.json",
        "raw/openai/acme/account.json",
        "lake/core/spend/.lock",
        "lake/.repair.lock",
        "published/.publication.json",
        "published/focus/billing_period=2026-11/openai_costs.parquet",
        "report/index.html",
        "dagster/history/runs/index.db",
    ],
)
def test_a_folder_in_the_place_of_a_file_is_set_aside(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "inside").mkdir(parents=True)
    home = UPath(tmp_path)
    assert set_misplaced_aside(home) == [f"{tmp_path / name} is a folder in the place of a file"]
    assert not (tmp_path / name).exists()
    assert (tmp_path / "set_aside" / name / "inside").is_dir()


def test_a_link_and_a_foreign_file_are_in_no_ones_way(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/openai").symlink_to(tmp_path / "a disk that is not there")
    (tmp_path / "raw/.DS_Store").touch()
    home = UPath(tmp_path)
    assert list(misplaced(home)) == []
    assert str(tmp_path / "raw/.DS_Store") in foreign_files(home)


def test_a_local_copy_of_a_home_on_an_object_store_has_nothing_foreign(tmp_path: Path) -> None:
    for folder in ("lake", "record"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / TRIAL).touch()
    assert foreign_files(UPath(tmp_path)) == []


def test_what_is_in_a_folder_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / "report/index.html/.lock").mkdir(parents=True)
    assert len(set_misplaced_aside(UPath(tmp_path))) == 1
    assert list(misplaced(UPath(tmp_path))) == []


def test_a_file_in_the_place_of_the_folder_for_such_things_is_in_it_afterwards(
    tmp_path: Path,
) -> None:
    (tmp_path / "set_aside").write_text("mine", encoding="utf-8")
    (tmp_path / "report/index.html").mkdir(parents=True)
    assert len(set_misplaced_aside(UPath(tmp_path))) == 2
    assert (tmp_path / "set_aside/set_aside.file").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "set_aside/report/index.html").is_dir()
