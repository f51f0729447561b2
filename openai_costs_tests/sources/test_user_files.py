import os
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources import user_files
from openai_costs.sources.user_files import all_files, content, files, opened

THERE = (
    "top.jsonl",
    "dt=1/part-0.jsonl",
    "dt=1/part-1.jsonl",
    "dt=2/deep/part-0.jsonl",
    "dt=2/notes.txt",
)


def filled(folder: UPath) -> UPath:
    for name in THERE:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode())
    return folder


def bucket() -> UPath:
    """An object store of its own, in this process."""
    return filled(UPath(f"memory://{uuid4().hex}"))


PATTERNS = [
    ("top.jsonl", ["top.jsonl"]),
    ("dt=*/part-*.jsonl", ["dt=1/part-0.jsonl", "dt=1/part-1.jsonl"]),
    ("dt=1/part-?.jsonl", ["dt=1/part-0.jsonl", "dt=1/part-1.jsonl"]),
    (
        "**/*.jsonl",
        ["dt=1/part-0.jsonl", "dt=1/part-1.jsonl", "dt=2/deep/part-0.jsonl", "top.jsonl"],
    ),
    ("dt=2/**/part-0.jsonl", ["dt=2/deep/part-0.jsonl"]),
]


@pytest.mark.parametrize(("pattern", "found"), PATTERNS)
def test_a_pattern_stands_for_files_in_folders_below(
    tmp_path: Path, pattern: str, found: list[str]
):
    folder = filled(UPath(tmp_path))
    assert [str(one) for one in files(folder, pattern)] == [str(tmp_path / one) for one in found]


@pytest.mark.parametrize(("pattern", "found"), PATTERNS)
def test_a_pattern_stands_for_the_same_files_in_an_object_store(
    tmp_path: Path, pattern: str, found: list[str]
):
    store = bucket()
    named = files(UPath(tmp_path), f"{store}/{pattern}")
    assert [content(one).decode() for one in named] == found


def test_an_absolute_pattern_does_not_begin_in_the_folder_of_the_settings(tmp_path: Path):
    folder = filled(UPath(tmp_path / "files"))
    (one,) = files(UPath(tmp_path / "elsewhere"), f"{folder}/to?.jsonl")
    assert one.name == "top.jsonl"


def test_a_bracket_in_a_name_is_a_bracket(tmp_path: Path):
    folder = filled(UPath(tmp_path / "costs [prod]"))
    (folder / "a[1].csv").write_bytes(b"")
    assert [one.name for one in files(folder, "a[1].*")] == ["a[1].csv"]
    assert len(files(folder, "dt=1/*")) == 2


def test_a_file_that_two_patterns_stand_for_is_named_once(tmp_path: Path):
    folder = filled(UPath(tmp_path))
    assert len(all_files(folder, ["top.jsonl", "*.jsonl", "**/top.jsonl"])) == 1


def test_a_name_that_is_not_utf_8_is_refused_and_shown_with_its_bytes(tmp_path: Path):
    (tmp_path / os.fsdecode(b"M\xfcller.csv")).write_bytes(b"a")
    with pytest.raises(FileRefused, match=r"M\\xfcller\.csv: has a name that is not UTF-8"):
        all_files(UPath(tmp_path), ["*.csv"])
    (tmp_path / "M\u00fcller.csv").write_bytes(b"a")
    assert len(all_files(UPath(tmp_path), ["M\u00fcller.csv"])) == 1


def test_a_link_back_up_does_not_lead_round_in_circles(tmp_path: Path):
    folder = filled(UPath(tmp_path))
    (tmp_path / "dt=1" / "up").symlink_to(tmp_path)
    assert len(files(folder, "**/*.jsonl")) == 4


@pytest.mark.parametrize(
    "pattern", ["none.csv", "no*.csv", "no/**/*.csv", "memory://nowhere/a.csv"]
)
def test_what_is_not_there_is_refused_by_its_name(tmp_path: Path, pattern: str):
    with pytest.raises(FileRefused, match="does not exist"):
        files(UPath(tmp_path), pattern)


def test_a_store_that_cannot_be_reached_is_refused_with_the_cause(tmp_path: Path):
    for find in (files, opened):
        with pytest.raises(FileRefused, match=r"nosuch://bucket/a\.csv: cannot be .*its name in"):
            find(UPath(tmp_path), "nosuch://bucket/a.csv")


@pytest.mark.parametrize(
    ("url", "fault", "remedy"),
    [
        ("gs://b/a.csv", "Please install gcsfs to access Google Storage", "Install that library"),
        ("s3://b/a.csv", "Install s3fs to access S3", r"Run pip install 'openai_costs\[scale\]'"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, fault: str, remedy: str
):
    def missing(*_: object, **__: object) -> UPath:
        raise ImportError(fault)

    monkeypatch.setattr(user_files, "UPath", missing)
    with pytest.raises(FileRefused, match=rf"cannot be reached \({fault}\)\. {remedy}"):
        opened(UPath(tmp_path), url)


def test_a_file_that_may_not_be_read_is_refused_with_the_cause(tmp_path: Path):
    with pytest.raises(FileRefused, match="cannot be read"):
        content(UPath(tmp_path))
