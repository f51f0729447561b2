import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.gateway.files.odd_rows import summary
from openai_costs_tests.sources.gateway.files.test_files import (
    DAY,
    GOOD,
    HEADS,
    callback,
    quiet,
    reader,
    reads,
    rows,
)

BOTH = DayRange(DAY, date(2026, 3, 11))


def test_one_odd_row_is_set_aside_with_its_line_its_reason_and_its_dollars(tmp_path: Path):
    odd = "2026-03-10,tok_1,openai,gpt-5,1e2,0,0,7,0.75\n"
    (tmp_path / "spend.csv").write_text(GOOD + odd)
    (read,) = reads(tmp_path, spend_files=["spend.csv"])
    ((row,), (place, reason)) = (rows(read), *read.absent.items())
    assert row["metered_usd"] == Decimal("0.25")
    assert place == "spend.csv, line 3"
    assert reason == "input_tokens is '1e2', which is not a count ($0.75)"


@pytest.mark.parametrize(
    "at",
    [
        *("0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"),
        *("1e9999999999999999999", "1e999999", "9" * 5000),
    ],
)
def test_an_instant_that_leaves_the_calendar_is_an_odd_row(tmp_path: Path, at: str):
    (tmp_path / "spend.csv").write_text(f"{GOOD}{at},tok_1,openai,gpt-5,1,0,0,7,0.75\n")
    (read,) = reads(tmp_path, spend_files=["spend.csv"])
    (reason,) = read.absent.values()
    assert reason.startswith(f"day is '{at[:60]}', which is not a day")


def test_a_token_made_at_an_instant_that_leaves_the_calendar_is_an_odd_row(tmp_path: Path):
    heads = "token_id,created_at\n"
    odd = "b,0001-01-01T00:00:00+05:00\n"
    (tmp_path / "tokens.csv").write_text(f"{heads}a,2026-03-10\n{odd}")
    (read,) = reader(tmp_path, token_files=["tokens.csv"]).registry(DAY, quiet)
    assert list(read.absent) == ["tokens.csv, line 3"]


def test_a_prompt_in_the_place_of_a_number_is_shown_by_its_first_letters(tmp_path: Path):
    odd = f"2026-03-10,tok_1,openai,gpt-5,{'x' * 100_000},0,0,7,0.75\n"
    (tmp_path / "spend.csv").write_text(GOOD + odd)
    (read,) = reads(tmp_path, spend_files=["spend.csv"])
    (reason,) = read.absent.values()
    assert reason == f"input_tokens is '{'x' * 60}', which is not a count ($0.75)"


@pytest.mark.parametrize(
    "line", ["2026-03-10,tok_1,openai", "2026-03-10,tok_1,openai,gpt-5,1,0,0,7"]
)
@pytest.mark.parametrize("wanted", [{}, {"model": ["gpt-5"]}])
def test_a_line_that_is_cut_off_is_set_aside(
    tmp_path: Path, line: str, wanted: dict[str, list[str]]
):
    (tmp_path / "spend.csv").write_text(GOOD + line)
    (read,) = reads(tmp_path, spend_files=["spend.csv"], spend_filter=wanted)
    assert len(rows(read)) == 1
    assert read.absent == {"spend.csv, line 3": "ends before its last column (dollars not known)"}


@pytest.mark.parametrize("day", ["2026-03-09", "2026-03-11", "2026-03-12"])
def test_a_day_of_which_every_row_is_odd_is_not_kept_and_says_why(tmp_path: Path, day: str):
    later = GOOD.replace(HEADS, "").replace("2026-03-10", "2026-03-13")
    odd = f"{day},t,openai,gpt-5,x,0,0,7,0.75\n"
    days = DayRange(date(2026, 3, 9), date(2026, 3, 13))
    (tmp_path / "spend.csv").write_text(GOOD + odd + later.lstrip("\n"))
    found = {str(read.day): read for read in reads(tmp_path, days, spend_files=["spend.csv"])}
    assert found[day].bodies == {}
    assert list(found[day].absent.values()) == ["input_tokens is 'x', which is not a count ($0.75)"]
    assert all(read.bodies for other, read in found.items() if other != day)


def test_a_day_with_an_odd_row_is_partial_and_the_day_beside_it_is_whole(tmp_path: Path):
    later = GOOD.replace(HEADS, "").replace("2026-03-10", "2026-03-11")
    (tmp_path / "spend.csv").write_text(f"{GOOD}2026-03-10,t,openai,gpt-5,x,0,0,7,0.75{later}")
    first, second = reads(tmp_path, BOTH, spend_files=["spend.csv"])
    assert (list(first.absent), dict(second.absent)) == (["spend.csv, line 3"], {})


@pytest.mark.parametrize(
    "line", ['{"day": "2026-03', json.dumps({"day": "March", "metered_usd": 1}), "[]", "7"]
)
def test_a_line_whose_day_cannot_be_read_makes_each_day_of_its_file_partial(
    tmp_path: Path, line: str
):
    good = {"token_id": "t", "model": "gpt-5", "metered_usd": 1}
    lines = [json.dumps(good | {"day": str(day)}) for day in BOTH]
    (tmp_path / "cut.jsonl").write_text("\n".join([lines[0], line]))
    (tmp_path / "whole.jsonl").write_text(lines[1])
    first, second = reads(tmp_path, BOTH, spend_files=["*.jsonl"])
    is_no_row = line == "[]"  # an empty list has no record in it
    assert (len(first.absent), len(second.absent)) == (0 if is_no_row else 1, 0)


def test_a_file_of_which_nothing_can_be_used_does_not_take_the_others_with_it(tmp_path: Path):
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text(GOOD.replace("2026-03-10", "March 10"))
    (read,) = reads(tmp_path, spend_files=["*.csv"])
    assert rows(read)[0]["metered_usd"] == Decimal("0.25")
    assert list(read.absent) == ["b.csv, line 2"]


def test_a_day_of_which_every_row_is_odd_is_not_read_as_zero(tmp_path: Path):
    odd = "2026-03-11,tok_1,openai,gpt-5,x,0,0,7,0.75\n"
    later = "2026-03-12,tok_1,openai,gpt-5,1,0,0,7,0.75\n"
    (tmp_path / "spend.csv").write_text(GOOD + odd + later)
    days = DayRange(DAY, date(2026, 3, 12))
    found = reads(tmp_path, days, spend_files=["spend.csv"])
    assert [read.day.day for read in found if read.bodies] == [10, 12]


def test_a_file_without_one_row_that_can_be_used_is_refused_with_the_first_reason(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(f"{HEADS}\nMarch,t,,gpt-5,,,,,1\nApril,t,,gpt-5,,,,,1\n")
    with pytest.raises(FileRefused, match=r"spend\.csv, line 2: day is 'March'"):
        reads(tmp_path, spend_files=["spend.csv"])


def test_a_failed_request_without_a_model_never_spoils_the_file(tmp_path: Path):
    lines = (
        callback(id="a", response_cost=7.5)
        + callback(id="b", status="failure", model="", response_cost=0, prompt_tokens=0,
                   completion_tokens=0)
        + callback(id="c", model="", response_cost=0.5)
    )  # fmt: skip
    (tmp_path / "meter.jsonl").write_text(lines)
    (read,) = reads(tmp_path, spend_files=["meter.jsonl"], spend_layout="litellm_callback")
    found = {row["model"]: row["metered_usd"] for row in rows(read)}
    assert found == {"gpt-5": Decimal("7.5"), None: Decimal("0.5")}
    assert sum(found.values()) == 8
    assert dict(read.absent) == {}


def test_a_price_of_minus_one_leaves_the_line_without_a_price(tmp_path: Path):
    varies = callback(
        id="b", model="auto", response_cost=-1618.8, prompt_tokens=1600, completion_tokens=18
    )
    (tmp_path / "meter.jsonl").write_text(callback(id="a", response_cost=7.5) + varies)
    (read,) = reads(tmp_path, spend_files=["meter.jsonl"], spend_layout="litellm_callback")
    found = {
        row["model"]: (row["metered_usd"], row["is_unpriced"], row["unpriced_tokens"])
        for row in rows(read)
    }
    assert found == {"gpt-5": (Decimal("7.5"), False, 0), "auto": (None, True, 1618)}


def test_a_row_without_a_token_is_metered_for_none(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD.replace(",tok_1", ","))
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.csv"]))
    assert (row["token_id"], row["metered_usd"]) == (None, Decimal("0.25"))


def test_a_registry_sets_a_row_without_a_token_aside(tmp_path: Path):
    (tmp_path / "tokens.csv").write_text("token_id,openai_api_key_id\ntok_1,key_1\n,key_2\n")
    (read,) = reader(tmp_path, token_files=["tokens.csv"]).registry(DAY, quiet)
    assert list(read.absent) == ["tokens.csv, line 3"]


def test_a_check_names_three_rows_and_counts_the_others():
    odd = [(f"a.csv, line {n}", "day is 'x', which is not a day ($1.00)") for n in range(2, 7)]
    said = summary(odd)
    assert said.startswith("5 rows of the gateway's files set aside")
    assert "a.csv, line 4" in said
    assert "2 more rows" in said
    assert "a.csv, line 5" not in said


# --- mistyped names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"model": "modle"}, ["has no column 'modle'", "there are:", "upstream_provider"]),
        ({"input_cached_tokens": "cached"}, ["has no column 'cached', our input_cached_tokens"]),
    ],
)
def test_a_mistyped_column_of_a_table_is_refused_with_the_names_there_are(
    tmp_path: Path, columns: dict[str, str], expected: list[str]
):
    (tmp_path / "spend.csv").write_text(GOOD)
    with pytest.raises(FileRefused) as refused:
        reads(tmp_path, spend_files=["spend.csv"], spend_columns=columns)
    for part in expected:
        assert part in str(refused.value)


def lines(tmp_path: Path, *records: dict[str, Any]) -> None:
    text = "\n".join(json.dumps(record) for record in records)
    (tmp_path / "spend.jsonl").write_text(text)


USUAL = {"day": "2026-03-10", "token_id": "t", "model": "gpt-5", "metered_usd": 1}


def test_a_mistyped_field_of_json_is_refused_where_another_is_called_almost_the_same(
    tmp_path: Path,
):
    lines(tmp_path, USUAL | {"usage": {"cached_tokens": 3}})
    columns = {"input_cached_tokens": "usage.cachd_tokens"}
    with pytest.raises(FileRefused, match=r"no column 'usage\.cachd_tokens'.* usage.cached_tokens"):
        reads(tmp_path, spend_files=["spend.jsonl"], spend_columns=columns)


def test_an_optional_field_that_no_record_of_json_has_is_not_known(tmp_path: Path):
    lines(tmp_path, USUAL)
    columns = {"input_cached_tokens": "response.details.of_prompt"}
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.jsonl"], spend_columns=columns))
    assert row["input_cached_tokens"] is None


def test_a_filter_on_a_column_that_is_not_there_is_refused(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    with pytest.raises(FileRefused, match="spend_filter; there are"):
        reads(tmp_path, spend_files=["spend.csv"], spend_filter={"stauts": "ok"})
