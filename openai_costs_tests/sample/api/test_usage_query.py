from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.sample.api.options import WireOptions
from openai_costs.sample.api.usage_endpoints import DIMENSIONS, USAGE_ENDPOINTS
from openai_costs_tests.sample.asking import (
    NOW,
    TODAY,
    Params,
    ago,
    ask_usage,
    client,
    error,
    exact,
    results,
    unix,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3_600
ENDPOINTS = tuple(USAGE_ENDPOINTS.values())
OBJECTS = {
    "completions": "organization.usage.completions.result",
    "decisions": "organization.usage.decisions.result",
    "embeddings": "organization.usage.embeddings.result",
    "moderations": "organization.usage.moderations.result",
    "images": "organization.usage.images.result",
    "audio_speeches": "organization.usage.audio_speeches.result",
    "audio_transcriptions": "organization.usage.audio_transcriptions.result",
    "vector_stores": "organization.usage.vector_stores.result",
    "code_interpreter_sessions": "organization.usage.code_interpreter_sessions.result",
    "file_search_calls": "organization.usage.file_searches.result",
    "web_search_calls": "organization.usage.web_searches.result",
}


def starts(params: Params) -> list[int]:
    return [bucket["start_time"] for bucket in exact(ask_usage("completions", params))["data"]]


def pages(endpoint: str, params: Params) -> Iterator[dict[str, Any]]:
    """Every page of one question, by its own cursors."""
    path = USAGE_ENDPOINTS[endpoint].path
    with client() as asker:
        page = exact(asker.get(path, params=params))
        yield page
        while page["has_more"]:
            page = exact(asker.get(path, params=params | {"page": page["next_page"]}))
            yield page
        assert page["next_page"] is None


@pytest.mark.parametrize("name", OBJECTS)
def test_each_endpoint_has_results_of_its_own_object_name(name: str) -> None:
    # Finance close, which alone starts sessions, rests on the Sunday before.
    rows = results(ask_usage(name, window(4)))
    assert {row["object"] for row in rows} == {OBJECTS[name]}


def test_there_are_eleven_endpoints() -> None:
    assert list(USAGE_ENDPOINTS) == list(OBJECTS)


def test_start_time_is_required() -> None:
    refused = ask_usage("completions", {"end_time": unix(TODAY)})
    assert refused.status_code == 400
    assert error(refused)["param"] == "start_time"


@pytest.mark.parametrize("end", [unix(ago(2)), unix(ago(3))])
def test_the_end_must_be_later_than_the_start(end: int) -> None:
    refused = ask_usage("completions", {"start_time": unix(ago(2)), "end_time": end})
    assert error(refused)["param"] == "end_time"


def test_a_window_inside_one_day_is_answered_unlike_that_of_costs() -> None:
    params = {"start_time": unix(ago(2)), "end_time": unix(ago(2)) + HOUR}
    assert starts(params) == [unix(ago(2))]


def test_a_start_inside_a_day_cuts_the_first_bucket_short_at_its_minute() -> None:
    params = {"start_time": unix(ago(2)) + 2 * HOUR + 61, "end_time": unix(TODAY)}
    first, second = exact(ask_usage("completions", params))["data"]
    assert first["start_time"] == unix(ago(2)) + 2 * HOUR + 60
    assert first["end_time"] == second["start_time"] == unix(ago(1))


def test_the_end_defaults_to_now_so_that_today_is_included() -> None:
    assert starts({"start_time": unix(ago(1))}) == [unix(ago(1)), unix(TODAY)]


def test_there_are_no_buckets_after_today() -> None:
    assert starts(window(1, -9))[-1] == unix(TODAY)


@pytest.mark.parametrize(
    ("width", "default", "largest"), [("1d", 7, 31), ("1h", 24, 168), ("1m", 60, 1_440)]
)
def test_every_width_has_its_own_limits(width: str, default: int, largest: int) -> None:
    days = window(60, bucket_width=width)
    assert len(starts(days)) == default
    assert len(starts(days | {"limit": largest})) == largest
    assert error(ask_usage("completions", days | {"limit": largest + 1}))["param"] == "limit"


def test_an_unknown_width_is_refused() -> None:
    assert error(ask_usage("completions", window(2, bucket_width="1w")))["param"] == "bucket_width"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_an_endpoint_groups_by_its_own_dimensions_and_refuses_all_others(endpoint: Any) -> None:  # noqa: ANN401 - a parameter
    for name in DIMENSIONS:
        answer = ask_usage(endpoint.name, window(2, group_by=name))
        if name in endpoint.dimensions:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 400
            assert error(answer)["param"] == "group_by"


def test_filters_of_other_endpoints_are_unknown_parameters() -> None:
    assert error(ask_usage("vector_stores", window(2, models="x")))["code"] == "unknown_parameter"
    assert error(ask_usage("embeddings", window(2, batch="true")))["code"] == "unknown_parameter"


def test_filters_narrow_to_exact_values() -> None:
    by_key = window(3, api_key_ids="key_route_prod", group_by="api_key_id,model")
    rows = results(ask_usage("completions", by_key | {"models[]": ["gpt-5.4-2026-03-05"]}))
    assert {(row["api_key_id"], row["model"]) for row in rows} == {
        ("key_route_prod", "gpt-5.4-2026-03-05")
    }
    assert results(ask_usage("images", window(3, sizes="256x256"))) == []
    assert results(ask_usage("images", window(3, sources="image.edit")))


@pytest.mark.parametrize("batch", ["true", "false"])
def test_batches_are_distinct(batch: str) -> None:
    rows = results(ask_usage("completions", window(4, batch=batch, group_by="batch")))
    assert {row["batch"] for row in rows} == {batch == "true"}


def test_batch_is_a_yes_or_no() -> None:
    assert error(ask_usage("completions", window(2, batch="maybe")))["param"] == "batch"


def test_the_newest_dimension_can_be_one_that_an_organization_does_not_have() -> None:
    options = WireOptions(accepts_api_source_grouping=False)
    question = window(2, group_by="model,api_source")
    assert ask_usage("completions", question, options=options).status_code == 400
    assert ask_usage("completions", window(2, group_by="model"), options=options).is_success


def test_an_organization_may_lack_an_endpoint() -> None:
    options = WireOptions(without_usage=frozenset({"decisions"}))
    assert ask_usage("decisions", options=options).status_code == 404
    assert ask_usage("completions", options=options).status_code == 200


def test_days_before_the_floor_are_refused() -> None:
    options = WireOptions(lookback_floor=ago(10))
    assert ask_usage("completions", window(10), options=options).is_success
    assert ask_usage("completions", window(11), options=options).status_code == 400


def test_users_by_project_are_never_refused_in_usage() -> None:
    options = WireOptions(combine_user="never")
    question = window(2, group_by="user_id,project_id")
    assert ask_usage("completions", question, options=options).is_success


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 30), st.integers(1, 31))
def test_pages_of_any_size_put_together_are_the_whole_window(days: int, limit: int) -> None:
    read = pages("completions", window(days, limit=limit, group_by="model"))
    buckets = list(itertools.chain.from_iterable(page["data"] for page in read))
    whole = exact(ask_usage("completions", window(days, limit=31, group_by="model")))
    assert buckets == whole["data"]


@pytest.mark.parametrize(
    "change",
    [
        {"start_time": unix(ago(21))},
        {"end_time": unix(ago(1))},
        {"limit": 4},
        {"group_by": "model"},
        {"models": "gpt-5.6-sol"},
        {"bucket_width": "1h"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_cursor_belongs_to_its_own_question(change: Params) -> None:
    params = window(20, limit=3, group_by="project_id")
    token = exact(ask_usage("completions", params))["next_page"]
    refused = ask_usage("completions", params | change | {"page": token})
    assert refused.status_code == 400
    assert error(refused)["message"].startswith("The page token is invalid")


def test_an_end_left_out_moves_with_the_clock_and_breaks_the_cursor() -> None:
    params = {"start_time": unix(ago(20))}
    token = exact(ask_usage("completions", params))["next_page"]
    assert ask_usage("completions", params | {"page": token}).status_code == 200
    later = NOW + timedelta(seconds=1)
    assert ask_usage("completions", params | {"page": token}, now=later).status_code == 400
