"""The demo finds exactly what is planted at the sample company, and accuses no one else.

What is planted, since when and for how many dollars is in `openai_costs_tests/sample/planted.py`,
worked out from what the company bought. What is planted to be understood has a test of its own
below.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.sample.company.company import RESIDENCY
from openai_costs.sample.company.events import EventKind
from openai_costs.sample.company.gateway import (
    BEFORE_THE_ROTATION,
    PICKED_BY_MODEL,
    ROTATED,
    ROTATED_AGE,
    SHARED_TOKENS,
    TUNED,
)
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.sample.setup import BUDGETS
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.conftest import DEMO_NOON
from openai_costs_tests.org import added
from openai_costs_tests.sample.planted import INNOCENT, Planted, planted_findings

if TYPE_CHECKING:
    from datetime import date

    from openai_costs.storage.lake import Lake

TODAY: Final = DEMO_NOON.date()
LAST: Final = TODAY - timedelta(days=2)
COMPANY: Final = sample_organisation(TODAY, seed="7")
PLANTED: Final = planted_findings(COMPANY, LAST)
BILLS: Final = (Ledger, SpendControl, Spend, SpendAttribution, SpendByUser)


@pytest.fixture(scope="module")
def lake(told_demo: tuple[Lake, str]) -> Lake:
    return told_demo[0]


@pytest.fixture(scope="module")
def findings(lake: Lake) -> list[Finding]:
    return rows(Finding, lake.read(Findings))


@pytest.fixture(scope="module")
def reconciled(lake: Lake) -> pl.DataFrame:
    return lake.read(CostReconciliation).filter("is_settled")


def of(findings: list[Finding], planted: Planted) -> Finding:
    """The finding of what was planted."""
    (found,) = [
        one for one in findings if (one.rule, one.subject_id) == (planted.rule, planted.subject_id)
    ]
    return found


def names(planted: Planted) -> str:
    return f"{planted.rule} {planted.subject_id}"


def test_exactly_what_was_planted_is_found(findings: list[Finding]) -> None:
    found = sorted((one.rule, one.subject_id) for one in findings)
    assert found == sorted((one.rule, one.subject_id) for one in PLANTED)


@pytest.mark.parametrize("planted", [one for one in PLANTED if not one.is_estimate], ids=names)
def test_a_finding_has_the_day_and_the_dollars_that_were_planted(
    findings: list[Finding], planted: Planted
) -> None:
    found = of(findings, planted)
    assert (found.since_day, found.impact_usd) == (planted.since_day, planted.usd)


@pytest.mark.parametrize(
    "planted",
    [one for one in PLANTED if one.is_estimate and one.rule.startswith("anomalies.")],
    ids=names,
)
def test_an_anomaly_is_within_what_was_planted_and_counts_no_dollar_more(
    findings: list[Finding], planted: Planted
) -> None:
    found = of(findings, planted)
    assert planted.since_day <= found.since_day <= found.day <= LAST
    assert 0 < found.impact_usd <= planted.usd


def test_the_forecast_is_within_a_fortieth_of_what_the_month_then_costs(
    findings: list[Finding],
) -> None:
    (planted,) = [one for one in PLANTED if one.rule == "budgets.forecast_exceeds"]
    found = of(findings, planted)
    assert planted.since_day <= found.since_day
    (limit,) = [
        Decimal(str(one["limit_usd"]))
        for one in BUDGETS
        if planted.subject_id.startswith(one["name"])
    ]
    assert abs(found.impact_usd - planted.usd) < (limit + planted.usd) / 40


@pytest.mark.parametrize("innocent", INNOCENT)
def test_no_finding_is_about_someone_who_only_looks_guilty(
    findings: list[Finding], innocent: str
) -> None:
    fixtures = COMPANY.fixtures
    known = (*fixtures.api_keys, *fixtures.people, *fixtures.projects)
    assert innocent in {one.id for one in known}
    assert innocent not in {one.subject_id.partition("/")[0] for one in findings}


# --- credits and refunds -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "usd"), [(EventKind.REFUND, "-24.30"), (EventKind.CREDIT, "-60.00")]
)
def test_money_that_came_back_is_in_every_sum_of_its_day(
    lake: Lake, kind: EventKind, usd: str
) -> None:
    (day,) = COMPANY.event(kind).days
    assert COMPANY.event(kind).usd == Decimal(usd)
    negative = lake.read(Ledger, [day]).filter(pl.col("billed_usd") < 0)
    assert added(negative["billed_usd"]) == Decimal(usd)
    truth = added(line.amount for line in COMPANY.ledger(day, DEMO_NOON))
    assert {added(lake.read(table, [day])["billed_usd"]) for table in BILLS} == {truth}


def test_a_refund_is_at_list_price_and_its_pictures_were_used_all_the_same(lake: Lake) -> None:
    (day,) = COMPANY.event(EventKind.REFUND).days
    checked = lake.read(PriceCheck, [day]).filter(line_item="gpt-image-2.5-flare image, output")
    assert checked["cause"].to_list() == ["agrees"]
    shares = lake.read(SpendAttribution, [day]).filter(pl.col("billed_usd") < 0)
    assert shares.select("user_id", "attribution", "billed_usd").rows() == [
        ("user-paolo", "allocated", Decimal("-24.30"))
    ]


# --- prices --------------------------------------------------------------------------------------


def test_newer_models_cost_a_tenth_more_in_the_region_and_nothing_is_above_list(lake: Lake) -> None:
    checked = lake.read(PriceCheck)
    assert set(checked["cause"]) == {
        "agrees",
        "contract_discount",
        "label_not_parsed",
        "no_price",
        "regional_uplift",
        "unknown_tier",
    }
    regional = checked.filter(cause="regional_uplift")
    assert set(regional["model"]) == {"gpt-5.4-2026-03-05"}
    assert set(regional["residency"]) == set(RESIDENCY.values())
    assert (regional["billed_usd"] * 10 == regional["expected_usd"] * 11).all()
    older = checked.filter(residency="EU_STORAGE_PROCESSING", model="gpt-5-mini-2025-08-07")
    assert set(older["cause"]) == {"agrees"}


def test_a_tuned_model_has_one_name_and_the_price_that_is_listed(
    lake: Lake, reconciled: pl.DataFrame
) -> None:
    ((billed, asked),) = TUNED.items()
    assert asked in set(lake.read(GatewaySpend)["model"])
    tuned = lake.read(Spend).filter(pl.col("model").str.starts_with("ft"))
    assert set(tuned["model"]) == {billed}
    checked = lake.read(PriceCheck).filter(model=billed)
    assert set(checked["cause"]) == {"agrees"}
    compared = reconciled.filter(pl.col("model").str.starts_with("ft"))
    assert compared.height > 0
    assert set(compared["cause"]) == {"agrees"}
    assert compared["gap_usd"].sum() == 0


# --- the gateway ---------------------------------------------------------------------------------


def test_a_rotated_virtual_key_is_the_key_of_its_name_on_every_day(
    lake: Lake, reconciled: pl.DataFrame
) -> None:
    old = lake.read(GatewayTokens).filter(token_id=BEFORE_THE_ROTATION)
    assert old.select("status", "openai_api_key_id", "mapping").rows() == [
        ("unlisted", ROTATED, "token_name")
    ]
    rotated = TODAY - timedelta(days=ROTATED_AGE)
    of_key = reconciled.filter(api_key_id=ROTATED, model="gpt-5.4")
    for days in (of_key["day"] < rotated, of_key["day"] >= rotated):
        assert set(of_key.filter(days)["cause"]) == {"agrees"}
        assert added(of_key.filter(days)["gap_usd"]) == 0
        assert added(of_key.filter(days)["metered_usd"]) > 100


def test_keys_that_the_gateway_picks_by_model_agree_each_with_its_own_bill(
    lake: Lake, reconciled: pl.DataFrame
) -> None:
    metered = lake.read(GatewaySpend)
    for token in SHARED_TOKENS:
        assert metered.filter(token_id=token.token_id)["model"].n_unique() == len(PICKED_BY_MODEL)
    for key in PICKED_BY_MODEL:
        mine = reconciled.filter(api_key_id=key)
        assert set(mine["level"]) == {"key"}
        assert set(mine["cause"]) == {"agrees"}
        assert added(mine["billed_usd"]) == added(mine["metered_usd"]) > 50


# --- names ---------------------------------------------------------------------------------------


def test_people_projects_and_keys_of_one_name_are_distinguished(lake: Lake) -> None:
    published = f"{lake.root}/../published/openai_costs.duckdb"
    with duckdb.connect(published, read_only=True) as sql:
        for name, column, view in (
            ("Voice guide", "project", "bi.cost_daily"),
            ("voice guide", "api_key", "bi.cost_daily"),
        ):
            found = sql.sql(
                f"SELECT DISTINCT {column} FROM {view} WHERE {column} LIKE '{name}%'"  # noqa: S608 - our own names
            ).fetchall()
            assert len(found) == 2, name
    people = lake.read(Seats).filter(name="Lucia Ferrandez")
    assert people.select("user_id", "person_id", "team", "is_idle").sort("user_id").rows() == [
        ("user-lferrandez", "tm-lferrandez", "studio", False),
        ("user-lucia", "tm-lucia", "search", True),
    ]


def test_a_person_in_both_directories_counts_once_and_has_left_if_one_says_so(lake: Lake) -> None:
    people = lake.read(Engineers)
    entered = {one.name for one in COMPANY.fixtures.people if one.id != "user-paolo"}
    assert set(people["name"]) == entered
    assert people.height == len(COMPANY.fixtures.people) - 1
    assert people.filter(status="left")["name"].to_list() == ["Jonas Marten"]
    assert people["origin"].str.contains("catalog.yaml").sum() > 5


# --- an erratic key ------------------------------------------------------------------------------


def test_a_key_that_was_always_erratic_has_days_ten_times_its_usual_one(lake: Lake) -> None:
    swept = lake.read(Spend, DayRange(TODAY - timedelta(days=60), LAST)).filter(
        api_key_id="key_search_sweeps"
    )
    by_day: dict[date, Decimal] = dict(swept.group_by("day").agg(pl.col("billed_usd").sum()).rows())
    idle = 59 - len(by_day)
    assert idle > 15
    assert max(by_day.values()) > 10 * min(by_day.values()) > 0


# --- savings -------------------------------------------------------------------------------------


def test_what_is_idle_or_there_twice_is_what_was_planted(lake: Lake) -> None:
    found = lake.read(Optimization).select("rule", "subject").rows()
    kinds = ("optimization.idle", "optimization.duplicate")
    assert {(rule, subject) for rule, subject in found if rule in kinds} == {
        ("optimization.idle", "proj_hack_week"),
        ("optimization.idle", "key_labs_signe"),
        ("optimization.idle", "key_labs_unused"),
        ("optimization.duplicate", "key_studio_amrit"),
        ("optimization.duplicate", "proj_voice_guide"),
    }
