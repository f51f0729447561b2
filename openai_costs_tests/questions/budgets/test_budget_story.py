"""The budgets of the sample organisation: one passed, one about to be, one on track."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from openai_costs.orchestration.asset_previews import MOST_CHARACTERS
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.questions.budgets.preview import preview, top_five
from openai_costs.questions.budgets.running import newest
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.forecast import Forecast
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import added

if TYPE_CHECKING:
    import polars as pl

    from openai_costs.storage.lake import Lake


@pytest.fixture(scope="module")
def lake(told_demo: tuple[Lake, str]) -> Lake:
    return told_demo[0]


@pytest.fixture(scope="module")
def status(lake: Lake) -> pl.DataFrame:
    return newest(lake.read(BudgetStatus), None)


def told(lake: Lake) -> list[Finding]:
    """What is not over of what is said about budgets."""
    found = rows(Finding, lake.read(Findings))
    return [one for one in found if one.rule.startswith("budgets.") and one.state != "closed"]


def test_each_stands_where_it_was_meant_to(status: pl.DataFrame) -> None:
    states = dict(status.select("budget", "state").rows())
    assert states == {"labs": "exceeded", "everything": "at_risk", "search": "on_track"}


def test_what_is_spent_is_what_the_marts_say_to_the_last_digit(
    lake: Lake, status: pl.DataFrame
) -> None:
    now = {row["budget"]: row for row in status.iter_rows(named=True)}
    inside = (now["labs"]["period_start"], now["labs"]["day"])
    spend, people = (lake.read(one) for one in (Spend, SpendAttribution))
    everything = spend.filter(spend["day"].is_between(*inside))
    labs = people.filter(people["day"].is_between(*inside)).filter(team="labs")
    assert now["everything"]["spent_usd"] == added(everything["billed_usd"])
    assert now["labs"]["spent_usd"] == added(labs["billed_usd"])


def test_a_budget_over_the_dollars_of_a_part_has_its_forecast(
    lake: Lake, status: pl.DataFrame
) -> None:
    parts = lake.read(Forecast)
    dollars = ["spent_usd", *(name for name in parts.columns if name.startswith("forecast"))]
    of_all, of_search = (
        parts.filter(scope="all"),
        parts.filter(scope="team", scope_id="search"),
    )
    for name, part in (("everything", of_all), ("search", of_search)):
        mine = status.filter(budget=name)
        assert mine["day"].to_list() == part["through_day"].to_list()
        assert mine.select(dollars).equals(part.select(dollars))


def test_the_overrun_is_the_agent_that_was_left_running(lake: Lake, status: pl.DataFrame) -> None:
    row = status.filter(budget="labs").row(0, named=True)
    who = json.loads(row["causes"])[0]
    assert (who["dimension"], who["id"]) == ("user", "user-hyejin")
    assert Decimal(who["impact_usd"]) > 880
    (found,) = [one for one in told(lake) if one.rule == "budgets.exceeded"]
    assert (found.subject_name, found.owner, found.state) == ("labs", "labs", "open")
    assert "user Hyejin Baek +" in found.because
    assert "model gpt-5.6-sol +" in found.because


def test_spend_above_the_limit_is_reported_once_with_what_grew(lake: Lake) -> None:
    (found,) = [one for one in told(lake) if one.rule == "budgets.forecast_exceeds"]
    assert (found.subject_name, found.state) == ("everything", "open")
    for word in ("agent experiments", "route api production", "nightly reindex"):
        assert f"API key {word} +" in found.because
    assert found.outlook is not None


def test_what_is_on_track_is_no_finding_but_its_thresholds(lake: Lake) -> None:
    said = {one.rule for one in told(lake) if one.subject_name == "search"}
    assert said <= {"budgets.threshold"}


def test_the_asset_page_shows_the_bars_and_the_five(status: pl.DataFrame) -> None:
    assert "data:image/svg+xml," in preview(status)
    assert "| labs | " in top_five(status)
    assert max(len(preview(status)), len(top_five(status))) < MOST_CHARACTERS
