import errno
import os
import re
from pathlib import Path
from uuid import uuid4

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.storage.files import (
    create_file,
    files_below,
    is_local,
    place,
    remove_folder,
    replace_file,
    set_file_aside,
)
from openai_costs.storage.moving import move_all_into_place


@pytest.fixture(params=["disk", "object store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    return place(str(tmp_path) if request.param == "disk" else f"memory://{uuid4()}")


def test_a_relative_path_is_a_place_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    found = place("./data")
    assert is_local(found)
    assert Path(str(found)) == tmp_path / "data"


def test_a_url_is_a_place_elsewhere():
    assert not is_local(place("memory://bucket/costs"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3x://bucket/costs", "Unsupported filesystem"),
        ("S3://bucket/costs", "Unsupported filesystem"),
        ("s3://ada:secret@bucket/costs", "its address has a password"),
    ],
)
def test_a_home_that_no_address_leads_to_is_refused_in_a_sentence(url: str, why: str):
    with pytest.raises(SettingsError, match=why) as refused:
        place(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["p%20q", "sq[1]", "why?"])
@pytest.mark.parametrize(("link", "home"), [("home", "home"), ("up", "up/home"), ("lake", "")])
def test_a_home_with_a_link_to_a_path_that_takes_no_table_is_refused(
    name: str, link: str, home: str, tmp_path: Path
):
    there = tmp_path / name
    there.mkdir()
    (tmp_path / link).symlink_to(name)
    why = re.escape(f"it leads to {there}")
    with pytest.raises(SettingsError, match=f"{why}.*, and no table can be stored below a path"):
        place(str(tmp_path / home))
    with pytest.raises(SettingsError, match=why):
        place(f"file://{tmp_path / home}")
    assert not list(there.iterdir())


def test_a_home_that_a_link_leads_to_has_the_path_it_was_named_by(tmp_path: Path):
    (tmp_path / "real place").mkdir()
    (tmp_path / "link").symlink_to("real place")
    assert str(place(str(tmp_path / "link"))) == str(tmp_path / "link")


def test_a_file_holds_what_it_was_last_replaced_by(folder: UPath):
    target = folder / "a" / "b" / "rows.parquet"
    for content in (b"one", b"", b"three"):
        replace_file(target, content)
        assert target.read_bytes() == content


def test_a_replacement_leaves_nothing_beside_the_file(folder: UPath):
    replace_file(folder / "rows.parquet", b"1")
    replace_file(folder / "rows.parquet", b"2")
    assert [file.name for file in folder.iterdir()] == ["rows.parquet"]


def test_a_replacement_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path):
    target = UPath(tmp_path / "rows.parquet")
    replace_file(target, b"old")
    with pytest.raises(TypeError):
        replace_file(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_replacement_cannot_take_the_place_of_a_folder(tmp_path: Path):
    (tmp_path / "rows.parquet").mkdir()
    with pytest.raises(OSError, match=r"rows\.parquet"):
        replace_file(UPath(tmp_path / "rows.parquet"), b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_reader_that_holds_the_old_file_keeps_reading_it(tmp_path: Path):
    target = UPath(tmp_path / "rows.parquet")
    replace_file(target, b"old")
    with target.open("rb") as reader:
        replace_file(target, b"new")
        assert reader.read() == b"old"


def test_a_built_file_moves_into_place(folder: UPath, tmp_path: Path):
    built = tmp_path / "built.duckdb"
    built.write_bytes(b"whole")
    target = folder / "published" / "costs.duckdb"
    if not is_local(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    move_all_into_place({target: built}, lambda: None)
    assert target.read_bytes() == b"whole"
    assert not built.exists()


def test_a_folder_is_set_aside_with_all_that_is_in_it_also_a_second_time(folder: UPath):
    for content in (b"one", b"two"):
        for name in ("a/b/1.json", "a/2.json", "ab.json"):
            replace_file(folder / name, content)
        aside = set_file_aside(folder / "a", folder / "aside")
        found = {str(one)[len(str(aside)) :]: one.read_bytes() for one in files_below(aside, "")}
        assert found == {"/b/1.json": content, "/2.json": content}
        assert (folder / "ab.json").exists()
        assert not (folder / "a/b/1.json").exists()
    assert len(list((folder / "aside").iterdir())) == 2


def test_files_below_come_in_the_order_of_their_paths(folder: UPath):
    for name in ("b/2.parquet", "a/9.parquet", "b/1.parquet", "b/1.json"):
        replace_file(folder / name, b"")
    found = [
        file.path.removeprefix(folder.path).strip("/") for file in files_below(folder, ".parquet")
    ]
    assert found == ["a/9.parquet", "b/1.parquet", "b/2.parquet"]


def test_a_folder_that_is_not_there_has_no_files(folder: UPath):
    assert list(files_below(folder / "nowhere", ".parquet")) == []


class RefusingStore(MemoryFileSystem):
    """A store that refuses some new names although nothing is there: another one has just gone."""

    refusals = 0

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: object) -> None:
        if mode == "create" and self.refusals:
            self.refusals -= 1
            raise OSError(errno.EBUSY, "A conflicting operation is under way.")
        super().pipe_file(path, value, mode, **kwargs)


@pytest.mark.parametrize("refusals", [2, 3])
def test_a_new_name_of_a_store_that_another_has_just_removed_is_written_at_the_next_try(
    refusals: int, monkeypatch: pytest.MonkeyPatch
):
    target = UPath(f"memory://{uuid4()}/note.json")
    store = RefusingStore(skip_instance_cache=True)
    monkeypatch.setattr(type(target), "fs", store)
    store.refusals = refusals
    if refusals > 2:
        with pytest.raises(OSError, match="conflicting"):
            create_file(target, b"mine")
    assert create_file(target, b"mine")
    assert not create_file(target, b"another's")
    assert target.read_bytes() == b"mine"


def test_a_half_written_file_is_not_among_the_files(tmp_path: Path):
    (tmp_path / ".rows.parquet.x1.tmp").write_bytes(b"half")
    assert list(files_below(UPath(tmp_path), ".parquet")) == []


def test_a_full_disk_says_which_file_did_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(_path: Path, *_args: object) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        replace_file(UPath(tmp_path / "rows.parquet"), b"whole")
    assert caught.value.filename == str(tmp_path / "rows.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_with_all_that_is_in_it(folder: UPath):
    replace_file(folder / "gone" / "deep" / "rows.parquet", b"1")
    replace_file(folder / "stays" / "rows.parquet", b"2")
    remove_folder(folder / "gone")
    assert not (folder / "gone").exists()
    assert [file.name for file in files_below(folder, ".parquet")] == ["rows.parquet"]


def test_a_folder_in_which_another_thread_writes_meanwhile_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gone, notes = tmp_path / "gone", ["learned.json"]
    gone.mkdir()

    def rmdir(path: str, *_: object, **named: int) -> None:
        if notes:
            (gone / notes.pop()).write_bytes(b"{}")
        removed(path, **named)

    removed = os.rmdir
    monkeypatch.setattr(os, "rmdir", rmdir)
    remove_folder(place(str(gone)))
    assert notes == []
    assert not gone.exists()


def test_a_folder_that_is_not_there_is_gone_already(folder: UPath):
    remove_folder(folder / "never")


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("a[1]", "'['"),
        ("a]", "']'"),
        ("a%20b", "'%20'"),
        ("a\\b", "'\\\\'"),
        ("a?b", "'?'"),
        ("a\nb", "'\\n'"),
    ],
)
def test_a_home_that_no_table_can_be_stored_below_is_refused_with_the_sign(
    tmp_path: Path, name: str, sign: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        place(str(tmp_path / name / "costs"))
    assert f"a path with {sign} in it" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["100% sure", "ü # x", "a=b", "q*"])
def test_other_signs_in_a_home_are_accepted(tmp_path: Path, name: str) -> None:
    assert place(str(tmp_path / name)).name == name
