from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage.claims import claimed, sweep
from openai_costs.storage.files import files_below, is_local, place, replace_file


@pytest.fixture(params=["disk", "object store"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    is_disk = request.param == "disk"
    return place(str(tmp_path) if is_disk else f"memory://{uuid4()}") / "day" / "r000002"


def test_a_name_is_one_processs_at_a_time_and_leaves_nothing(name: UPath) -> None:
    with claimed(name) as is_ours, claimed(name) as is_theirs:
        assert (is_ours, is_theirs) == (True, False)
        with claimed(name.parent / "r000003") as is_other:
            assert is_other
    with claimed(name) as is_ours_again:
        assert is_ours_again
    assert list(files_below(name.parent)) == []


def test_a_name_is_free_again_where_its_block_failed(name: UPath) -> None:
    with pytest.raises(ZeroDivisionError), claimed(name):
        raise ZeroDivisionError
    with claimed(name) as is_ours:
        assert is_ours


def test_a_claim_of_a_killed_process_ends_with_it_on_a_disk_and_stays_on_a_store(
    name: UPath,
) -> None:
    replace_file(name.parent / ".r000002.tmp", b"")
    with claimed(name) as is_ours:
        assert is_ours == is_local(name)


def test_a_store_that_fails_when_a_claim_ends_takes_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = place(f"memory://{uuid4()}") / "day" / "r000002"

    def unreachable(_path: str) -> None:
        raise RuntimeError

    with claimed(name) as is_ours:
        monkeypatch.setattr(name.fs, "rm_file", unreachable)
    assert is_ours
    monkeypatch.undo()
    with claimed(name) as is_ours:
        assert not is_ours


def test_claims_of_killed_processes_are_swept_and_those_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".r000001.tmp").touch()
    with claimed(UPath(tmp_path / "r000002")):
        sweep(UPath(tmp_path))
        assert [file.name for file in tmp_path.iterdir()] == [".r000002.tmp"]


def test_what_killed_processes_left_half_written_is_swept_and_what_is_being_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "lake" / ".rows.parquet.x1.tmp"
    left.parent.mkdir()
    left.write_bytes(b"half")
    seen: list[set[str]] = []
    replace = Path.replace

    def sweep_before(half_written: Path, target: str) -> Path:
        sweep(UPath(tmp_path))
        seen.append({file.name for file in tmp_path.rglob("*.tmp")})
        return replace(half_written, target)

    monkeypatch.setattr(Path, "replace", sweep_before)
    replace_file(UPath(tmp_path / "rows.parquet"), b"whole")
    assert seen == [{name for name in seen[0] if name.startswith(".rows.parquet.")}]
    assert len(seen[0]) == 1
    assert "x1" not in str(seen)
    assert (tmp_path / "rows.parquet").read_bytes() == b"whole"
