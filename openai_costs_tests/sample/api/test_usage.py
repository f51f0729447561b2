from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from openai_costs.sample.api.options import WireOptions
from openai_costs.sample.api.usage_endpoints import USAGE_ENDPOINTS
from openai_costs.sample.company.activity import DAY_SECONDS
from openai_costs.sample.company.events import EventKind
from openai_costs.sample.company.gateway import TUNED
from openai_costs.sample.company.meters import METERS
from openai_costs.sample.company.prices import FREE, PRICE_LIST
from openai_costs_tests.sample.asking import (
    NOW,
    ORGANISATION,
    TODAY,
    ago,
    ask_usage,
    client,
    exact,
    results,
    unix,
    window,
)

Row = dict[str, Any]
MODALITIES = ("text", "audio", "image")
GENERATIONS = ("completions", "decisions")
# How the bill's labels end, and the field that counts the same tokens.
SIDES = {
    "input": "input_uncached_tokens",
    "input_tokens": "input_uncached_tokens",
    "cached input": "input_cached_tokens",
    "cache writes": "input_cache_write_tokens",
    "output": "output_tokens",
    "output_tokens": "output_tokens",
}
ALL_NEW = WireOptions(plain_usage_before=ago(200))
ALL_OLD = WireOptions(plain_usage_before=TODAY)


def every_bucket(endpoint: str, *, options: WireOptions = ALL_NEW) -> list[Row]:
    """The 120 days before today in the finest grouping."""
    finest = list(USAGE_ENDPOINTS[endpoint].dimensions)
    buckets = []
    for age in range(120, 0, -30):
        question = window(age, age - 30, limit=31) | {"group_by[]": finest}
        buckets += exact(ask_usage(endpoint, question, options=options))["data"]
    assert len(buckets) == 120
    return buckets


def rows_of(endpoint: str) -> list[Row]:
    return [row for bucket in every_bucket(endpoint) for row in bucket["results"]]


def billed_tokens(day_age: int) -> Counter[tuple[str | None, ...]]:
    """Tokens on the bill by project, user, key, model and field; users as usage knows them."""
    billed: Counter[tuple[str | None, ...]] = Counter()
    for line in ORGANISATION.ledger(ago(day_age), NOW):
        # A refund takes back dollars, and no use.
        if line.quantity_unit == "tokens" and (line.quantity or 0) > 0:
            head, _, side = (
                line.line_item.split(" | ")[-1].removesuffix(", long context").rpartition(", ")
            )
            key = ORGANISATION.fixtures.key_by_id.get(line.api_key_id or "")
            where = (
                line.project_id or None,
                key.metered_user_id if key else None,
                line.api_key_id or None,
                TUNED.get(head, head.split(" ", maxsplit=1)[0]),
                SIDES[side],
            )
            billed[where] += line.quantity
    return billed


def test_usage_counts_the_tokens_of_the_bill_on_every_day() -> None:
    days = zip(every_bucket("completions"), every_bucket("decisions"), strict=True)
    for age, buckets in zip(range(120, 0, -1), days, strict=True):
        used: Counter[tuple[str | None, ...]] = Counter()
        for row in buckets[0]["results"] + buckets[1]["results"]:
            where = tuple(row[name] for name in ("project_id", "user_id", "api_key_id", "model"))
            for field in set(SIDES.values()):
                used[(*where, field)] += row[field]
        assert +used == billed_tokens(age)


def test_what_is_not_tokens_is_counted_as_the_bill_counts_it() -> None:
    lines = ORGANISATION.ledger(ago(4), NOW)
    billed: Counter[str] = Counter()
    for line in lines:
        billed[line.line_item] += line.quantity or 0
    expected = [
        ("audio_transcriptions", "seconds", billed["whisper-1"]),
        ("audio_speeches", "characters", billed["tts-1-hd"]),
        ("web_search_calls", "num_requests", billed["web search tool calls"]),
        ("code_interpreter_sessions", "num_sessions", billed["code interpreter sessions"]),
        ("embeddings", "input_tokens", billed["text-embedding-3-large, input"] * 1_000),
    ]
    for endpoint, measure, units in expected:
        assert [row[measure] for row in results(ask_usage(endpoint, window(4, 3)))] == [units]
        assert units
    pictures = results(ask_usage("images", window(4, 3, group_by="model")))
    by_model = {row["model"]: row["images"] for row in pictures}
    assert by_model["gpt-image-2.5-sunburst"] == billed["gpt-image-2.5-sunburst"]


def test_stored_bytes_are_the_gibibyte_hours_of_a_day_spread_over_it() -> None:
    rows = results(ask_usage("vector_stores", window(4, 3, group_by="project_id")))
    found = {row["project_id"]: row["usage_bytes"] for row in rows}
    for line in ORGANISATION.ledger(ago(4), NOW):
        if line.line_item == "Vector storage" and line.quantity and line.project_id:
            assert found[line.project_id] == -(-line.quantity * 2**30 // 24)


def test_what_is_free_is_counted_and_never_billed() -> None:
    assert results(ask_usage("moderations"))[0]["input_tokens"] > 0
    for age in range(1, 31):
        assert not FREE & {line.line_item for line in ORGANISATION.ledger(ago(age), NOW)}


def test_every_line_of_the_bill_has_a_meter_except_a_commitment_and_a_credit() -> None:
    assert {*PRICE_LIST, *FREE} - set(METERS) == {"Scale tier bundle", "Service credit"}


@pytest.mark.parametrize("endpoint", GENERATIONS)
def test_totals_are_the_sums_of_their_kinds_on_every_day(endpoint: str) -> None:
    rows = rows_of(endpoint)
    assert rows
    for row in rows:
        assert row["input_tokens"] == (
            row["input_uncached_tokens"]
            + row["input_cached_tokens"]
            + row["input_cache_write_tokens"]
        )
        for whole, side in (
            ("input_uncached_tokens", "input"),
            ("input_cached_tokens", "input_cached"),
            ("output_tokens", "output"),
        ):
            assert row[whole] == sum(row[f"{side}_{kind}_tokens"] for kind in MODALITIES)
        assert row["input_cache_write_tokens"] == (
            row["input_cache_write_30m_tokens"] + row["input_cache_write_12h_tokens"]
        )
        assert row["num_model_requests"] > 0


def test_cache_writes_audio_and_pictures_all_occur() -> None:
    rows = results(ask_usage("completions"))[0]
    for field in (
        "input_cache_write_30m_tokens",
        "input_audio_tokens",
        "output_audio_tokens",
        "output_image_tokens",
        "input_cached_text_tokens",
    ):
        assert rows[field] > 0


@pytest.mark.parametrize("endpoint", USAGE_ENDPOINTS)
def test_no_finest_row_comes_twice_and_none_is_negative_or_all_zero(endpoint: str) -> None:
    spec = USAGE_ENDPOINTS[endpoint]
    for bucket in every_bucket(endpoint):
        keys = [tuple(row[name] for name in spec.dimensions) for row in bucket["results"]]
        assert len(set(keys)) == len(keys)
        for row in bucket["results"]:
            numbers = [row[measure] for measure in spec.measures]
            assert min(numbers) >= 0
            assert max(numbers) > 0


@pytest.mark.parametrize("endpoint", USAGE_ENDPOINTS)
def test_every_grouping_adds_up_to_the_whole(endpoint: str) -> None:
    spec = USAGE_ENDPOINTS[endpoint]
    whole = results(ask_usage(endpoint, window(4, 3)))
    assert len(whole) == 1
    for name in spec.dimensions:
        rows = results(ask_usage(endpoint, window(4, 3, group_by=name)))
        for measure in spec.measures:
            assert sum(row[measure] for row in rows) == whole[0][measure]
        others = set(spec.dimensions) - {name}
        assert {row[other] for row in rows for other in others} <= {None}


@pytest.mark.parametrize("width", ["1h", "1m"])
def test_shorter_buckets_add_up_to_the_day(width: str) -> None:
    day = results(ask_usage("completions", window(4, 3)))[0]
    limit = {"1h": 168, "1m": 1_440}[width]
    parts = results(ask_usage("completions", window(4, 3, bucket_width=width, limit=limit)))
    assert len(parts) == {"1h": 24, "1m": 1_440}[width]
    for measure in ("input_tokens", "output_tokens", "input_cached_tokens", "num_model_requests"):
        assert sum(part[measure] for part in parts) == day[measure]


def test_a_partial_first_bucket_holds_the_rest_of_its_day() -> None:
    noon = unix(ago(4)) + DAY_SECONDS // 2
    day = results(ask_usage("completions", window(4, 3)))[0]
    rest = results(ask_usage("completions", {"start_time": noon, "end_time": unix(ago(3))}))[0]
    hours = window(4, 3, bucket_width="1h", limit=24)
    morning = results(ask_usage("completions", hours | {"end_time": noon}))
    assert 0 < rest["input_tokens"] < day["input_tokens"]
    before = sum(hour["input_tokens"] for hour in morning)
    assert rest["input_tokens"] + before == day["input_tokens"]


def test_today_is_used_up_to_the_second_of_looking_as_it_is_billed() -> None:
    rows = results(ask_usage("completions", window(0, -1), options=ALL_NEW))
    rows += results(ask_usage("decisions", window(0, -1), options=ALL_NEW))
    used = {field: sum(row[field] for row in rows) for field in set(SIDES.values())}
    billed: Counter[str] = Counter()
    for where, tokens in billed_tokens(0).items():
        billed[str(where[-1])] += tokens
    assert used == billed
    midnight = NOW.replace(hour=0)
    assert results(ask_usage("completions", window(0, -1), now=midnight)) == []


def test_the_empty_sunday_is_a_bucket_with_no_results() -> None:
    age = (TODAY - ORGANISATION.event(EventKind.NO_ROWS).days[0]).days
    found = exact(ask_usage("completions", window(age, age - 1)))["data"]
    assert [bucket["results"] for bucket in found] == [[]]


def test_old_rows_lack_the_kinds_of_tokens_and_name_no_tier() -> None:
    question = window(4, 3, group_by="model,service_tier")
    for row in results(ask_usage("completions", question, options=ALL_OLD)):
        assert {name for name in row if name.endswith("_tokens")} == {
            "input_tokens",
            "output_tokens",
            "input_cached_tokens",
            "input_audio_tokens",
            "output_audio_tokens",
        }
        assert row["service_tier"] is None


def test_old_rows_have_an_empty_text_for_no_project() -> None:
    question = window(4, 3, group_by="project_id")
    old = results(ask_usage("file_search_calls", question, options=ALL_OLD))
    new = results(ask_usage("file_search_calls", question, options=ALL_NEW))
    assert [row["project_id"] for row in old] == [""]
    assert [row["project_id"] for row in new] == [None]


def test_old_rows_count_the_same() -> None:
    old, new = (
        results(ask_usage("completions", window(4, 3), options=options))[0]
        for options in (ALL_OLD, ALL_NEW)
    )
    assert old.items() <= new.items()


def test_rows_are_old_before_the_day_that_live_usage_changed() -> None:
    change = (TODAY - WireOptions().plain_usage_before).days
    before, after = exact(ask_usage("completions", window(change + 1, change - 1)))["data"]
    assert "input_uncached_tokens" not in before["results"][0]
    assert "input_uncached_tokens" in after["results"][0]


def test_batch_and_tier_are_unknown_for_what_the_vendor_starts_itself() -> None:
    question = window(4, 3, group_by="model,batch,service_tier")
    rows = results(ask_usage("completions", question))
    told = {(row["batch"], row["service_tier"]) for row in rows}
    assert told == {(False, "default"), (False, "priority"), (True, "default"), (None, None)}


def test_120_days_of_every_endpoint_are_served_in_less_than_two_seconds() -> None:
    started = time.process_time()
    with client() as asker:
        for endpoint in USAGE_ENDPOINTS.values():
            for age in range(120, 0, -30):
                question = window(age, age - 30, limit=31)
                finest = {"group_by[]": list(endpoint.dimensions)}
                assert asker.get(endpoint.path, params=question | finest).is_success
    assert time.process_time() - started < 2
