from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from openai_costs.sample.api.app import COSTS_PATH
from openai_costs.sample.faults.faults import ENDPOINTS, FAULT_NAMES, Faults, describe_faults
from openai_costs_tests.sample.asking import (
    ago,
    ask,
    ask_directory,
    ask_usage,
    client,
    error,
    exact,
    results,
    unix,
    window,
)

PAGED = window(20, limit=5)
USAGE = "/v1/organization/usage"


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("418@1", "'418'.*allowed"),
        ("500", "names no request"),
        ("500@0", "'0'"),
        ("500@3-1", "ends before it begins"),
        ("500@101%", "percentage"),
        ("500@1:5", "takes no argument"),
        ("timeout@1", "number of seconds"),
        ("timeout@1:soon", "'soon'"),
        ("currency@1:EURO", "eur"),
        ("429@1,nonsense", "'nonsense'"),
        ("attic:500@1", "'attic'.*not an endpoint.*usage"),
    ],
)
def test_a_bad_spec_is_refused_in_a_sentence(spec: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Faults.parse(spec)


def test_an_empty_spec_means_no_faults() -> None:
    assert Faults.parse("") == Faults()


def test_the_list_for_people_names_every_fault() -> None:
    assert all(f"{name}@WHICH" in describe_faults() for name in FAULT_NAMES)
    assert all(endpoint in describe_faults() for endpoint in ENDPOINTS)


@pytest.mark.parametrize(
    ("which", "struck"),
    [
        ("2", [2]),
        ("2-3", [2, 3]),
        ("every", [1, 2, 3, 4, 5]),
        ("0%", []),
        ("100%", [1, 2, 3, 4, 5]),
    ],
)
def test_which_requests_go_wrong(which: str, struck: list[int]) -> None:
    faults = Faults.parse(f"500@{which}")
    assert [number for number in range(1, 6) if faults.striking(number)] == struck


def test_a_percentage_strikes_the_same_requests_for_the_same_seed() -> None:
    def struck(seed: str) -> list[int]:
        faults = Faults.parse("500@30%", seed=seed)
        return [number for number in range(1000) if faults.striking(number)]

    assert struck("a") == struck("a") != struck("b")
    assert 230 < len(struck("a")) < 370


@pytest.mark.parametrize("status", [429, 500, 502, 503, 408, 409])
def test_a_status_fault_refuses_its_request_and_no_other(status: int) -> None:
    with client(f"{status}@1") as asker:
        refused = asker.get(COSTS_PATH, params=window(1))
        assert refused.status_code == status
        assert error(refused)["message"]
        assert "retry-after" not in refused.headers
        assert asker.get(COSTS_PATH, params=window(1)).status_code == 200


def test_a_429_can_say_when_to_come_back() -> None:
    assert ask(spec="429-retry-after@1:60").headers["retry-after"] == "60"


def test_a_timeout_is_a_read_timeout_without_the_wait() -> None:
    with pytest.raises(httpx.ReadTimeout):
        ask(spec="timeout@1:3600")


def test_a_slow_answer_within_the_callers_timeout_arrives() -> None:
    assert ask(spec="timeout@1:2").status_code == 200


def test_a_cut_body_is_a_protocol_error() -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(spec="cut@1")


def test_truncated_json_arrives_whole_and_does_not_parse() -> None:
    answer = ask(spec="truncated-json@1")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_repeated_cursor_never_ends() -> None:
    with client("repeated-cursor@every") as asker:
        first = exact(asker.get(COSTS_PATH, params=PAGED))
        second = exact(asker.get(COSTS_PATH, params=PAGED | {"page": first["next_page"]}))
    assert second["has_more"]
    assert second["next_page"] == first["next_page"]


def test_a_missing_cursor_promises_more() -> None:
    page = exact(ask(PAGED, spec="missing-cursor@1"))
    assert (page["has_more"], page["next_page"]) == (True, None)


def test_an_empty_page_promises_more_and_its_cursor_works() -> None:
    page = exact(ask(PAGED, spec="empty-page@1"))
    assert (page["data"], page["has_more"]) == ([], True)
    following = exact(ask(PAGED | {"page": page["next_page"]}))
    assert following["data"][0]["start_time"] == unix(ago(15))


def test_an_empty_last_page_leads_to_an_end() -> None:
    page = exact(ask(window(3), spec="empty-page@1"))
    end = exact(ask(window(3, page=page["next_page"])))
    assert (end["data"], end["has_more"]) == ([], False)


def test_only_requests_with_a_cursor_can_have_it_refused() -> None:
    with client("page-token-400@every") as asker:
        page = exact(asker.get(COSTS_PATH, params=PAGED))
        refused = asker.get(COSTS_PATH, params=PAGED | {"page": page["next_page"]})
    assert "page token" in error(refused)["message"]


def test_an_unknown_field_is_on_every_result() -> None:
    assert all(row["carbon_grams"] == 1 for row in results(ask(spec="unknown-field@1")))


def test_one_result_is_of_an_unknown_object_type() -> None:
    kinds = [row["object"] for row in results(ask(window(3), spec="unknown-object@1"))]
    assert kinds.count("organization.costs.adjustment") == 1


def test_the_amount_can_be_renamed() -> None:
    rows = results(ask(spec="renamed-field@1"))
    assert all("amount" not in row and row["cost"]["currency"] == "usd" for row in rows)


def test_a_bare_nan_is_on_the_wire() -> None:
    assert b'"value":NaN' in ask(spec="nan@1").content


def test_nan_can_be_text() -> None:
    assert results(ask(spec="nan-string@1"))[0]["amount"]["value"] == "NaN"


def test_an_amount_can_be_null() -> None:
    assert results(ask(spec="null-amount@1"))[0]["amount"] is None


def test_a_bucket_can_be_missing_or_twice() -> None:
    days = window(5)
    whole = [bucket["start_time"] for bucket in exact(ask(days))["data"]]
    missing = [bucket["start_time"] for bucket in exact(ask(days, "missing-bucket@1"))["data"]]
    double = [bucket["start_time"] for bucket in exact(ask(days, "duplicate-bucket@1"))["data"]]
    assert missing == whole[:2] + whole[3:]
    assert double == whole[:3] + whole[2:]


def test_the_currency_can_change() -> None:
    rows = results(ask(spec="currency@1:eur"))
    assert {row["amount"]["currency"] for row in rows} == {"eur"}
    assert all(row["amount"]["value"] > Decimal(0) for row in rows)


def test_every_fault_can_meet_every_other() -> None:
    arguments = {"429-retry-after": ":1", "timeout": ":1", "currency": ":eur"}
    spoilers = [name for name in FAULT_NAMES if not name.startswith(("4", "5")) and name != "cut"]
    for first in spoilers:
        spec = ",".join(f"{name}@1{arguments.get(name, '')}" for name in (first, *spoilers))
        assert ask(window(3), spec=spec).status_code == 200


def test_without_a_room_a_fault_strikes_costs_alone() -> None:
    with client("500@every") as asker:
        assert asker.get(COSTS_PATH, params=window(1)).status_code == 500
        assert asker.get(f"{USAGE}/images", params=window(1)).status_code == 200
        assert asker.get("/v1/organization/users").status_code == 200


def test_each_room_counts_its_own_requests() -> None:
    with client("usage:429@2,images:503@2,directory:500@1,users:408@2") as asker:
        asked = (f"{USAGE}/images", f"{USAGE}/embeddings", f"{USAGE}/images")
        statuses = [asker.get(path, params=window(1)).status_code for path in asked]
        assert statuses == [200, 429, 503]
        assert asker.get(COSTS_PATH, params=window(1)).status_code == 200
        users = [asker.get("/v1/organization/users").status_code for _ in range(3)]
        assert users == [500, 408, 200]


def test_a_fault_of_a_room_takes_its_argument() -> None:
    slow = ask_usage("images", spec="usage:429-retry-after@1:7")
    assert slow.headers["retry-after"] == "7"


@pytest.mark.parametrize(("name", "value"), [("nan-string", "NaN"), ("null-amount", None)])
def test_the_first_number_of_usage_can_be_none(name: str, value: object) -> None:
    rows = results(ask_usage("completions", spec=f"usage:{name}@1"))
    assert rows[0]["input_tokens"] == value


def test_a_bare_nan_is_on_the_wire_of_usage() -> None:
    assert b'"images":NaN' in ask_usage("images", spec="usage:nan@1").content


def test_usage_can_change_its_shape() -> None:
    renamed = results(ask_usage("images", spec="images:renamed-field@1"))
    assert all("images" not in row and row["cost"] for row in renamed)
    strange = results(ask_usage("images", window(3), "images:unknown-object@1"))
    assert [row["object"] for row in strange].count("organization.usage.images.adjustment") == 1
    more = results(ask_usage("images", spec="images:unknown-field@1"))
    assert all(row["carbon_grams"] == 1 for row in more)


def test_usage_can_lose_its_way() -> None:
    days = window(20, limit=5)
    repeated = exact(ask_usage("images", days, "usage:repeated-cursor@1"))
    assert repeated["has_more"]
    again = ask_usage("images", days | {"page": repeated["next_page"]})
    assert exact(again)["data"] == repeated["data"]
    empty = exact(ask_usage("images", days, "usage:empty-page@1"))
    following = exact(ask_usage("images", days | {"page": empty["next_page"]}))
    assert following["data"][0]["start_time"] == unix(ago(15))
    missing = exact(ask_usage("images", days, "usage:missing-cursor@1"))
    assert (missing["has_more"], missing["next_page"]) == (True, None)


def test_a_list_can_lose_its_way() -> None:
    repeated = ask_directory("users", {"limit": 5}, "users:repeated-cursor@every").json()
    again = ask_directory(
        "users", {"limit": 5, "after": repeated["last_id"]}, "users:repeated-cursor@every"
    ).json()
    assert again["has_more"]
    assert again["last_id"] == repeated["last_id"]
    missing = ask_directory("users", {"limit": 5}, "users:missing-cursor@1").json()
    assert (missing["has_more"], missing["last_id"]) == (True, None)
    empty = ask_directory("users", {"limit": 5}, "users:empty-page@1").json()
    assert (empty["data"], empty["has_more"]) == ([], True)


def test_a_list_can_change_its_shape() -> None:
    renamed = ask_directory("users", spec="users:renamed-field@1").json()["data"]
    assert all("id" not in user and user["cost"] for user in renamed)
    strange = ask_directory("users", spec="users:unknown-object@1").json()["data"]
    assert strange[0]["object"] == "organization.adjustment"
    twice = ask_directory("users", spec="users:duplicate-bucket@1").json()["data"]
    assert len(twice) == len(ask_directory("users").json()["data"]) + 1


def test_a_single_thing_has_no_page_to_spoil() -> None:
    for name in ("repeated-cursor", "missing-bucket", "unknown-field"):
        answer = ask_directory("spend_limit", spec=f"spend_limit:{name}@1")
        assert answer.json()["threshold_amount"] == 2_500_000


def test_every_fault_can_meet_every_other_in_every_room() -> None:
    arguments = {"429-retry-after": ":1", "timeout": ":1", "currency": ":eur"}
    spoilers = [name for name in FAULT_NAMES if not name.startswith(("4", "5")) and name != "cut"]
    for endpoint in ("usage", "directory"):
        words = (f"{endpoint}:{name}@every{arguments.get(name, '')}" for name in spoilers)
        spec = ",".join(words)
        assert ask_usage("completions", spec=spec).status_code == 200
        assert ask_directory("users", spec=spec).status_code == 200
        assert ask_directory("spend_limit", spec=spec).status_code == 200
