import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import FileRefused, PageRefused
from openai_costs.settings import Gateway
from openai_costs.sources.gateway.files.frames import listing, meter_rows
from openai_costs.sources.gateway.files.source import GatewayFiles
from openai_costs.sources.gateway.metering import day_rows, metered
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.storage.slices import Slice
from openai_costs_tests.sources.gateway.litellm.proxy import kept

DAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
HEADS = (
    "day,token_id,upstream_provider,model,input_tokens,input_cached_tokens,"
    "input_cache_write_tokens,output_tokens,metered_usd"
)
GOOD = f"{HEADS}\n2026-03-10,tok_1,openai,gpt-5,100,40,0,7,0.25\n"


def quiet(_line: str) -> None:
    """Take a line of progress and say nothing."""


def reader(folder: Path, **said: Any) -> GatewayFiles:  # noqa: ANN401
    return GatewayFiles(
        Gateway.model_validate(said), UPath(folder), lambda: NOW, Archive(UPath(folder))
    )


def reads(folder: Path, days: DayRange = DayRange(DAY, DAY), **said: Any) -> list[DayRead]:  # noqa: ANN401, B008
    return list(reader(folder, **said).meter(days, quiet))


def rows(read: DayRead) -> list[dict[str, Any]]:
    found: KeptRead = kept(read)
    rows = day_rows(Slice("gateway", read.day), meter_rows(found))
    return metered(rows).rows(named=True)


def test_a_csv_with_our_columns_needs_no_mapping(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.csv"]))
    assert (row["token_id"], row["model"], row["metered_usd"]) == (
        "tok_1",
        "gpt-5",
        Decimal("0.25"),
    )
    assert (row["input_uncached_tokens"], row["input_cached_tokens"]) == (60, 40)


def test_declared_columns_find_ours_in_the_file_of_any_gateway(tmp_path: Path):
    (tmp_path / "export.csv").write_text(
        "when;x,who,what,usd\n2026-03-10T23:30:00-02:00,t,openai/gpt-5,1\n"
    )
    columns = {"day": "when;x", "token_id": "who", "model": "what", "metered_usd": "usd"}
    days = DayRange(DAY, date(2026, 3, 11))
    (read,) = reads(tmp_path, days, spend_files=["export.csv"], spend_columns=columns)
    assert read.day == date(2026, 3, 11)
    (row,) = rows(read)
    assert (row["upstream_provider"], row["model"], row["input_tokens"]) == (
        "openai",
        "gpt-5",
        None,
    )


def test_parquet_and_json_lines_say_the_same_as_csv(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    cells = {"day": DAY, "token_id": "tok_1", "upstream_provider": "openai", "model": "gpt-5"}
    counts = {"input_tokens": 100, "input_cached_tokens": 40, "input_cache_write_tokens": 0}
    row = cells | counts | {"output_tokens": 7, "metered_usd": 0.25}
    pl.DataFrame([row]).write_parquet(tmp_path / "spend.parquet")
    (tmp_path / "spend.jsonl").write_text(json.dumps(row | {"day": str(DAY)}) + "\n\n")
    found = [
        [rows(read) for read in reads(tmp_path, spend_files=[f"spend.{kind}"])]
        for kind in ("csv", "parquet", "jsonl")
    ]
    assert found[0] == found[1] == found[2]


def callback(**more: Any) -> str:  # noqa: ANN401
    usage = {"prompt_tokens_details": {"cached_tokens": 1024}}
    payload = {
        "id": "chatcmpl-1",
        "startTime": 1773129600.25,
        "model": "openai/gpt-5",
        "custom_llm_provider": "openai",
        "prompt_tokens": 1200,
        "completion_tokens": 300,
        "response_cost": 0.00028319999999999994,
        "cache_hit": None,
        "messages": [{"role": "user", "content": "a secret question"}],
        "metadata": {"user_api_key_hash": "hash", "usage_object": usage},
    }
    return json.dumps(payload | more) + "\n"


def test_a_callbacks_lines_are_metered_without_keeping_a_prompt(tmp_path: Path):
    lines = callback() + callback(cache_hit=True) + callback(startTime="2026-03-10T09:00:00Z")
    (tmp_path / "spend.jsonl").write_text(lines)
    (read,) = reads(tmp_path, spend_files=["*.jsonl"], spend_layout="litellm_callback")
    assert b"secret" not in read.bodies["rows"]
    (row,) = rows(read)
    assert (row["token_id"], row["input_cached_tokens"], row["output_tokens"]) == (
        "hash",
        2048,
        600,
    )
    assert row["metered_usd"] == Decimal("0.0005664")


def test_a_callback_without_a_cost_is_unpriced(tmp_path: Path):
    (tmp_path / "spend.jsonl").write_text(callback(response_cost=None))
    (read,) = reads(tmp_path, spend_files=["spend.jsonl"], spend_layout="litellm_callback")
    (row,) = rows(read)
    assert (row["metered_usd"], row["is_unpriced"]) == (None, True)


def test_a_day_between_two_days_of_a_file_was_quiet_and_a_day_behind_is_not_there_yet(
    tmp_path: Path,
):
    text = GOOD + "2026-03-12,tok_1,openai,gpt-5,1,0,0,1,0.5\n"
    (tmp_path / "spend.csv").write_text(text)
    found = reads(
        tmp_path, DayRange(date(2026, 3, 9), date(2026, 3, 14)), spend_files=["spend.csv"]
    )
    assert {read.day.day: len(rows(read)) for read in found} == {10: 1, 11: 0, 12: 1}


def test_a_row_dated_after_today_does_not_make_the_days_before_it_quiet(tmp_path: Path):
    later = GOOD.splitlines()[1].replace("2026-03-10", "2027-03-10")
    earlier = later.replace("2027-03-10", "2026-03-07")
    (tmp_path / "spend.csv").write_text(f"{HEADS}\n{earlier}\n{later}\n")
    log: list[str] = []
    gateway = reader(tmp_path, spend_files=["spend.csv"])
    found = list(gateway.meter(DayRange(date(2026, 3, 6), NOW.date()), log.append))
    assert [read.day for read in found] == [date(2026, 3, 7)]
    dated = "1 of them ($0.25) dated after today, the first 2027-03-10: not counted"
    assert log == [f"gateway: 2 metered rows in 1 file, {dated}"]


def kept_before(folder: Path, last: date, *names: str, at: datetime = NOW) -> Archive:
    """An archive in which an earlier version kept days behind the last row, without a row."""
    archive = Archive(UPath(folder))
    asked = ("meter", [(name, "0" * 64) for name in names], list[str]())
    for day in DayRange(DAY, last):
        whose = ("gateway_files", "gateway", "meter", day, at)
        archive.keep(DayRead(*whose, {"rows": asked}, {"rows": b"[]"}))
    return archive


@pytest.mark.parametrize("is_corrected", [False, True])
def test_days_that_a_row_dated_ahead_made_quiet_are_withdrawn(tmp_path: Path, is_corrected: bool):  # noqa: FBT001 - a case
    later = GOOD.splitlines()[1].replace("2026-03-10", "2027-03-10")
    (tmp_path / "spend.csv").write_text(GOOD if is_corrected else f"{GOOD}{later}\n")
    kept_before(tmp_path, NOW.date(), "spend.csv")
    log: list[str] = []
    found = list(reader(tmp_path, spend_files=["spend.csv"]).meter(DayRange(DAY, DAY), log.append))
    assert [read.day.day for read in found if read.is_withdrawn] == [11, 12, 13, 14]
    assert [read.day for read in found if not read.is_withdrawn] == [DAY]
    assert log[0].startswith("gateway: withdrew 4 days, 2026-03-11 to 2026-03-14, kept before")


def test_quiet_days_of_a_file_that_is_gone_stay(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    kept_before(tmp_path, NOW.date(), "spend.csv", "newer.csv")
    days = DayRange(DAY, DAY)
    assert not any(read.is_withdrawn for read in reads(tmp_path, days, spend_files=["spend.csv"]))


def test_a_clock_that_is_behind_withdraws_no_quiet_day_and_no_day_to_come_that_a_row_is_behind(
    tmp_path: Path,
):
    later = GOOD.splitlines()[1].replace("2026-03-10", "2026-03-18")
    (tmp_path / "spend.csv").write_text(f"{GOOD}{later}\n")
    kept_before(tmp_path, date(2026, 3, 18), "spend.csv", at=NOW + timedelta(days=9))
    asked: dict[str, Any] = {"spend_files": ["spend.csv"]}
    assert not any(read.is_withdrawn for read in reads(tmp_path, DayRange(DAY, DAY), **asked))
    (tmp_path / "spend.csv").write_text(GOOD)
    found = reads(tmp_path, DayRange(DAY, DAY), **asked)
    assert [read.day.day for read in found if read.is_withdrawn] == [15, 16, 17, 18]


def test_a_kept_read_proves_which_file_it_is_of(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    (read,) = reads(tmp_path, spend_files=["spend.csv"])
    ((name, digest),) = read.requests["rows"][1]
    assert (name, len(digest)) == ("spend.csv", 64)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.csv",
            GOOD.replace("metered_usd", "usd"),
            ["a.csv, line 2", "'metered_usd'", "spend_columns"],
        ),
        ("a.csv", GOOD.replace("token_id", "who"), ["a.csv, line 2", "'token_id'", "who"]),
        ("a.csv", GOOD.replace("0.25", "NaN"), ["a.csv, line 2", "metered_usd", "plain number"]),
        ("a.csv", GOOD.replace("0.25", "$0.25"), ["a.csv, line 2", "without a sign"]),
        (
            "a.csv",
            GOOD.replace("2026-03-10", "March 10"),
            ["a.csv, line 2", "day is 'March 10'", "2026-03-10"],
        ),
        ("a.csv", GOOD.replace("2026-03-10", "1999-03-10"), ["a.csv, line 2", "before 2020"]),
        ("a.csv", GOOD.replace(",100,", ",1e2,"), ["a.csv, line 2", "input_tokens is '1e2'"]),
        ("a.csv", GOOD.replace(",100,", ",-1,"), ["a.csv, line 2", "not a count"]),
        (
            "a.csv",
            f"{HEADS}\n1,2,3,4,5,6,7,8,9,10\n",
            ["a.csv, line 2", "10 cells under 9 columns"],
        ),
        ("a.csv", GOOD + '"open', ["a.csv, line 3", "is not CSV"]),
        ("a.jsonl", "{}\n[1]\n", ["a.jsonl, line 1", "'day'"]),
        ("a.jsonl", '\n{"day"', ["a.jsonl, line 2", "not a JSON object"]),
        ("a.parquet", "not parquet", ["a.parquet", "not readable Parquet"]),
        ("a.xlsx", "PK", ["a.xlsx", ".xlsx", ".csv"]),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_line_and_remedy(
    tmp_path: Path, name: str, content: str, said: list[str]
):
    (tmp_path / name).write_text(content)
    with pytest.raises(FileRefused) as refused:
        reads(tmp_path, spend_files=[name])
    for part in (*said, "None of it was used"):
        assert part in str(refused.value)


def test_a_file_that_is_not_utf_8_names_the_line(tmp_path: Path):
    (tmp_path / "a.csv").write_bytes(GOOD.encode() + b"\xff,")
    with pytest.raises(FileRefused, match=r"a\.csv, line 3: is not UTF-8"):
        reads(tmp_path, spend_files=["a.csv"])


@pytest.mark.parametrize("name", ["nothing.csv", "*.csv"])
def test_a_file_that_is_not_there_is_reported(tmp_path: Path, name: str):
    with pytest.raises(FileRefused, match="does not exist"):
        reads(tmp_path, spend_files=[name])


def test_a_registry_file_names_the_openai_key_of_a_token(tmp_path: Path):
    text = "token,alias,oa_key,state,until\ntok_1,maps,key_maps,Blocked,2027-01-01T00:00:00Z\n"
    (tmp_path / "tokens.csv").write_text(text)
    columns = {
        "token_id": "token",
        "name": "alias",
        "openai_api_key_id": "oa_key",
        "status": "state",
        "expires_at": "until",
    }
    files = reader(tmp_path, token_files=["tokens.csv"], token_columns=columns)
    (read,) = files.registry(DAY, quiet)
    found = listing(kept(read))
    (row,) = found.rows
    assert (found.mapping, row.token_id, row.openai_api_key_id) == (
        "registry_file",
        "tok_1",
        "key_maps",
    )
    assert (row.status, row.expires_at) == ("blocked", datetime(2027, 1, 1))  # noqa: DTZ001 - UTC without a zone


def test_no_files_are_no_reads(tmp_path: Path):
    assert reads(tmp_path) == []
    assert list(reader(tmp_path).registry(DAY, quiet)) == []


def test_kept_rows_that_are_something_else_are_refused(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    (read,) = reads(tmp_path, spend_files=["spend.csv"])
    broken = KeptRead(UPath("x"), read.manifest(), {"rows": b"{}"})
    with pytest.raises(PageRefused, match="rows has an unexpected form"):
        list(meter_rows(broken))


def test_a_prompt_may_hold_what_unicode_calls_the_end_of_a_line(tmp_path: Path):
    line = {"day": "2026-03-10", "token_id": "t", "model": "gpt-5", "metered_usd": 1}
    text = json.dumps(line | {"prompt": "one\u2028two\x85three"}, ensure_ascii=False)
    (tmp_path / "spend.jsonl").write_text(f"{text}\r\n{text}\n", encoding="utf-8", newline="")
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.jsonl"]))
    assert row["metered_usd"] == Decimal(2)


def test_columns_of_a_parquet_that_no_setting_names_may_be_of_any_kind(tmp_path: Path):
    row = {"day": [DAY], "token_id": ["t"], "model": [" gpt-5 "], "metered_usd": [0.25]}
    more = {
        "tags": [["a", "b"]],
        "meta": [{"x": 1}],
        "digest": [b"\xff"],
        "upstream_provider": [""],
    }
    pl.DataFrame(row | more).write_parquet(tmp_path / "spend.parquet")
    ((found,),) = map(rows, reads(tmp_path, spend_files=["spend.parquet"]))
    assert (found["model"], found["upstream_provider"]) == ("gpt-5", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace(",100,", f",{10**23},"), "line 2: input_tokens is '1000"),
        (GOOD.replace("output_tokens", "metered_usd"), "line 1: has more than one column metered"),
    ],
)
def test_what_can_be_read_in_two_ways_or_is_no_count_is_refused(
    tmp_path: Path, text: str, said: str
):
    (tmp_path / "spend.csv").write_text(text)
    with pytest.raises(FileRefused, match=said):
        reads(tmp_path, spend_files=["spend.csv"])


def test_a_file_that_two_patterns_stand_for_is_metered_once(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    for name in ("quiet.csv", "silent.csv"):
        (tmp_path / name).write_text(f"{HEADS}\n")
    ((row,),) = map(rows, reads(tmp_path, spend_files=["spend.csv", "s*.csv", "*.csv"]))
    assert row["metered_usd"] == Decimal("0.25")


def test_a_copy_of_a_file_is_not_metered_again(tmp_path: Path):
    (tmp_path / "spend.csv").write_text(GOOD)
    (tmp_path / "spend (1).csv").write_text(GOOD)
    with pytest.raises(FileRefused, match=r"spend.csv: is a copy of spend \(1\).csv"):
        reads(tmp_path, spend_files=["*.csv"])
