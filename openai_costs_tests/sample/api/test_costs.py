from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.sample.api.app import COSTS_PATH
from openai_costs.sample.api.costs import DIMENSIONS
from openai_costs.sample.api.options import WireOptions
from openai_costs.sample.company.events import EventKind
from openai_costs_tests.sample.asking import (
    NOW,
    ORGANISATION,
    TODAY,
    Params,
    ago,
    ask,
    client,
    error,
    exact,
    results,
    total,
    unix,
    window,
)

SUBSETS = [
    subset
    for size in range(len(DIMENSIONS) + 1)
    for subset in itertools.combinations(DIMENSIONS, size)
]


def bucket_starts(params: Params) -> list[int]:
    return [bucket["start_time"] for bucket in exact(ask(params))["data"]]


def test_start_time_is_required() -> None:
    refused = ask({"end_time": unix(TODAY)})
    assert refused.status_code == 400
    assert error(refused)["param"] == "start_time"


@pytest.mark.parametrize("start", ["", "yesterday", "1.5", "99999999999999"])
def test_a_start_that_is_no_unix_time_is_refused(start: str) -> None:
    assert ask({"start_time": start}).status_code == 400


def test_start_is_inclusive_and_end_is_exclusive() -> None:
    assert bucket_starts(window(3, 1)) == [unix(ago(3)), unix(ago(2))]


def test_buckets_are_utc_days_even_when_the_window_is_not() -> None:
    params = {"start_time": unix(ago(3)) + 3600, "end_time": unix(ago(1)) + 60}
    assert bucket_starts(params) == [unix(ago(3)), unix(ago(2)), unix(ago(1))]


def test_the_end_defaults_to_now_so_that_today_is_included() -> None:
    assert bucket_starts({"start_time": unix(ago(1))}) == [unix(ago(1)), unix(TODAY)]


def test_there_are_no_buckets_after_today() -> None:
    assert bucket_starts(window(1, -9))[-1] == unix(TODAY)


def test_a_window_inside_one_date_is_refused() -> None:
    params = {"start_time": unix(ago(1)), "end_time": unix(ago(1)) + 3600}
    assert ask(params).status_code == 400


def test_a_bucket_is_a_day_with_its_undocumented_iso_times() -> None:
    bucket = exact(ask(window(2, 1)))["data"][0]
    assert bucket["object"] == "bucket"
    assert bucket["end_time"] - bucket["start_time"] == 86_400
    assert bucket["start_time_iso"] == "2026-11-21T00:00:00+00:00"
    assert bucket["end_time_iso"] == "2026-11-22T00:00:00+00:00"


@pytest.mark.parametrize("limit", [0, 181, -1])
def test_a_limit_outside_1_to_180_is_refused(limit: int) -> None:
    assert error(ask(window(5, limit=limit)))["param"] == "limit"


def test_a_page_is_seven_buckets_by_default_and_180_at_most() -> None:
    assert len(exact(ask(window(30)))["data"]) == 7
    assert len(exact(ask(window(300, limit=180)))["data"]) == 180


@pytest.mark.parametrize("width", ["1h", "1m", "7d"])
def test_only_daily_buckets_exist(width: str) -> None:
    assert error(ask(window(2, bucket_width=width)))["param"] == "bucket_width"
    assert ask(window(2, bucket_width="1d")).status_code == 200


@pytest.mark.parametrize("name", ["models", "group_by_", "start_time[]"])
def test_an_unknown_parameter_is_refused(name: str) -> None:
    assert error(ask(window(2) | {name: "x"}))["param"] == name


def test_grouping_by_an_unknown_dimension_is_refused() -> None:
    assert error(ask(window(2, group_by="model")))["param"] == "group_by"


def test_a_scalar_given_twice_is_refused() -> None:
    assert ask(window(2, limit=[1, 2])).status_code == 400


def test_the_three_spellings_of_a_list_mean_the_same() -> None:
    wanted = ["project_id", "line_item"]
    spellings: list[Params] = [
        {"group_by[]": wanted},
        {"group_by": wanted},
        {"group_by": ",".join(wanted)},
    ]
    answers = [exact(ask(window(1) | spelling)) for spelling in spellings]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["data"][0]["results"][0]["project_id"]


def test_the_three_spellings_work_for_filters_although_line_items_contain_commas() -> None:
    wanted = ["gpt-5.4-2026-03-05, input", "gpt-5.6-sol, output"]
    spellings: list[Params] = [
        {"line_items[]": wanted},
        {"line_items": wanted},
        {"line_items": ",".join(wanted)},
    ]
    for spelling in spellings:
        rows = results(ask(window(3) | spelling | {"group_by": "line_item"}))
        assert {row["line_item"] for row in rows} == set(wanted)


def test_dimensions_that_were_not_asked_for_are_null() -> None:
    row = results(ask())[0]
    assert [row[name] for name in DIMENSIONS] == [None] * 5
    assert row["quantity"] is None
    assert row["quantity_unit"] is None
    assert row["organization_id"] == "org-tidewatermaps"


def test_names_come_with_the_dimension_they_name() -> None:
    row = results(ask(window(1, group_by="project_id,user_id", api_key_ids="key_voice_prod")))[0]
    assert row["project_name"] == "Voice guide"
    assert row["user_email"] == "amrit@tidewater-maps.example"
    by_key = results(ask(window(1, group_by="api_key_id")))
    assert {row["project_name"] for row in by_key} == {None}


def test_null_and_empty_dimensions_are_both_on_the_wire() -> None:
    projects = {row["project_id"] for row in results(ask(window(1, group_by="project_id")))}
    assert {None, ""} <= projects


@pytest.mark.parametrize("group_by", SUBSETS, ids=lambda names: "+".join(names) or "ungrouped")
def test_every_grouping_adds_up_to_the_control_total_exactly(group_by: tuple[str, ...]) -> None:
    days = window(4, 1)
    grouped = exact(ask(days | {"group_by[]": list(group_by)}))["data"]
    ungrouped = exact(ask(days))["data"]
    for bucket, control in zip(grouped, ungrouped, strict=True):
        assert len(control["results"]) == 1
        assert total(bucket["results"]) == total(control["results"])
        keys = [tuple(row[name] for name in DIMENSIONS) for row in bucket["results"]]
        assert len(set(keys)) == len(keys)


def test_amounts_equal_the_ledger_to_the_last_digit() -> None:
    expected = sum((line.amount for line in ORGANISATION.ledger(ago(1), NOW)), Decimal(0))
    assert total(results(ask())) == expected


def test_units_are_added_up_by_line_item() -> None:
    rows = results(ask(window(1, group_by="line_item")))
    ledger = ORGANISATION.ledger(ago(1), NOW)
    for row in rows:
        units = [x.quantity for x in ledger if x.line_item == row["line_item"]]
        expected = None if None in units else sum(x for x in units if x is not None)
        assert row["quantity"] == expected


def test_recent_amounts_are_numbers_and_old_ones_34_digit_text() -> None:
    options = WireOptions(text_amounts_before=ago(1))
    rows = exact(ask(window(3, 0, group_by="line_item"), options=options))["data"]
    old, new = rows[0]["results"], rows[2]["results"]
    assert all(isinstance(row["amount"]["value"], (Decimal, int)) for row in new)
    digits = {len(row["amount"]["value"].replace(".", "").lstrip("-0")) for row in old}
    assert "0E-6176" in {row["amount"]["value"] for row in old}
    assert digits == {34, len("E-6176")}


def test_text_amounts_are_worth_the_same_as_numbers() -> None:
    as_text = ask(window(2, group_by="line_item"), options=WireOptions(text_amounts_before=TODAY))
    numbers = WireOptions(text_amounts_before=date(2020, 1, 1))
    assert total(results(as_text)) == total(
        results(ask(window(2, group_by="line_item"), options=numbers))
    )


def test_filters_narrow_to_exact_ids_and_names() -> None:
    rows = results(ask(window(3, project_ids="proj_labs", group_by="project_id")))
    assert {row["project_id"] for row in rows} == {"proj_labs"}
    assert results(ask(window(3, project_ids="proj_nobody"))) == []
    assert results(ask(window(3, line_items="gpt-5.4-2026-03-05"))) == []


def test_the_empty_sunday_is_a_bucket_with_no_results() -> None:
    day = ORGANISATION.event(EventKind.NO_ROWS).days[0]
    age = (TODAY - day).days
    assert [bucket["results"] for bucket in exact(ask(window(age, age - 1)))["data"]] == [[]]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 118), st.integers(1, 60), st.integers(1, 59))
def test_a_window_split_in_two_gives_the_same_buckets(first: int, length: int, cut: int) -> None:
    last = max(0, first - length)
    middle = min(first - 1, max(last + 1, first - cut))
    if middle <= last:
        return
    whole = exact(ask(window(first, last, limit=180)))["data"]
    parts = [
        exact(ask(window(*ages, limit=180)))["data"] for ages in ((first, middle), (middle, last))
    ]
    assert whole == parts[0] + parts[1]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_pages_of_any_size_put_together_are_the_whole_window(days: int, limit: int) -> None:
    params = window(days, limit=limit)
    buckets = []
    with client() as asker:
        page = exact(asker.get(COSTS_PATH, params=params))
        buckets += page["data"]
        while page["has_more"]:
            page = exact(asker.get(COSTS_PATH, params=params | {"page": page["next_page"]}))
            buckets += page["data"]
    assert page["next_page"] is None
    assert buckets == exact(ask(window(days, limit=180)))["data"]


CHANGES: list[Params] = [
    {"start_time": unix(ago(21))},
    {"end_time": unix(ago(1))},
    {"limit": 4},
    {"group_by": "line_item"},
    {"group_by[]": "project_id", "group_by": None},
    {"project_ids": "proj_labs"},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_cursor_belongs_to_its_own_question(change: Params) -> None:
    params = window(20, limit=3, group_by="project_id")
    token = exact(ask(params))["next_page"]
    changed = {name: value for name, value in (params | change).items() if value is not None}
    refused = ask(changed | {"page": token})
    assert refused.status_code == 400
    assert error(refused)["message"].startswith("The page token is invalid")
    assert error(refused)["code"] == "invalid_request_error"


def test_an_end_left_out_moves_with_the_clock_and_breaks_the_cursor() -> None:
    params = {"start_time": unix(ago(20))}
    token = exact(ask(params))["next_page"]
    assert ask(params | {"page": token}).status_code == 200
    assert ask(params | {"page": token}, now=NOW + timedelta(seconds=1)).status_code == 400


@pytest.mark.parametrize("token", ["", "page_", "page_AAAA", "not a token", "page_é"])
def test_a_made_up_cursor_is_refused(token: str) -> None:
    assert "page token" in error(ask(window(20) | {"page": token}))["message"]


def test_users_by_project_can_be_refused_always_or_by_date() -> None:
    both = window(5, group_by="user_id,project_id")
    filtered = window(5, group_by="user_id", project_ids="proj_labs")
    assert ask(both).status_code == 200
    for question in (both, filtered):
        refused = ask(question, options=WireOptions(combine_user="never"))
        assert refused.status_code == 400
        assert "user_id" in error(refused)["message"]
        assert ask(question, options=WireOptions(combine_user=ago(4))).status_code == 400
        assert ask(question, options=WireOptions(combine_user=ago(5))).status_code == 200
    assert ask(window(5, group_by="user_id"), options=WireOptions(combine_user="never")).is_success


def test_days_before_the_floor_are_refused() -> None:
    options = WireOptions(lookback_floor=ago(10))
    assert ask(window(10), options=options).is_success
    assert error(ask(window(11), options=options))["code"] == "reporting_lookback_exceeded"


def test_an_organization_may_refuse_grouping_by_key() -> None:
    options = WireOptions(accepts_api_key_grouping=False)
    assert ask(window(2, group_by="api_key_id"), options=options).status_code == 400
    assert ask(window(2, group_by="project_id"), options=options).is_success


def test_every_digit_of_the_ledger_is_on_the_wire() -> None:
    written = ask(window(1, group_by=",".join(DIMENSIONS))).text
    for line in ORGANISATION.ledger(ago(1), NOW):
        assert f'"value":{line.amount or 0},' in written
