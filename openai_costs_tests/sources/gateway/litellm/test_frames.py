from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.gateway.listing import TokenRow
from openai_costs.sources.gateway.litellm.frames import cache_tokens, listing, meter_rows
from openai_costs.sources.gateway.metering import day_rows, metered
from openai_costs.storage.slices import Slice
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs_tests.sources.gateway.litellm.proxy import (
    DAY,
    a_read,
    activity,
    key,
    log,
    metrics,
)


def day_of(*results: dict[str, Any]) -> dict[str, Any]:
    return {"results": list(results), "metadata": {"page": 1, "total_pages": 1, "has_more": False}}


def rows(part: str, page: dict[str, Any] | str) -> pl.DataFrame:
    found = metered(day_rows(Slice("gateway", DAY), meter_rows(a_read(part, page))))
    assert GatewaySpend.broken_rules(found) == []
    return found


def of_requests(*logs: dict[str, Any]) -> pl.DataFrame:
    return rows("requests.0", {"data": list(logs), "total": 1, "page": 1, "total_pages": 1})


def token(**more: Any) -> TokenRow:  # noqa: ANN401
    page = {"keys": [key("hash", **more)], "total_count": 1, "current_page": 1, "total_pages": 1}
    (row,) = listing(a_read("keys.0", page, "registry")).rows
    return row


def test_daily_sums_become_rows_by_token_and_model_with_cached_tokens_taken_out_once():
    page = day_of(
        activity({"openai/gpt-5": {"tok": metrics(0.0125, plain=128, cached=1024, output=300)}})
    )
    (row,) = rows("daily.0", page).rows(named=True)
    assert (row["token_id"], row["upstream_provider"], row["model"]) == ("tok", "openai", "gpt-5")
    assert (row["input_tokens"], row["input_uncached_tokens"], row["input_cached_tokens"]) == (
        1152,
        128,
        1024,
    )
    assert row["metered_usd"] == Decimal("0.0125")


def test_a_day_that_spans_pages_is_added_up():
    page = activity({"openai/gpt-5": {"tok": metrics(0.1, plain=3)}})
    (row,) = rows("daily.0", day_of(page, page)).rows(named=True)
    assert (row["metered_usd"], row["input_tokens"]) == (Decimal("0.2"), 6)


def test_ten_times_a_tenth_of_a_dollar_is_a_dollar():
    page = activity({"openai/gpt-5": {"tok": metrics(0.1, plain=1)}}, spend=0.1)
    assert rows("daily.0", day_of(*[page] * 10))["metered_usd"].item() == 1


def test_a_spend_with_more_digits_than_money_has_is_rounded_once():
    text = '{"results": [], "metadata": {"page": 1, "total_pages": 1}}'
    page = activity({"openai/gpt-5": {"tok": metrics(0.0002831999999999999, plain=1)}})
    assert rows("daily.0", text).is_empty()
    assert rows("daily.0", day_of(page))["metered_usd"].item() == Decimal("0.000283200000000000")


def test_a_model_without_a_price_is_unpriced_and_never_free():
    page = day_of(activity({"bedrock/small:0": {"tok": metrics(0.0, plain=8, output=4)}}))
    (row,) = rows("daily.0", page).rows(named=True)
    assert (row["metered_usd"], row["is_unpriced"], row["unpriced_tokens"]) == (None, True, 12)
    assert row["model"] == "small:0"


def test_a_failed_request_without_tokens_costs_nothing_and_is_not_unpriced():
    (row,) = rows("daily.0", day_of(activity({"gpt-5": {"tok": metrics(0.0)}}))).rows(named=True)
    assert (row["metered_usd"], row["is_unpriced"], row["upstream_provider"]) == (0, False, None)


def test_dollars_of_a_page_that_no_key_has_are_kept_without_one():
    page = day_of(activity({"openai/gpt-5": {"tok": metrics(0.5, plain=1)}}, spend=0.75))
    found = rows("daily.0", page)
    assert found["metered_usd"].sum() == Decimal("0.75")
    assert found.filter(pl.col("token_id").is_null())["metered_usd"].item() == Decimal("0.25")


def test_the_text_none_is_no_answer_from_the_cache_and_the_text_true_is():
    found = of_requests(
        log("tok", 0.25, 10, 0, 5),
        log("tok", 0.0, 10, 0, 5, cache_hit="True"),
        log("tok", 0.25, 10, 0, 5, cache_hit=""),
    )
    (row,) = found.rows(named=True)
    assert (row["num_model_requests"], row["metered_usd"]) == (2, Decimal("0.5"))
    assert row["is_unpriced"] is False


def test_a_request_at_the_next_midnight_belongs_to_the_next_day():
    late = log("tok", 1.0, 10, 0, 5, startTime="2026-03-11T00:00:00.000+00:00")
    zoned = log("tok", 0.5, 10, 0, 5, startTime="2026-03-10T23:30:00.000-01:00")
    assert of_requests(late, zoned, log("tok", 0.25, 1, 0, 1))["metered_usd"].item() == Decimal(
        "0.25"
    )


def test_a_request_distinguishes_what_a_daily_sum_hides():
    found = of_requests(log("tok", 0.25, 10, 0, 5), log("tok", 0, 30, 0, 10))
    (row,) = found.rows(named=True)
    assert (row["metered_usd"], row["unpriced_tokens"]) == (Decimal("0.25"), 40)


def test_usage_that_was_not_recorded_leaves_the_cache_unknown():
    (row,) = of_requests(log("tok", 0.25, 10, 0, 5, metadata={})).rows(named=True)
    assert (row["input_tokens"], row["input_cached_tokens"], row["input_uncached_tokens"]) == (
        10,
        None,
        None,
    )
    no_cache = {"usage_object": {"prompt_tokens": 10, "prompt_tokens_details": None}}
    (row,) = of_requests(log("tok", 0.25, 10, 0, 5, metadata=no_cache)).rows(named=True)
    assert (row["input_cached_tokens"], row["input_uncached_tokens"]) == (0, 10)


@pytest.mark.parametrize(
    "broken",
    [
        '{"results": [{"date": "2026-03-10"}]}',
        '{"results": [{"date": "2026-03-10", "metrics": {"spend": NaN}}]}',
        "{}",
        "[",
        "\\xff",
    ],
)
def test_a_page_that_lacks_what_we_rely_on_is_refused_by_its_name(broken: str):
    with pytest.raises(PageRefused, match="daily"):
        list(meter_rows(a_read("daily.0", broken)))


def test_a_token_names_its_openai_key_in_its_metadata():
    row = token(
        metadata={"openai_api_key_id": "key_maps", "owner": "someone"}, key_alias="maps-prod"
    )
    assert (row.token_id, row.name, row.openai_api_key_id) == ("hash", "maps-prod", "key_maps")


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({}, "active"),
        ({"blocked": True}, "blocked"),
        ({"expires": "2026-03-01T00:00:00Z"}, "expired"),
        ({"expires": "2027-03-01T00:00:00Z", "blocked": False}, "active"),
    ],
)
def test_a_token_has_the_state_that_follows_from_its_fields(more: dict[str, Any], status: str):
    assert token(**more).status == status


def test_a_deleted_token_is_deleted_and_an_empty_user_is_none():
    page = {
        "keys": [key("gone", user_id="", team_id="team-1")],
        "total_count": 1,
        "current_page": 1,
        "total_pages": 1,
    }
    (row,) = listing(a_read("deleted.0", page, "registry")).rows
    assert (row.status, row.owner_id, row.team) == ("deleted", None, "team-1")
    assert row.created_at == datetime(2026, 1, 5, 10, 0, 0, 120_000)  # noqa: DTZ001 - UTC without a zone


def test_metadata_that_is_not_text_is_passed_over():
    assert token(metadata={"openai_api_key_id": 7}).openai_api_key_id is None


def test_nothing_written_as_the_text_none_is_nothing():
    row = token(
        key_alias="None",
        user_id="None",
        team_alias="None",
        team_id="team-1",
        metadata={"openai_api_key_id": "None", "openai_project_id": " proj_maps "},
    )
    assert (row.name, row.owner_id, row.team) == (None, None, "team-1")
    assert (row.openai_api_key_id, row.openai_project_id) == (None, "proj_maps")


def test_a_request_whose_provider_and_token_are_the_text_none_is_still_ours():
    said = log("None", 0.5, 10, 0, 2, custom_llm_provider="None", model="openai/gpt-5")
    (row,) = of_requests(said).rows(named=True)
    assert (row["token_id"], row["upstream_provider"], row["model"]) == (None, "openai", "gpt-5")


@pytest.mark.parametrize("details", ["None", [], None, {"cached_tokens": "None"}])
def test_details_of_tokens_that_are_none_are_a_model_without_a_cache(details: Any):  # noqa: ANN401
    assert cache_tokens({"prompt_tokens_details": details}) == (0, 0)
