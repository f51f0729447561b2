"""Usage of Anthropic becomes core.usage: every token once, and nothing missing taken for zero."""

import json
from typing import Any

import pytest

from openai_costs.sources.anthropic.usage.endpoints import ANALYTICS_USAGE, GROUPING, USAGE_REPORT
from openai_costs.sources.anthropic.usage.frames import usage_batches
from openai_costs.storage.archive import KeptRead
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.sources.anthropic.wire import ADA, CLAUDE, DAY, GROUP, answer, kept, row

KEY = Slice("claude", DAY)
EDGES = {name: value for name, value in row().items() if name.endswith("_at")}
COUNTS = {
    "uncached_input_tokens": 1_000_000,
    "cache_read_input_tokens": 500_000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100_000, "ephemeral_1h_input_tokens": 7_000},
    "output_tokens": 300_000,
    "server_tool_use": {"web_search_requests": 2},
    "total_tokens": 1_907_000,
    "requests": 400,
}
PLACE = {
    "workspace_id": "wrkspc_prod",
    "api_key_id": "apikey_web",
    "model": "claude-sonnet-5",
    "service_tier": "standard",
}


def newer(counts: dict[str, Any] = COUNTS, **more: Any) -> KeptRead:  # noqa: ANN401
    entry = {**EDGES, "group": dict.fromkeys(GROUP) | PLACE | more, "usage": counts}
    return kept("usage", usage=answer(entry, report=ANALYTICS_USAGE, grouping=GROUPING))


def older(**more: Any) -> KeptRead:  # noqa: ANN401
    plain = {
        name: value for name, value in COUNTS.items() if name not in {"requests", "total_tokens"}
    }
    bucket = {**EDGES, "results": [plain | PLACE | more]}
    return kept("usage", usage=answer(bucket, report=USAGE_REPORT, grouping=GROUPING))


def cleaned(*reads: KeptRead) -> Batch:
    (batch,) = usage_batches(reads, CLAUDE)
    assert Usage.broken_rules(batch.frame) == []
    return batch


def lines(read: KeptRead) -> dict[str, dict[str, Any]]:
    return {one["endpoint"]: one for one in cleaned(read).frame.iter_rows(named=True)}


def test_input_is_plain_cached_and_written_tokens_together():
    one = lines(newer())["messages"]
    assert one["input_tokens"] == 1_607_000
    assert one["input_uncached_tokens"] == 1_000_000
    assert one["input_cached_tokens"] == 500_000
    assert one["input_cache_write_tokens"] == 107_000
    assert one["input_cache_write_5m_tokens"] == 100_000
    assert one["input_cache_write_1h_tokens"] == 7_000
    assert one["output_tokens"] == 300_000
    assert one["num_model_requests"] == 400


def test_web_searches_are_calls_in_a_row_of_their_own():
    found = lines(newer())
    assert (found["web_search_calls"]["quantity"], found["web_search_calls"]["quantity_unit"]) == (
        2,
        "calls",
    )
    assert found["web_search_calls"]["input_tokens"] is None
    assert found["messages"]["quantity"] is None


def test_the_user_of_usage_is_its_actor():
    assert lines(newer(actor=ADA))["messages"]["user_id"] == "user_ada"
    assert lines(newer())["messages"]["user_id"] is None


def test_usage_without_a_workspace_is_the_default_workspaces():
    assert lines(newer(workspace_id=None))["messages"]["project_id"] == "default"


def test_a_batch_is_a_batch_and_an_unknown_tier_is_unknown():
    assert lines(newer(service_tier="batch"))["messages"]["batch"] is True
    assert lines(newer())["messages"]["batch"] is False
    assert lines(newer(service_tier=None))["messages"]["batch"] is None


def test_the_older_report_counts_no_requests_and_says_so():
    one = lines(older(account_id="user_ada"))["messages"]
    assert one["input_tokens"] == 1_607_000
    assert one["num_model_requests"] is None
    assert one["user_id"] == "user_ada"


@pytest.mark.parametrize("gone", ["uncached_input_tokens", "cache_creation", "output_tokens"])
def test_a_count_that_is_gone_refuses_the_day(gone: str):
    left = {name: value for name, value in COUNTS.items() if name != gone}
    batch = cleaned(newer(left))
    assert gone in str(batch.refused[KEY])
    assert batch.frame.is_empty()


@pytest.mark.parametrize("count", [-1, 10**16, "12", 1.5, None])
def test_a_count_that_makes_no_sense_refuses_the_day(count: object):
    assert cleaned(newer(COUNTS | {"output_tokens": count})).refused.keys() == {KEY}


def test_an_unknown_count_is_kept_in_raw_and_named():
    remark = cleaned(newer(COUNTS | {"thinking_tokens": 5})).remarks[KEY]
    assert "thinking_tokens" in remark


def test_the_parts_of_a_read_stay_as_they_were_sent():
    assert json.loads(newer().bodies["usage"])["data"][0]["usage"] == COUNTS


def test_a_report_that_was_refused_is_named():
    read = kept(
        "usage",
        {"analytics": "HTTP 403: no scope"},
        usage=answer({**EDGES, "results": []}, report=USAGE_REPORT),
    )
    assert "HTTP 403: no scope" in cleaned(read).remarks[KEY]
