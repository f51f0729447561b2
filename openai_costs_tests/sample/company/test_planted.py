"""What is planted for the questions about owners, prices and savings: it is really there."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from openai_costs_tests.sample.asking import (
    NOW,
    ORGANISATION,
    ago,
    ask_usage,
    listed,
    results,
    window,
)

if TYPE_CHECKING:
    from openai_costs.sample.company.organisation import LedgerLine

KEYS = ORGANISATION.fixtures.key_by_id
WEEKDAY = 4
BY_KEY = {"group_by": "project_id,user_id,api_key_id,model"}


def lines(first_age: int = 120, last_age: int = 1) -> list[LedgerLine]:
    ages = range(first_age, last_age - 1, -1)
    return [line for age in ages for line in ORGANISATION.ledger(ago(age), NOW)]


def usd(rows: list[LedgerLine]) -> Decimal:
    return sum((line.amount for line in rows), Decimal(0))


def test_the_bill_of_120_days() -> None:
    assert usd(lines()) == Decimal("34337.432019565")


def test_most_dollars_name_a_user() -> None:
    rows = lines()
    named = [line for line in rows if line.user_id]
    assert usd(named) / usd(rows) > Decimal("0.7")


def test_two_keys_spend_without_a_user_and_have_an_owner() -> None:
    nameless = {
        (line.api_key_id, line.user_id) for line in lines() if line.api_key_id and not line.user_id
    }
    assert nameless == {("key_finance_close", None), ("key_desk_mirela", "")}
    owners = {KEYS[key].owner_type for key, _ in nameless if key}
    assert owners == {"user", "service_account"}
    everything = [
        key["id"]
        for project in ("finance_close", "support_desk")
        for key in listed(f"projects/proj_{project}/api_keys")
    ]
    assert {"key_finance_close", "key_desk_mirela"} <= set(everything)


def test_usage_names_the_user_of_one_of_the_two() -> None:
    rows = results(ask_usage("completions", window(WEEKDAY, WEEKDAY - 1) | BY_KEY))
    users = {row["api_key_id"]: row["user_id"] for row in rows}
    assert users["key_finance_close"] == "user-svc-ledger_close"
    assert users["key_desk_mirela"] is None


def test_the_console_spends_on_a_model_that_named_users_of_the_project_use_as_well() -> None:
    rows = results(ask_usage("completions", window(WEEKDAY, WEEKDAY - 1) | BY_KEY))
    users: defaultdict[tuple[str | None, str], set[str | None]] = defaultdict(set)
    for row in rows:
        users[row["project_id"], row["model"]].add(row["user_id"])
    assert users["proj_route_planner", "gpt-5.4-2026-03-05"] == {
        None,
        "user-ruben",
        "user-svc-route_api",
    }


def test_some_dollars_stay_unattributed() -> None:
    rows = [line for line in lines(WEEKDAY, WEEKDAY) if not line.user_id and not line.api_key_id]
    assert {"Scale tier bundle", "Vector storage"} <= {line.line_item for line in rows}


def test_a_model_that_does_not_exist_costs_a_few_dollars() -> None:
    rows = [line for line in lines() if "tideline" in line.line_item]
    assert Decimal(3) < usd(rows) < Decimal(10)


def test_digests_are_written_every_day_and_none_as_a_batch() -> None:
    rows = [line for line in lines(30) if "gpt-5.4-mini" in line.line_item and line.quantity]
    assert {line.day for line in rows} == {ago(age) for age in range(30, 0, -1)}
    assert {KEYS[line.api_key_id or ""].owner_type for line in rows} == {"service_account"}
    assert not any(line.line_item.startswith("batch") for line in rows)
    sides = [[x.quantity or 0 for x in rows if x.day.weekday() in days] for days in ({5, 6}, {0})]
    weekend, monday = (sum(tokens) // len(tokens) for tokens in sides)
    assert weekend * 100 > monday * 80


def test_digests_once_read_from_the_cache_and_do_not_any_more() -> None:
    def cached_pct(first_age: int, last_age: int) -> int:
        rows = [x for x in lines(first_age, last_age) if "gpt-5.4-mini" in x.line_item]
        tokens = {
            side: sum(x.quantity or 0 for x in rows if x.line_item.endswith(f", {side}"))
            for side in ("input", "cached input")
        }
        return 100 * tokens["cached input"] // sum(tokens.values())

    assert 70 < cached_pct(30, 17) < 80
    assert cached_pct(16, 1) == 0


def test_the_regression_suite_moved_to_batches() -> None:
    mine = [line for line in lines(60) if line.api_key_id == "key_evals_naima"]
    moved = {line.day for line in mine if line.line_item.startswith("batch")}
    stayed = {line.day for line in mine} - moved
    assert max(stayed) < min(moved) <= ago(37)


def test_an_old_model_is_still_in_use() -> None:
    assert any(line.line_item.startswith("gpt-4.1") for line in lines(WEEKDAY, WEEKDAY))


def test_something_is_billed_beyond_the_usual_context() -> None:
    rows = [line for line in lines(WEEKDAY, WEEKDAY) if line.line_item.endswith("long context")]
    assert {line.line_item.split(", ")[1] for line in rows} == {"input", "output"}


def test_a_key_that_is_erratic_was_so_before_and_has_no_usual_day() -> None:
    rows = [line for line in lines() if line.api_key_id == "key_search_sweeps"]
    by_day = {day: usd([x for x in rows if x.day == day]) for day in {line.day for line in rows}}
    assert 120 - len(by_day) > 30
    assert max(by_day.values()) > 10 * min(by_day.values())
    assert max(by_day) - min(by_day) > timedelta(days=100)


def test_a_refund_names_no_key_and_a_credit_names_nothing() -> None:
    negative = [line for line in lines() if line.amount < 0]
    assert [(x.project_id, x.api_key_id, x.line_item, x.amount) for x in negative] == [
        ("proj_map_studio", None, "gpt-image-2.5-flare image, output", Decimal("-24.30")),
        (None, None, "Service credit", Decimal(-60)),
    ]


def test_people_projects_and_keys_have_namesakes() -> None:
    fixtures = ORGANISATION.fixtures
    for things, name in (
        (fixtures.people, "Lucia Ferrandez"),
        (fixtures.projects, "Voice guide"),
        (fixtures.api_keys, "voice guide"),
    ):
        assert [one.name for one in things].count(name) == 2


def test_a_key_is_idle_one_is_there_twice_and_a_project_is_empty() -> None:
    assert KEYS["key_labs_unused"].last_used_at is None
    one, two = KEYS["key_studio_amrit"], KEYS["key_studio_amrit_2"]
    assert (one.name, one.project_id, one.owner_id) == (two.name, two.project_id, two.owner_id)
    billed = {line.project_id for line in lines()}
    assert "proj_hack_week" in {project["id"] for project in listed("projects")}
    assert "proj_hack_week" not in billed
