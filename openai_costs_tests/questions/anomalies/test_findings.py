from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

import openai_costs
from openai_costs.questions.anomalies import findings
from openai_costs.questions.anomalies.findings import MEANINGS, found
from openai_costs.questions.anomalies.history import CONTEXT_DAYS, JUDGED_DAYS
from openai_costs.questions.anomalies.incidents import GAP_DAYS, LASTING_GAP_DAYS
from openai_costs.questions.anomalies.scoring import (
    BEGINNING_DAYS,
    FIRST_DAYS,
    SMALL_SHARE,
    TIMES_PEERS,
)
from openai_costs.questions.anomalies.thresholds import SIGMAS
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.spend_anomalies import KINDS, SpendAnomalies
from openai_costs_tests.questions.anomalies.bill import on

PAGE = (Path(openai_costs.__file__).parent.parent / "docs" / "alerts.md").read_text("utf-8")


def day(number: int, actual: str = "50", **other: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    """A day of the key k, of which ten dollars were expected."""
    said = {
        "day": on(number),
        "connection": "acme",
        "provider": "openai",
        "series_kind": "api_key",
        "series_id": "k",
        "series_name": "etl",
        "kind": "spike",
        "incident_id": "up/k",
        "is_told": True,
        "since_day": on(0),
        "actual_usd": Decimal(actual),
        "expected_usd": Decimal(10),
        "lower_usd": Decimal(5),
        "upper_usd": Decimal(20),
        "impact_usd": Decimal(actual) - 10,
        "score": Decimal(9),
        "direction": "up",
        "causes": json.dumps([{"dimension": "model", "id": "m", "impact_usd": "40"}]),
        "team": None,
        "owner": "Ada",
    }
    return said | other


def told(*days: dict[str, Any], critical: int = 500) -> list[dict[str, Any]]:
    rows = found(pl.DataFrame(days, schema=SpendAnomalies.types()), Decimal(critical))
    assert not Finding.broken_rules(rows)
    return rows.rows(named=True)


def test_an_incident_is_one_candidate_with_the_dollars_of_all_its_days() -> None:
    (row,) = told(day(0), day(1, "30"))
    assert (row["since_day"], row["day"]) == (on(0), on(1))
    assert (row["observed"], row["expected"], row["threshold"]) == (30, 10, 20)
    assert row["impact_usd"] == 60
    assert (row["subject_kind"], row["subject_id"], row["subject_name"]) == ("api_key", "k", "etl")


def test_the_reason_has_what_was_seen_expected_and_caused() -> None:
    (row,) = told(day(0))
    assert row["because"] == (
        "The api key etl of Ada is far above its past: $50.00 on 2026-01-05, expected $10.00 (as "
        "usual: $5.00 to $20.00). $40.00 above what was expected, on 1 day since 2026-01-05. "
        "What: model m +$40.00."
    )


def test_other_series_of_an_incident_say_nothing() -> None:
    assert told(day(0, is_told=False)) == []


def test_a_team_is_told_before_a_person() -> None:
    assert [told(day(0, team=team))[0]["owner"] for team in (None, "data")] == ["Ada", "data"]


def test_many_dollars_are_critical_and_a_drop_is_only_worth_knowing() -> None:
    assert told(day(0), critical=40)[0]["severity"] == "critical"
    assert told(day(0), critical=41)[0]["severity"] == "warning"
    (drop,) = told(day(0, "0", kind="drop", direction="down"), critical=0)
    assert (drop["rule"], drop["severity"], drop["threshold"]) == ("anomalies.drop", "info", 5)
    assert "$10.00 below what was expected" in drop["because"]


def test_what_lasts_says_so_and_what_the_month_will_cost() -> None:
    (row,) = told(day(0, "15", kind="leak"))
    assert "one day may be $5.00 to $20.00, but this lasts" in row["because"]
    assert row["outlook"] == (
        "+$130.00 by the end of the month, if the rest of it (26 days) is like 2026-01-05."
    )
    assert told(day(26, kind="leak"))[0]["outlook"] is None


def test_causes_of_all_days_are_summed_and_small_ones_are_together() -> None:
    several = [
        {"dimension": "user", "id": name, "name": name.title(), "impact_usd": usd}
        for name, usd in (("ada", "20"), ("bo", "-3"), ("cy", "2"), ("di", "1"))
    ]
    causes = json.dumps([*several, {"dimension": "user", "id": "none", "impact_usd": "30"}])
    (row,) = told(day(0, causes=causes), day(1, causes=causes))
    assert "Who: no user +$60.00, user Ada +$40.00, user Bo -$6.00, other +$6.00." in row["because"]


def test_every_kind_has_a_rule_and_waits_for_as_long_as_its_days_may_be_apart() -> None:
    assert set(MEANINGS) == set(KINDS)
    patience = {kind: meaning.rule.quiet_days for kind, meaning in MEANINGS.items()}
    assert {patience[kind] for kind in ("level_shift", "leak")} == {LASTING_GAP_DAYS}
    assert {days for kind, days in patience.items() if kind not in ("level_shift", "leak")} == {
        GAP_DAYS
    }


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    flat = " ".join(PAGE.split())
    assert f"`low` is {SIGMAS['low']}, `normal` {SIGMAS['normal']}, `high` {SIGMAS['high']}" in flat
    assert f"the newest {JUDGED_DAYS} days are judged" in flat
    assert f"at most {CONTEXT_DAYS} more" in flat
    assert len(re.findall(f"Closes after {GAP_DAYS} judged days", flat)) == 4
    assert len(re.findall(f"Closes after {LASTING_GAP_DAYS} judged days", flat)) == 1
    assert f"In its first {FIRST_DAYS} days of spend" in flat
    assert f"the first {BEGINNING_DAYS} days of the first reading" in flat
    assert (SMALL_SHARE, "from a twentieth of its mean day" in flat) == (0.05, True)
    assert (TIMES_PEERS, "people from three times" in flat) == (3.0, True)


def test_a_rule_is_asked_about_days_that_have_a_mart_of_spend() -> None:
    assert [table.full_name() for table in findings.QUESTION.reads] == [
        "mart.spend_anomalies",
        "mart.spend",
    ]
