import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import FileRefused
from openai_costs.settings import Gateway
from openai_costs_tests.sources.gateway.files.test_files import DAY, callback, reads, rows

USUAL = {
    "day": "2026-03-10T08:00:00Z",
    "token_id": "t",
    "model": "gpt-5",
    "input_tokens": 100,
    "input_cached_tokens": 40,
    "output_tokens": 7,
    "metered_usd": 0.25,
}


def metered(folder: Path, *records: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The rows of a day that records become."""
    text = "\n".join(json.dumps(USUAL | record) for record in records)
    (folder / "spend.jsonl").write_text(text)
    ((found),) = map(rows, reads(folder, spend_files=["spend.jsonl"], **settings))
    return found


def test_a_filter_keeps_the_rows_that_have_one_of_the_values(tmp_path: Path):
    kinds = ({"type": "GENERATION"}, {"type": "embedding"}, {"type": "SPAN"}, {})
    (row,) = metered(tmp_path, *kinds, spend_filter={"type": ["GENERATION", "EMBEDDING"]})
    assert row["metered_usd"] == Decimal("0.5")


def test_a_filter_leaves_out_the_rows_that_have_an_excluded_value(tmp_path: Path):
    states = ({"ok": True, "code": 200}, {"ok": True, "code": 500}, {"ok": False, "code": 200})
    (row,) = metered(tmp_path, *states, spend_filter={"ok": True, "code": "!500"})
    assert row["metered_usd"] == Decimal("0.25")


@pytest.mark.parametrize(
    ("unit", "written"), [("dollars", 0.25), ("cents", 25), ("micro_dollars", 250_000)]
)
def test_money_is_converted_once_from_the_unit_of_the_file(
    tmp_path: Path, unit: str, written: float
):
    (row,) = metered(tmp_path, {"metered_usd": written}, spend_money_unit=unit)
    assert row["metered_usd"] == Decimal("0.25")


MORNING = 1_773_129_600  # 2026-03-10T08:00:00Z
WRITTEN = [
    ("iso", "2026-03-10 08:00:00.123456"),
    ("iso", "2026-03-10T23:59:59.999999999Z"),
    ("iso", "20260310"),
    ("iso", "2026-03-10 08:00:00 UTC"),
    ("s", MORNING),
    ("s", 1_773_129_600.25),
    ("ms", MORNING * 10**3),
    ("us", MORNING * 10**6),
    ("ns", str(MORNING * 10**9 + 123_456_789)),
]


@pytest.mark.parametrize(("unit", "written"), WRITTEN)
@pytest.mark.parametrize("is_named", [True, False])
def test_a_day_is_read_from_the_unit_that_is_named_and_from_its_size(
    tmp_path: Path, unit: str, written: object, *, is_named: bool
):
    named = {"spend_time_unit": unit} if is_named else {}
    assert len(metered(tmp_path, {"day": written}, **named)) == 1


@pytest.mark.parametrize(("unit", "written"), [("s", MORNING * 10**3), ("iso", MORNING)])
def test_an_instant_of_another_unit_than_the_named_one_is_refused(
    tmp_path: Path, unit: str, written: int
):
    with pytest.raises(FileRefused, match="day is"):
        metered(tmp_path, {"day": written}, spend_time_unit=unit)


def test_a_request_that_is_in_two_files_counts_once(tmp_path: Path):
    first, both, last = ({**USUAL, "id": name} for name in "abc")
    for name, records in (("1.jsonl", (first, both)), ("2.jsonl", (both, last))):
        (tmp_path / name).write_text("\n".join(map(json.dumps, records)))
    columns = {"request_id": "id"}
    ((row,),) = map(rows, reads(tmp_path, spend_files=["*.jsonl"], spend_columns=columns))
    assert (row["metered_usd"], row["num_model_requests"]) == (Decimal("0.75"), 3)


def test_columns_under_our_own_names_need_no_setting(tmp_path: Path):
    once = {"request_id": "r-1", "token_name": "prod"}
    (row,) = metered(tmp_path, once, once, {"is_cache_hit": True, "request_id": "r-2"})
    assert (row["metered_usd"], row["token_name"]) == (Decimal("0.25"), "prod")


def test_a_request_that_was_exported_again_has_its_last_dollars(tmp_path: Path):
    columns = {"request_id": "id"}
    again = ({"id": "a", "metered_usd": 0}, {"id": "a", "metered_usd": 0.5}, {"id": "b"})
    (row,) = metered(tmp_path, *again, spend_columns=columns)
    assert (row["metered_usd"], row["num_model_requests"]) == (Decimal("0.75"), 2)


def test_a_copy_of_a_file_whose_requests_have_ids_changes_nothing(tmp_path: Path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(USUAL | {"id": "a"}))
    columns = {"request_id": "id"}
    ((row,),) = map(rows, reads(tmp_path, spend_files=["*.jsonl"], spend_columns=columns))
    assert row["metered_usd"] == Decimal("0.25")


def test_a_retry_under_the_id_of_the_first_try_counts_beside_it(tmp_path: Path):
    tries = callback(response_cost=0, prompt_tokens=0, completion_tokens=0) + callback() * 2
    (tmp_path / "spend.jsonl").write_text(tries)
    files = {"spend_files": ["spend.jsonl"], "spend_layout": "litellm_callback"}
    ((row,),) = map(rows, reads(tmp_path, **files))
    assert (row["num_model_requests"], row["output_tokens"]) == (2, 300)


@pytest.mark.parametrize("hit", [True, "true", "HIT", "SEMANTIC HIT", 1])
def test_an_answer_from_the_gateways_own_cache_is_no_upstream_request(tmp_path: Path, hit: object):
    both = ({"cache": hit, "metered_usd": 0}, {"cache": "MISS"})
    (row,) = metered(tmp_path, *both, spend_columns={"is_cache_hit": "cache"})
    assert (row["input_tokens"], row["unpriced_tokens"]) == (100, 0)


def test_cached_tokens_beside_the_input_are_put_into_it_once(tmp_path: Path):
    beside = {"input_tokens": 55, "input_cached_tokens": 40, "input_cache_write_tokens": 5}
    (row,) = metered(tmp_path, beside, spend_input_excludes_cached=True)
    assert (row["input_tokens"], row["input_uncached_tokens"], row["input_cached_tokens"]) == (
        100,
        55,
        40,
    )


def test_a_column_of_ours_may_be_the_sum_of_several(tmp_path: Path):
    columns = {"output_tokens": "out.text + out.reasoning", "metered_usd": "in_usd + out_usd"}
    split = {"out": {"text": 5, "reasoning": 2}, "in_usd": "0.1", "out_usd": 2e-7}
    one = {"out": {"text": 5}, "in_usd": None, "out_usd": "0.15"}
    (row,) = metered(tmp_path, split, one, spend_columns=columns)
    assert (row["output_tokens"], row["metered_usd"]) == (12, Decimal("0.2500002"))


@pytest.mark.parametrize("part", ["free", "1e999999", "NaN"])
def test_parts_that_are_no_numbers_are_refused_with_both(tmp_path: Path, part: str):
    columns = {"metered_usd": "in_usd + out_usd"}
    with pytest.raises(FileRefused, match=f"cannot be added up: '1', '{part}'"):
        metered(tmp_path, {"in_usd": 1, "out_usd": part}, spend_columns=columns)


def test_counts_that_the_file_leaves_out_where_they_are_zero_are_zero(tmp_path: Path):
    without = {"input_cached_tokens": None}
    (unknown,) = metered(tmp_path, {}, without)
    (known,) = metered(tmp_path, {}, without, spend_zero_when_absent=["input_cached_tokens"])
    assert (unknown["input_cached_tokens"], known["input_cached_tokens"]) == (None, 40)


def test_requests_of_a_file_whose_lines_have_no_id_are_not_known(tmp_path: Path):
    (row,) = metered(tmp_path, {}, {"day": "2026-03-10T09:00:00Z"})
    assert row["num_model_requests"] is None


def test_a_file_without_dollars_is_refused_unless_its_tokens_are_valued(tmp_path: Path):
    bare = {name: value for name, value in USUAL.items() if name != "metered_usd"}
    (tmp_path / "spend.jsonl").write_text(json.dumps(bare))
    with pytest.raises(FileRefused, match='spend_cost = "list_price"'):
        reads(tmp_path, spend_files=["spend.jsonl"])
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.jsonl"], spend_cost="list_price"))
    assert (row["metered_usd"], row["cost_basis"], row["unpriced_tokens"]) == (
        None,
        "estimated",
        107,
    )


def test_packed_files_in_folders_of_an_object_store_are_metered(tmp_path: Path):
    store = UPath(f"memory://{uuid4().hex}")
    for day in (10, 11):
        file = store / f"dt=2026-03-{day}" / "part-0.jsonl.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(USUAL | {"day": f"2026-03-{day}T08:00:00Z", "id": str(day)})
        file.write_bytes(gzip.compress(line.encode()))
    days = DayRange(DAY, date(2026, 3, 11))
    found = reads(tmp_path, days, spend_files=[f"{store}/dt=*/*.jsonl.gz"])
    assert [rows(read)[0]["metered_usd"] for read in found] == [Decimal("0.25")] * 2
    names = [name for name, _ in found[0].requests["rows"][1]]
    assert names == ["dt=2026-03-10/part-0.jsonl.gz", "dt=2026-03-11/part-0.jsonl.gz"]


@pytest.mark.parametrize(
    ("settings", "objection"),
    [
        (
            {"spend_columns": {"metred_usd": "cost"}},
            r"'metred_usd', which is not a column; did you mean 'metered_usd'\?.*token_id",
        ),
        ({"token_columns": {"day": "when"}}, "'day', which is not a column.*token_id"),
    ],
)
def test_a_column_that_is_none_of_ours_is_refused_with_those_there_are(
    settings: dict[str, Any], objection: str
):
    with pytest.raises(ValidationError, match=objection):
        Gateway.model_validate(settings)


@pytest.mark.parametrize(
    "settings", [{"spend_money_unit": "euro"}, {"spend_time_unit": "days"}, {"spend_cost": "free"}]
)
def test_a_unit_that_is_not_known_is_refused_by_the_settings(settings: dict[str, str]):
    with pytest.raises(ValidationError, match="Input should be"):
        Gateway.model_validate(settings)
