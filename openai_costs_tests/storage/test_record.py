"""The record: entries are added under numbers of their own, and are readable without our code."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from upath import UPath

from openai_costs.storage.delta_faults import WriteConflict
from openai_costs.storage.record import Entry, Record

KEY = ("name",)


@pytest.fixture(params=["disk", "object store"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> UPath:
    return UPath(tmp_path) if request.param == "disk" else UPath(f"memory://{uuid4()}")


def rows(record: Record) -> list[object]:
    return list(record.folded("t", KEY).rows.values())


def test_a_later_row_takes_the_place_of_an_earlier_one_and_a_removed_one_is_gone(
    home: UPath,
) -> None:
    record = Record(home)
    record.append("t", 1, Entry([{"name": "a", "x": 1}, {"name": "b", "x": 1}]))
    record.append("t", 2, Entry([{"name": "a", "x": 2}], [{"name": "b"}]))
    assert rows(record) == rows(Record(home)) == [{"name": "a", "x": 2}]


def test_of_two_writers_who_know_the_same_state_one_is_refused(home: UPath) -> None:
    one, other = Record(home), Record(home)
    one.append("t", 1, Entry([{"name": "a"}]))
    with pytest.raises(WriteConflict, match="record/t was not replaced"):
        other.append("t", 1, Entry([{"name": "a"}]))
    assert rows(other) == [{"name": "a"}]


def test_an_entry_is_lines_of_json_behind_a_line_about_it(tmp_path: Path) -> None:
    Record(UPath(tmp_path)).append("t", 1, Entry([{"name": "a", "usd": "1.50"}]))
    head, row = (tmp_path / "record/t/00000001.json").read_text(encoding="utf-8").splitlines()
    assert json.loads(head)["entry"] == 1
    assert json.loads(row) == {"name": "a", "usd": "1.50"}


def test_no_half_written_file_is_left_by_a_writer_who_was_refused(tmp_path: Path) -> None:
    for record in (Record(UPath(tmp_path)), Record(UPath(tmp_path))):
        with_conflict = record.folded("t", KEY).number
        if with_conflict:
            with pytest.raises(WriteConflict):
                record.append("t", 1, Entry())
        else:
            record.append("t", 1, Entry())
    assert [file.name for file in (tmp_path / "record/t").iterdir()] == ["00000001.json"]


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda file: file.write_bytes(b""), "is damaged"),
        (lambda file: file.write_bytes(b"\0\1Bud1" * 9), "is damaged"),
        (lambda file: file.write_bytes(file.read_bytes()[:-3]), "its digest differs"),
        (lambda file: file.write_bytes(file.read_bytes().replace(b"a", b"b")), "is "),
        (lambda file: file.unlink(), "is missing"),
        (
            lambda file: file.write_bytes((file.parent / "00000002.json").read_bytes()),
            "is a copy of t, entry 2",
        ),
    ],
)
def test_a_damaged_entry_is_named_and_the_others_are_read(
    tmp_path: Path, harm: object, why: str
) -> None:
    record = Record(UPath(tmp_path))
    record.append("t", 1, Entry([{"name": "a"}]))
    record.append("t", 2, Entry([{"name": "c"}]))
    file = tmp_path / "record/t/00000001.json"
    harm(file)  # type: ignore[operator]
    folded = Record(UPath(tmp_path)).folded("t", KEY)
    assert list(folded.rows.values()) == [{"name": "c"}]
    [damage] = folded.damage
    assert (damage.number, str(damage.file)) == (1, str(file))
    assert why in damage.why
    again = Record(UPath(tmp_path))
    again.restore("t", damage, Entry([{"name": "a"}]))
    assert again.folded("t", KEY).damage == []
    assert rows(again) == [{"name": "a"}, {"name": "c"}]


def test_a_file_beside_the_entries_that_is_none_is_not_read(tmp_path: Path) -> None:
    record = Record(UPath(tmp_path))
    record.append("t", 1, Entry([{"name": "a"}]))
    (tmp_path / "record/t/00000001 (1).json").write_bytes(b"foreign")
    assert rows(record) == [{"name": "a"}]
