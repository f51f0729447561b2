"""What was planted round the gateway and among the seats is found, and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.sample.company.directories import BY_ALIAS, IDLE, LEFT, UNLISTED_PERSON
from openai_costs.sample.company.gateway import FEWER_CACHED, ROUND_IT, UNPRICED_MODEL
from openai_costs.sample.setup import SEAT_USD
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS, CostReconciliation
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import day

if TYPE_CHECKING:
    from openai_costs.storage.lake import Lake


@pytest.fixture(scope="module")
def lake(told_demo: tuple[Lake, str]) -> Lake:
    return told_demo[0]


@pytest.fixture(scope="module")
def settled(lake: Lake) -> pl.DataFrame:
    return lake.read(CostReconciliation).filter("is_settled")


def test_the_parts_of_every_gap_are_the_gap(lake: Lake) -> None:
    found = lake.read(CostReconciliation)
    parts = sum(pl.col(f"{part}_usd") for part in EXPLANATIONS)
    assert found.height > 1_000
    assert found.filter(parts != pl.col("gap_usd")).is_empty()
    assert found.filter(
        pl.col("billed_usd") - pl.col("metered_usd") != pl.col("gap_usd")
    ).is_empty()


def test_every_gap_has_the_cause_that_was_planted_and_all_else_agrees_to_the_last_digit(
    settled: pl.DataFrame,
) -> None:
    came_back = settled.filter(pl.col("billed_usd") < 0)
    assert came_back.select("api_key_id", "billed_usd").rows() == [
        (None, Decimal("-24.30")),
        (None, Decimal(-60)),
    ]
    compared = settled.filter(pl.col("api_key_id").is_not_null())
    assert set(compared["cause"]) == {"agrees", "bypass", "cached_tokens", "unpriced_model"}
    assert settled["unexplained_usd"].sum() == 0
    assert set(settled.filter(cause="agrees")["gap_usd"]) == {Decimal(0)}
    assert set(settled.filter(cause="unpriced_model")["model"]) == {UNPRICED_MODEL}
    cached = settled.filter(pl.col("cached_tokens_usd") != 0)
    assert set(cached["api_key_id"]) == {FEWER_CACHED[0]}
    assert set(cached["model"]) == {"gpt-5-mini"}
    assert (cached.group_by("day").agg(pl.col("gap_usd").sum())["gap_usd"] < 0).all()


def test_a_model_without_a_price_is_unpriced_and_never_free(lake: Lake) -> None:
    metered = lake.read(GatewaySpend).filter(model=UNPRICED_MODEL)
    assert metered.height > 0
    assert metered["is_unpriced"].all()


def test_one_key_bypasses_the_gateway_since_the_day_it_was_created(lake: Lake) -> None:
    bypass = lake.read(GatewayBypass).filter(pl.col("api_key_id").is_not_null())
    not_allowed = bypass.filter(~pl.col("is_allowed"))
    assert set(not_allowed["api_key_id"]) == {ROUND_IT}
    assert not_allowed["day"].min() == day(17)
    assert set(not_allowed["owner"]) == {"Signe Hallstrom"}
    assert bypass.filter("is_allowed")["allowed_because"].null_count() == 0


def test_seats_are_matched_but_for_the_three_that_were_planted(lake: Lake) -> None:
    seats = lake.read(Seats)
    status = dict(seats.select("user_id", "status").rows())
    assert {user for user, state in status.items() if state == "alias"} == {BY_ALIAS}
    assert {user for user, state in status.items() if state == "left"} == {LEFT}
    assert {user for user, state in status.items() if state == "unmatched"} == {UNLISTED_PERSON}
    left = seats.row(by_predicate=pl.col("status") == "left", named=True)
    spent = lake.read(SpendAttribution).filter(user_id=LEFT)
    after = spent.filter(pl.col("day").is_between(left["left_day"], left["as_of_day"], "right"))
    assert left["spend_after_left_usd"] == after["billed_usd"].sum()
    assert 0 < left["spend_after_left_usd"] < left["spend_30d_usd"]
    assert all(status[user] == "service_account" for user in status if "svc" in user)


def test_every_current_member_has_a_seat_at_the_contracts_price(lake: Lake) -> None:
    seats = lake.read(Seats)
    priced = seats.filter(pl.col("seat_usd").is_not_null())
    is_member = pl.col("is_current") & (pl.col("seat_kind") == "user")
    assert set(priced["user_id"]) == set(seats.filter(is_member)["user_id"])
    assert set(priced["seat_usd"]) == {Decimal(SEAT_USD)}
    assert set(priced["seat_basis"]) == {"contract_price"}


def test_exactly_these_findings_are_open_and_none_holds_an_address(lake: Lake) -> None:
    folders = ("gateway_bypass.", "reconciliation.", "seats.")
    found = [one for one in rows(Finding, lake.read(Findings)) if one.rule.startswith(folders)]
    assert {(one.rule, one.subject_id) for one in found} == {
        ("gateway_bypass.unregistered", ROUND_IT),
        ("reconciliation.gap", "sample/cached_tokens"),
        ("reconciliation.gap", "sample/unpriced_model"),
        ("seats.leaver_spends", LEFT),
        ("seats.unmatched", UNLISTED_PERSON),
        *(("seats.idle", user) for user in IDLE),
    }
    assert {one.state for one in found} == {"open"}
    assert not any("@" in text for one in found for text in (one.because, one.owner or ""))
