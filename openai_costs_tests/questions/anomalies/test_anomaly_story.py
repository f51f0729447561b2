"""What was planted at the sample organisation is found, with its cause, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from openai_costs.orchestration.asset_previews import MOST_CHARACTERS
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.questions.anomalies.evaluation import Evaluation, evaluate
from openai_costs.questions.anomalies.preview import preview, top_five
from openai_costs.sample.company.events import Event, EventKind
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs.settings import Anomalies
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs_tests.conftest import DEMO_NOON

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

PLANTED: Final = sample_organisation(DEMO_NOON.date(), seed="7")
SPEND: Final = {
    EventKind.RUNAWAY_KEY: ("anomalies.spike", "user-hyejin", "key_labs_hyejin", "gpt-5.6-sol"),
    EventKind.MODEL_LAUNCH: (
        "anomalies.level_shift",
        "user-svc-route_api",
        "key_route_prod",
        "gpt-6-astra",
    ),
    EventKind.SLOW_LEAK: (
        "anomalies.slow_leak",
        "key_search_reindex",
        "key_search_reindex",
        "gpt-5-mini-2025-08-07",
    ),
    EventKind.LEAVER_KEY: (
        "anomalies.spike",
        "key_labs_jonas",
        "key_labs_jonas",
        "gpt-5.4-2026-03-05",
    ),
    EventKind.WEEKEND_ACTIVITY: (
        "anomalies.awake_at_the_weekend",
        "user-freya",
        "key_finance_freya",
        "gpt-5-mini-2025-08-07",
    ),
    EventKind.NEW_KEY: ("anomalies.new_spender", "key_labs_new", "key_labs_new", "gpt-5.6-sol"),
}
"""The rule, the subject, and the key and model that must be named as causes."""


@pytest.fixture(scope="module")
def told(told_demo: tuple[Lake, str]) -> tuple[Lake, str]:
    return told_demo


@pytest.fixture(scope="module")
def findings(told: tuple[Lake, str]) -> list[Finding]:
    found = rows(Finding, told[0].read(Findings))
    return [one for one in found if one.rule.startswith("anomalies.")]


@pytest.fixture(scope="module")
def anomalies(told: tuple[Lake, str]) -> pl.DataFrame:
    return told[0].read(SpendAnomalies)


@pytest.fixture(scope="module")
def evaluation(told: tuple[Lake, str]) -> Evaluation:
    return evaluate(told[0], Anomalies())


def event(kind: EventKind) -> Event:
    return PLANTED.event(kind)


def causes(row: dict[str, Any]) -> dict[tuple[str, str], Decimal]:
    said = json.loads(row["causes"])
    return {(one["dimension"], one["id"]): Decimal(one["impact_usd"]) for one in said}


@pytest.mark.parametrize("kind", SPEND)
def test_what_was_planted_is_found_with_its_key_and_model(
    findings: list[Finding], anomalies: pl.DataFrame, kind: EventKind
) -> None:
    rule, subject, key, model = SPEND[kind]
    (found,) = [one for one in findings if (one.rule, one.subject_id) == (rule, subject)]
    first, last = event(kind).days[0], event(kind).days[-1]
    assert first <= found.since_day <= found.day <= last
    days = anomalies.filter("is_told", series_id=subject)
    named = {one for row in days.iter_rows(named=True) for one in causes(row)}
    assert key in {subject} | {name for _, name in named}
    assert ("model", model) in named


def test_nothing_else_is_found(findings: list[Finding]) -> None:
    assert sorted((one.rule, one.subject_id) for one in findings) == sorted(
        (rule, subject) for rule, subject, *_ in SPEND.values()
    )


def test_what_goes_on_is_open_and_what_is_over_is_not(findings: list[Finding]) -> None:
    open_now = {one.subject_id for one in findings if one.state in ("open", "growing")}
    assert event(EventKind.SLOW_LEAK).days[-1] >= date(2026, 11, 20)
    assert open_now == {
        "key_labs_jonas",
        "key_labs_new",
        "key_search_reindex",
        "user-svc-route_api",
    }


def test_the_dollars_of_the_runaway_key_are_those_that_were_planted(
    findings: list[Finding],
) -> None:
    (found,) = [one for one in findings if one.subject_id == "user-hyejin"]
    assert found.impact_usd == event(EventKind.RUNAWAY_KEY).usd == Decimal(880)
    assert found.severity == "critical"
    for words in ("$520.00 on 2026-11-15", "$880.00 above", "API key agent experiments +$880.00"):
        assert words in found.because


def test_the_job_of_every_month_is_no_finding(findings: list[Finding]) -> None:
    assert not {"key_finance_close", "user-svc-ledger_close"} & {one.subject_id for one in findings}


@pytest.mark.parametrize("kind", [EventKind.RESTATED_DAY, EventKind.NO_ROWS])
def test_trouble_with_data_is_no_finding_about_spend(
    anomalies: pl.DataFrame, kind: EventKind
) -> None:
    (day,) = event(kind).days
    planted = {subject for _, subject, *_ in SPEND.values()}
    told_then = set(anomalies.filter("is_told", day=day)["series_id"])
    assert told_then <= planted
    assert kind is not EventKind.NO_ROWS or not told_then


def test_only_settled_days_are_judged(anomalies: pl.DataFrame) -> None:
    assert anomalies["day"].max() == date(2026, 11, 21)


def test_one_incident_is_reported_once_and_seen_at_other_levels(anomalies: pl.DataFrame) -> None:
    runaway = anomalies.filter(incident_id="up/user:sample/user-hyejin/2026-11-14")
    assert runaway.filter("is_told")["series_id"].unique().to_list() == ["user-hyejin"]
    assert set(runaway["series_kind"]) >= {
        "organization",
        "provider",
        "user",
        "api_key",
        "model",
    }


def test_impacts_are_exact_differences_and_every_dimension_adds_up(anomalies: pl.DataFrame) -> None:
    assert anomalies.height > len(SPEND)
    for row in anomalies.iter_rows(named=True):
        assert row["actual_usd"] - row["expected_usd"] == row["impact_usd"]
        sums: dict[bool, Decimal] = {}
        for (dimension, _), usd in causes(row).items():
            who = dimension in ("user", "api_key")
            sums[who] = sums.get(who, Decimal(0)) + usd
        assert set(sums.values()) == {row["impact_usd"]}


def test_the_effects_of_a_cause_add_up_to_it(anomalies: pl.DataFrame) -> None:
    said = [one for text in anomalies["causes"] for one in json.loads(text)]
    split = ("volume_usd", "mix_usd", "price_usd", "unmeasured_usd")
    for one in said:
        assert sum(Decimal(one[name]) for name in split) == Decimal(one["impact_usd"])


def test_the_launch_is_volume_of_the_new_model_not_a_price(anomalies: pl.DataFrame) -> None:
    days = anomalies.filter("is_told", series_id="user-svc-route_api")
    said = [one for text in days["causes"] for one in json.loads(text)]
    launched = [one for one in said if one["id"] == "gpt-6-astra"]
    assert launched
    assert {Decimal(one["price_usd"]) for one in launched} == {Decimal(0)}


def test_the_demo_prints_the_worst_open_findings_in_dollars(told: tuple[Lake, str]) -> None:
    said = told[1].partition("open findings (")[2].partition("Files:")[0].splitlines()
    number = int(told[1].partition(" open findings (")[0].split()[-1])
    opened = [
        one for one in rows(Finding, told[0].read(Findings)) if one.state in ("open", "growing")
    ]
    assert (number, said[0][:19]) == (len(opened), "the 5 worst shown),")
    titles = [line for line in said[1:] if re.match(r"  \w{8,}  \w", line)]
    assert [line.split()[1] for line in titles] == ["open"] * 5
    assert "over its limit on" in said[1]


def test_a_second_evaluation_of_the_same_days_finds_the_same(
    evaluation: Evaluation, anomalies: pl.DataFrame
) -> None:
    assert evaluation.anomalies.equals(anomalies)
    assert (evaluation.judged_days, evaluation.incidents) == (62, len(SPEND))


def test_a_day_was_judged_the_same_when_it_was_the_newest(
    told: tuple[Lake, str], tmp_path: Path, anomalies: pl.DataFrame
) -> None:
    then, lake = date(2026, 11, 10), told[0]
    shutil.copytree(str(lake.root), tmp_path / "lake")
    earlier = Lake(place(str(tmp_path)))
    coverage = lake.read(Coverage)
    earlier.replace_whole(Coverage, coverage.filter(coverage["day"] <= then))
    seen = evaluate(earlier, Anomalies()).anomalies
    kept = [name for name in seen.columns if name not in {"series_name", "team", "owner"}]
    both = (anomalies["day"] <= then) & (anomalies["day"] >= seen["day"].min())
    assert seen.height > 50
    assert seen.select(kept).equals(anomalies.filter(both).select(kept))


def test_the_asset_page_shows_the_newest_day_and_five_incidents(evaluation: Evaluation) -> None:
    picture, table = preview(evaluation.verdicts), top_five(evaluation.anomalies)
    assert "**$233.99** on 2026-11-21" in picture
    assert "data:image/svg+xml," in picture
    assert "| new entity | API key new pipeline | 2026-11-17 to 2026-11-21 | +$100.00 |" in table
    assert len(table.splitlines()) == 7
    assert max(len(picture), len(table)) < MOST_CHARACTERS


def test_no_address_is_in_any_row(anomalies: pl.DataFrame) -> None:
    for name in ("series_name", "owner", "team", "causes"):
        assert not anomalies[name].str.contains("@").any()
