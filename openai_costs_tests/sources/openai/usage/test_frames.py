import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.sources.openai.usage.frames import usage_batches
from openai_costs.sources.openai.usage.pages import MOST
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.sources.openai.usage.wire import (
    ENDPOINTS,
    HERE,
    day_of,
    day_read,
    one_batch,
    recorded_reads,
    result,
)
from openai_costs_tests.sources.openai.wire import ACME, DAY, READ_AT, after, bucket, table

KINDS = ["input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens"]


def usage(*reads: KeptRead) -> pl.DataFrame:
    return table(usage_batches(reads, ACME))


def recorded(case: str, name: str = "completions") -> pl.DataFrame:
    return usage(*recorded_reads(case, name))


def refusal(read: KeptRead, name: str = "completions") -> PageRefused:
    refused = one_batch(read).refused[HERE]
    assert isinstance(refused, PageRefused)
    assert refused.page == f"{read.page}!{name}.json"
    return refused


def test_tokens_are_counted_as_they_were_written():
    frame = recorded("grouped").filter(model="gpt-audio-2026-01-15")
    counts = frame.select("input_tokens", *KINDS, "output_tokens", "num_model_requests")
    assert counts.rows() == [(1000, 500, 400, 100, 70, 3)]
    kinds = ("text", "audio", "image")
    assert frame.select(f"input_{kind}_tokens" for kind in kinds).rows() == [(380, 90, 30)]
    assert frame.select(f"input_cached_{kind}_tokens" for kind in kinds).rows() == [(320, 60, 20)]
    assert frame.select(f"output_{kind}_tokens" for kind in kinds).rows() == [(45, 25, 0)]
    assert frame.schema["input_tokens"] == pl.Int64


def test_batch_tier_and_source_are_rows_of_their_own():
    frame = recorded("grouped").filter(model="gpt-5.4-2026-03-05").sort("input_tokens")
    assert frame.select("input_tokens", "batch", "service_tier", "api_source").rows() == [
        (70, False, "priority", "agents_api"),
        (2000, False, "default", "unlabeled"),
        (9600, True, "default", "unlabeled"),
    ]


def test_usage_without_a_user_is_kept_as_such():
    row = recorded("grouped").filter(day=after(1)).row(0, named=True)
    named = {row[name] for name in ("project_id", "user_id", "api_key_id", "model", "batch")}
    assert named == {None}
    assert row["input_tokens"] == 33


@pytest.mark.parametrize(
    ("name", "quantity", "unit", "requests"),
    [
        ("images", Decimal(5), "images", 3),
        ("audio_speeches", Decimal(18044), "characters", 31),
        ("audio_transcriptions", Decimal(1240), "seconds", 8),
        ("vector_stores", Decimal(5368709120), "bytes", None),
        ("code_interpreter_sessions", Decimal(17), "sessions", None),
        ("file_search_calls", Decimal(88), "calls", None),
        ("web_search_calls", Decimal(25), "calls", 19),
    ],
)
def test_what_is_not_tokens_is_a_quantity_with_its_unit(
    name: str, quantity: Decimal, unit: str, requests: int | None
):
    frame = recorded("grouped", name)
    assert sum(frame["quantity"]) == quantity
    assert set(frame["quantity_unit"]) == {unit}
    assert sum(filter(None, frame["num_model_requests"])) == (requests or 0)
    assert frame["input_tokens"].null_count() == frame.height


def test_a_part_of_a_second_is_not_rounded():
    assert recorded("parts_of_a_second", "audio_transcriptions")["quantity"].to_list() == [
        Decimal("61.25")
    ]


def test_vector_stores_may_hold_more_than_a_trillion_bytes():
    read = day_of(result("vector_stores", usage_bytes=5 * 10**12 + 1), name="vector_stores")
    assert usage(read)["quantity"].to_list() == [Decimal(5_000_000_000_001)]


def test_rows_from_before_the_newer_fields_have_null_there_and_never_0():
    frame = recorded("before_cache_writes").sort("input_tokens", descending=True)
    assert frame["input_tokens"].to_list() == [141_200, 900, 10]
    assert frame["input_cached_tokens"].to_list() == [76_500, 300, None]
    assert frame["output_audio_tokens"].to_list() == [0, 2300, None]
    for name in ("input_uncached_tokens", "input_cache_write_tokens", "output_text_tokens"):
        assert frame[name].to_list() == [None, None, None]


def test_an_empty_name_is_none():
    frame = recorded("before_cache_writes").filter(input_tokens=141_200)
    assert frame.select("project_id", "user_id", "api_key_id").rows() == [(None, None, None)]
    images = recorded("before_projects", "images")
    assert images.select("project_id", "image_size", "image_source", "model").rows() == [
        (None, None, None, "dall-e-3")
    ]


def test_batch_is_understood_in_every_form_it_was_met_in():
    batch = one_batch(*recorded_reads("batch_in_every_form"))
    assert dict(batch.frame.select("api_key_id", "batch").iter_rows()) == {
        "key_1": True,
        "key_2": True,
        "key_3": False,
        "key_4": False,
        "key_5": None,
        "key_6": None,
        "key_7": None,
    }
    assert "nightly" in batch.remarks[HERE]


@pytest.mark.parametrize(
    ("case", "field", "numbers"),
    [
        ("parts_that_do_not_add_up", "results[1].input_tokens", ("1000", "1001")),
        ("more_cached_than_input", "results[1].input_tokens", ("300", "301")),
    ],
)
def test_counts_that_contradict_each_other_are_refused_with_both_numbers(
    case: str, field: str, numbers: tuple[str, str]
):
    refused = refusal(recorded_reads(case)[0])
    assert refused.field == field
    assert all(number in str(refused) for number in numbers)


def test_a_contradiction_refuses_its_own_day_only():
    batch = one_batch(*recorded_reads("parts_that_do_not_add_up"))
    assert list(batch.refused) == [HERE]
    assert list(batch.read_at) == [Slice("acme", after(1))]
    assert batch.frame["day"].to_list() == [after(1)]


def test_a_contradiction_is_named_by_its_endpoint():
    contradiction = result("decisions", input_tokens=3, input_cached_tokens=4)
    read = day_read({"completions": bucket(DAY, result()), "decisions": bucket(DAY, contradiction)})
    assert refusal(read, "decisions").field == "results[0].input_tokens"


@pytest.mark.parametrize(
    ("case", "field"),
    [
        ("missing_measure", "results[1].output_tokens"),
        ("null_measure", "results[1].num_model_requests"),
        ("renamed_measure", "results[0].input_tokens"),
        ("renamed_dimension", "results[].api_key_id"),
    ],
)
def test_a_field_that_is_gone_refuses_the_page(case: str, field: str):
    assert refusal(recorded_reads(case)[0]).field == field


@pytest.mark.parametrize("count", [-1, 1.5, "12", True, [3], MOST + 1, 10**30])
def test_tokens_that_are_no_count_refuse_the_page(count: object):
    refused = refusal(day_of(result(), result(input_tokens=count)))
    assert refused.field == "results[1].input_tokens"


@pytest.mark.parametrize("count", [-1, "many", "NaN", "Infinity", None, True, 10**16, "1e-19"])
def test_a_quantity_that_is_no_count_refuses_the_page(count: object):
    read = day_of(result("images"), result("images", images=count), name="images")
    assert refusal(read, "images").field == "results[1].images"


@pytest.mark.parametrize("field", ["project_id", "model", "service_tier", "batch"])
def test_a_dimension_of_another_type_refuses_the_page(field: str):
    assert refusal(day_of(result(**{field: 7}))).field == f"results[0].{field}"


def test_an_unknown_field_is_remarked_and_the_row_counted():
    batch = one_batch(*recorded_reads("unknown_field"))
    assert "input_cache_write_90d_tokens" in batch.remarks[HERE]
    assert "completions" in batch.remarks[HERE]
    assert batch.refused == {}
    assert batch.frame["input_tokens"].to_list() == [1000, 1000]


def test_an_unknown_object_is_counted_only_if_it_has_what_we_count():
    batch = one_batch(*recorded_reads("unknown_object"))
    assert batch.refused == {}
    assert dict(batch.frame.select("api_key_id", "input_tokens").iter_rows()) == {
        "key_dock": 1000,
        "key_quay": 1000,
    }
    said = batch.remarks[HERE]
    assert "unknown objects, counted: organization.usage.corrections.result" in said
    assert "not counted: organization.usage.credits.result (1)" in said


def test_an_absent_endpoint_gives_no_rows_and_is_named_with_the_providers_message():
    read = day_read({"completions": bucket(DAY, result())}, absent={"decisions": "Not for you."})
    batch = one_batch(read)
    assert set(batch.frame["endpoint"]) == {"completions"}
    assert batch.remarks[HERE] == "decisions is missing; the provider's message: 'Not for you.'"


def test_a_part_that_this_version_does_not_know_is_left_in_the_archive():
    known = day_read({"completions": bucket(DAY, result())})
    newer = KeptRead(known.path, known.manifest, {**known.bodies, "videos": b"{}"})
    assert_frame_equal(usage(newer), usage(known))


def test_a_day_without_usage_is_a_day_of_nothing():
    batch = one_batch(*recorded_reads("empty_day"))
    assert set(batch.read_at) == {Slice("acme", after(age)) for age in range(3)}
    assert batch.frame["day"].to_list() == [DAY, after(2)]


def test_a_key_that_comes_twice_is_one_row_and_unknown_stays_unknown():
    frame = recorded("same_key_twice").sort("user_id", nulls_last=True)
    counts = frame.select("user_id", "input_tokens", "input_cached_tokens", "num_model_requests")
    assert counts.rows() == [("user-ana", 2000, 800, 6), (None, 2000, 400, 6)]
    assert Usage.broken_rules(frame) == []


def test_a_sum_of_nothing_known_is_unknown():
    frame = usage(day_of(result(), result()))
    assert frame.select("input_tokens", "input_cached_tokens").rows() == [(2, None)]


def test_all_endpoints_of_a_day_are_one_table():
    parts = {one.dataset: bucket(DAY, result(one.dataset)) for one in USAGE_ENDPOINTS}
    frame = usage(day_read(parts))
    assert frame["endpoint"].to_list() == sorted(parts)
    assert frame.schema == pl.Schema(Usage.types())


def test_a_damaged_read_refuses_only_itself():
    damaged = DamagedRead("acme", DAY, PageRefused("a.tar.zst", "the file", "is damaged"))
    good = day_read({"completions": bucket(after(1), result())}, day=after(1))
    (batch,) = usage_batches([damaged, good], ACME)
    assert list(batch.refused) == [HERE]
    assert batch.frame["day"].to_list() == [after(1)]


def test_a_page_that_is_no_json_refuses_only_itself():
    good = day_read({"completions": bucket(after(1), result())}, day=after(1))
    (batch,) = usage_batches([day_read({"images": b"<html>"}), good], ACME)
    assert list(batch.refused) == [HERE]
    assert batch.frame["day"].to_list() == [after(1)]


def test_no_reads_are_an_empty_table():
    assert usage().schema == pl.Schema(Usage.types())


names = st.sampled_from([None, "", "proj_ferry", "proj_tide"])
models = st.sampled_from([None, "", "gpt-5.4-2026-03-05", "whisper-1"])
small = st.integers(0, 10**9)


@st.composite
def token_counts(draw: st.DrawFn) -> dict[str, int]:
    """Counts of an old row, of a new one, or of one that says only some of it."""
    uncached, cached, written = draw(small), draw(small), draw(small)
    parts = dict(zip(KINDS, (uncached, cached, written), strict=True))
    said = draw(st.sets(st.sampled_from(KINDS)))
    counts = {name: count for name, count in parts.items() if name in said}
    total = {"input_tokens": sum(parts.values()), "output_tokens": draw(small)}
    return counts | total | {"num_model_requests": draw(small)}


@st.composite
def results_of(draw: st.DrawFn) -> tuple[str, str]:
    """An endpoint, and one of its results."""
    name = draw(st.sampled_from(sorted(ENDPOINTS)))
    endpoint = ENDPOINTS[name]
    counts: dict[str, Any] = {one: draw(small) for one in endpoint.measures.required}
    if "output_tokens" in counts:
        counts |= draw(token_counts())
    if endpoint.measures.quantity:
        counts[endpoint.measures.quantity[0]] = draw(small)
    dims = {wire: draw(names) for wire in endpoint.dimensions if wire not in ("model", "batch")}
    dims |= {"model": draw(models)} if "model" in endpoint.dimensions else {}
    dims |= {"batch": draw(st.sampled_from([None, True, "false"]))} if "batch" in dims else {}
    return name, result(name, **counts, **dims)


days = st.lists(st.lists(results_of(), max_size=6), min_size=1, max_size=5)


def reads_of(said: Sequence[Sequence[tuple[str, str]]], first: date = DAY) -> list[KeptRead]:
    """Days as kept reads, every endpoint in each."""
    return [
        day_read(
            {
                name: bucket(day, *(text for which, text in results if which == name))
                for name in ENDPOINTS
            },
            day=day,
        )
        for day, results in zip(DayRange(first, after(len(said))), said, strict=False)
    ]


@given(days, st.data())
@settings(max_examples=40, deadline=None)
def test_any_split_into_batches_gives_the_same_table(
    said: list[list[tuple[str, str]]], data: st.DataObject
):
    reads = reads_of(said)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(reads)))) | {0, len(reads)})
    split = [usage(*reads[first:end]) for first, end in pairwise(cuts)]
    whole = usage(*reads)
    assert_frame_equal(pl.concat(split).sort(Usage.Config.unique), whole)
    assert Usage.broken_rules(whole) == []


@given(days)
@settings(max_examples=40, deadline=None)
def test_nothing_is_lost_and_nothing_counted_twice(said: list[list[tuple[str, str]]]):
    frame = usage(*reads_of(said))
    everything = [json.loads(text) for results in said for _, text in results]
    for name in ("input_tokens", "output_tokens", "num_model_requests", *KINDS):
        assert frame[name].sum() == sum(one.get(name) or 0 for one in everything)
        assert frame[name].is_null().all() == (not any(name in one for one in everything))


@given(st.lists(results_of(), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_results_in_any_order_give_the_same_table(
    said: list[tuple[str, str]], chance: st.DataObject
):
    shuffled = list(said)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_frame_equal(usage(*reads_of([shuffled])), usage(*reads_of([said])))


@given(days)
@settings(max_examples=20, deadline=None)
def test_reading_twice_is_reading_once(said: list[list[tuple[str, str]]]):
    once, again = (one_batch(*reads_of(said)) for _ in range(2))
    assert_frame_equal(again.frame, once.frame)
    assert again.read_at == once.read_at == dict.fromkeys(once.read_at, READ_AT)
