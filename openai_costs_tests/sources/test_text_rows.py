import gzip
import io
import json

import polars as pl
import pytest
import zstandard

from openai_costs.kernel.errors import FileRefused
from openai_costs.sources import file_text
from openai_costs.sources.text_rows import TextRow, text_rows


def rows(name: str, content: bytes | str, records: str = "") -> list[TextRow]:
    body = content.encode() if isinstance(content, str) else content
    return list(text_rows(name, body, records))


def test_a_record_with_a_quoted_line_break_stands_where_it_begins():
    text = 'model,prompt\na,"one\ntwo\nthree"\nb,four\n'
    assert [row.place for row in rows("a.csv", text)] == ["a.csv, line 2", "a.csv, line 5"]


def test_a_line_that_ends_before_the_last_named_column_is_cut():
    found = rows("a.csv", "day,usd,,\n2026-03-10\n2026-03-10,1\n2026-03-10,,,\n")
    assert [row.is_cut for row in found] == [True, False, False]
    assert found[0].cells["usd"] is None


def test_a_cell_may_hold_a_whole_prompt():
    (row,) = rows("a.csv", f"model,prompt\na,{'x' * 200_000}\n")
    assert len(row.cells["prompt"] or "") == 200_000


ONE = json.dumps({"model": "gpt-5", "usage": {"in": 3}})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", ONE),
        ("a.json", f"[{ONE}]"),
        ("a.json", f"{ONE}\n"),
        ("a.jsonl", ONE),
        ("a.log", f"{ONE}\n"),
        ("a.ndjson", f"\n{ONE}\n"),
    ],
)
def test_json_is_one_object_a_list_of_them_or_one_on_each_line(name: str, text: str):
    (row,) = rows(name, text)
    assert row.cells == {"model": "gpt-5", "usage.in": "3"}


def test_a_json_file_with_an_object_on_each_line_is_read_line_by_line():
    assert [row.place for row in rows("a.json", f"{ONE}\n{ONE}\n")] == [
        "a.json, line 1",
        "a.json, line 2",
    ]


def test_records_below_an_object_are_found_by_the_way_to_them():
    text = json.dumps({"data": {"items": [{"n": 1}, {"n": 2}]}, "meta": {"n": 9}})
    found = rows("a.json", text, records="data.items")
    assert [(row.place, row.cells["n"]) for row in found] == [
        ("a.json, record 1", "1"),
        ("a.json, record 2", "2"),
    ]


def test_attributes_of_open_telemetry_are_found_by_their_keys_without_their_types():
    span = {
        "name": "chat",
        "attributes": [
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
            {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
        ],
    }
    text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span, span]}]}]})
    first, _ = rows("a.jsonl", text, records="resourceSpans.scopeSpans.spans")
    assert first.cells == {
        "name": "chat",
        "attributes.gen_ai.usage.input_tokens": "12",
        "attributes.gen_ai.request.model": "gpt-5",
    }


def test_numbers_of_json_stay_as_they_are_written():
    (row,) = rows("a.jsonl", '{"usd": 0.00028319999999999994, "at": 1795311625.860909}')
    assert row.cells == {"usd": "0.00028319999999999994", "at": "1795311625.860909"}


def test_packed_files_are_read_like_plain_ones():
    plain = rows("a.jsonl", f"{ONE}\n")[0].cells
    two_members = gzip.compress(f"{ONE}\n".encode()) * 2
    assert [row.cells for row in rows("a.jsonl.gz", two_members)] == [plain, plain]
    two_frames = zstandard.ZstdCompressor().compress(f"{ONE}\n".encode()) * 2
    assert [row.cells for row in rows("a.jsonl.zst", two_frames)] == [plain, plain]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", b"a,b"),
        ("a.csv.gz", gzip.compress(b"a,b" * 99, mtime=0)[:-9]),
        ("a.csv.zst", b"a,b"),
    ],
)
def test_a_packed_file_that_is_broken_is_refused_by_name(name: str, content: bytes):
    with pytest.raises(FileRefused, match=f"{name}: is not whole"):
        rows(name, content)


def test_a_packed_file_with_more_than_memory_may_take_is_refused(monkeypatch: pytest.MonkeyPatch):
    zeros = b"0" * 100_000
    packed = {"a.csv.gz": gzip.compress(zeros), "a.csv.zst": zstandard.compress(zeros)}
    monkeypatch.setattr(file_text, "MOST_BYTES", 99_999)
    for name, content in packed.items():
        with pytest.raises(FileRefused, match=f"{name}: unpacks to more than 99,999 bytes. Split"):
            rows(name, content)

    def no_room(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(file_text, "_whole", no_room)
    for name, content in packed.items():
        with pytest.raises(FileRefused, match=f"{name}: unpacks to more than there is memory"):
            rows(name, content)


def test_the_fields_of_a_struct_in_parquet_are_reached_by_dots():
    packed = io.BytesIO()
    row = {"model": "gpt-5", "usage": {"in": 3, "details": {"cached": 1}}, "tags": ["x"]}
    pl.DataFrame([row]).write_parquet(packed)
    (found,) = rows("a.parquet", packed.getvalue())
    assert found.cells == {"model": "gpt-5", "usage.in": "3", "usage.details.cached": "1"}


def test_rows_that_cannot_be_read_are_set_aside_where_the_caller_takes_them():
    odd: list[FileRefused] = []
    text = f'{ONE}\n{{"cut\n"no object"\n{ONE}\n'
    found = list(text_rows("a.jsonl", text.encode(), set_aside=odd.append))
    assert [row.place for row in found] == ["a.jsonl, line 1", "a.jsonl, line 4"]
    assert [one.place for one in odd] == ["a.jsonl, line 2", "a.jsonl, line 3, record 1"]
    with pytest.raises(FileRefused, match="line 2: is not a JSON object"):
        rows("a.jsonl", text)
