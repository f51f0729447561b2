from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from upath import UPath

import openai_costs
from openai_costs.questions.anomalies import findings
from openai_costs.questions.anomalies.findings import QUESTION, incident_candidates
from openai_costs.questions.anomalies.history import CONTEXT_DAYS
from openai_costs.questions.anomalies.kinds.kind import GAP_DAYS, LASTING_GAP_DAYS
from openai_costs.questions.anomalies.ledger_series import JUDGED_DAYS
from openai_costs.questions.anomalies.scoring import (
    BEGINNING_DAYS,
    FIRST_DAYS,
    SMALL_SHARE,
    TIMES_PEERS,
)
from openai_costs.questions.anomalies.thresholds import SIGMAS
from openai_costs.questions.rules import Facts
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies
from openai_costs_tests.org import connected
from openai_costs_tests.questions.anomalies.bill import on

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def told(
    *days: dict[str, Any], critical: int = 500, settled: Mapping[str, int] | None = None
) -> list[dict[str, Any]]:
    """Candidates, where connections are settled from day 0 through one."""
    anomalies = pl.DataFrame(days, schema=SpendAnomalies.types())
    ends = settled or {}
    covered = connected(
        [
            (name, "costs", on(one), "settled" if one <= last else "provisional", 1, None, None)
            for name, last in ends.items()
            for one in range(max(ends.values()) + 1)
        ]
    )
    rows = incident_candidates(anomalies, Decimal(critical), covered)
    assert not Finding.broken_rules(rows)
    return rows.rows(named=True)


def test_a_candidate_names_the_other_subjects_of_its_connection_that_saw_the_incident() -> None:
    seen: dict[str, Any] = {"is_told": False}
    (row,) = told(
        day(0),
        day(0, series_kind="user", series_id="ada", **seen),
        day(1, series_kind="user", series_id="ada", **seen),
        day(0, series_kind="provider", series_id="openai", connection="*", **seen),
        day(0, series_kind="user", series_id="bo", incident_id="up/j", **seen),
    )
    assert row["also_seen_by"] == '[["user", "ada"]]'
    assert told(day(0))[0]["also_seen_by"] is None


def test_an_incident_is_one_candidate_with_the_dollars_of_all_its_days() -> None:
    (row,) = told(day(0), day(1, "30"))
    assert (row["since_day"], row["day"]) == (on(0), on(1))
    assert (row["observed"], row["expected"], row["threshold"]) == (30, 10, 20)
    assert row["impact_usd"] == 60
    assert (row["subject_kind"], row["subject_id"], row["subject_name"]) == ("api_key", "k", "etl")


def test_a_spike_of_one_day_names_the_dollars_the_day_and_what_would_be_normal() -> None:
    (row,) = told(day(0))
    assert row["because"] == (
        "API key etl (owner: Ada) spent $50.00 on 2026-01-05, against $10.00 expected. Up to "
        "$20.00 would be normal. $40.00 above expected on 2026-01-05. What: model m "
        "+$40.00."
    )


def test_days_in_a_row_are_judged_together_even_when_the_newest_alone_would_be_normal() -> None:
    (row,) = told(*(day(number) for number in range(14)), day(14, "15"))
    assert row["because"].startswith(
        "API key etl (owner: Ada) has spent more than usual for 15 days: $15.00 on 2026-01-19, "
        "against $10.00 expected. A single day of up to $20.00 would be normal; several in a row "
        "are not. Total: $565.00 above expected from 2026-01-05 to 2026-01-19."
    )


def test_days_with_gaps_are_counted_since_the_first() -> None:
    (row,) = told(day(0), day(2))
    assert "has spent more than usual on 2 days since 2026-01-05: " in row["because"]


def test_an_idle_day_does_not_expect_zero_dollars_but_nothing() -> None:
    (row,) = told(day(0, expected_usd=Decimal(0), impact_usd=Decimal(50)))
    assert "spent $50.00 on 2026-01-05, when nothing was expected. Up to $20.00" in row["because"]
    assert "$0.00" not in row["because"]


def test_weekend_activity_is_reported_of_its_first_day() -> None:
    saturday = day(5, kind="awake", series_kind="user", series_id="u", series_name="Freya")
    (row,) = told(saturday | {"owner": "Freya"}, saturday | {"owner": "Freya", "day": on(6)})
    assert row["because"].startswith(
        "User Freya spent money at a weekend for the first time in eight weeks: $50.00 on "
        "2026-01-10, and most recently $50.00 on 2026-01-11."
    )
    (monday,) = told(day(7, kind="awake"))
    assert "spent money on a weekday for the first time in eight weeks" in monday["because"]


def test_a_new_spender_has_the_dollars_of_its_range_of_days() -> None:
    (row,) = told(day(0, kind="new_entity"), day(1, "30", kind="new_entity"))
    assert (
        "is new and spent $80.00 from 2026-01-05 to 2026-01-06, of which $30.00 on"
        in (row["because"])
    )


def test_other_series_of_an_incident_say_nothing() -> None:
    assert told(day(0, is_told=False)) == []


def test_a_team_is_named_before_a_person() -> None:
    assert [told(day(0, team=team))[0]["owner"] for team in (None, "data")] == ["Ada", "data"]


def test_many_dollars_are_critical_and_a_drop_is_only_worth_knowing() -> None:
    assert told(day(0), critical=40)[0]["severity"] == "critical"
    assert told(day(0), critical=41)[0]["severity"] == "warning"
    (drop,) = told(day(0, "0", kind="drop", direction="down"), critical=0)
    assert (drop["rule"], drop["severity"], drop["threshold"]) == ("anomalies.drop", "info", 5)
    assert drop["because"].startswith(
        "API key etl (owner: Ada) spent $0.00 on 2026-01-05; $10.00 was expected on 2026-01-05. It "
        "had spent every day for at least two weeks. $10.00 below expected on 2026-01-05."
    )


def test_a_rise_that_lasts_says_since_when_and_what_the_month_will_cost() -> None:
    (row,) = told(day(0, "15", kind="leak"))
    assert row["because"].startswith(
        "API key etl (owner: Ada) has spent a little more every few days, noticeably since "
        "2026-01-05: $15.00 on 2026-01-05, against $10.00 expected. A single day of up to $20.00"
    )
    assert row["outlook"] == (
        "$130.00 more than expected by the end of the month, if the remaining 26 days are like "
        "2026-01-05."
    )
    assert told(day(26, kind="leak"))[0]["outlook"] is None
    (shift,) = told(day(0, kind="level_shift"))
    assert "has spent more than before since 2026-01-05: $50.00 on 2026-01-05" in shift["because"]


def test_settled_days_are_no_outlook_and_what_is_over_has_none() -> None:
    rise = day(0, kind="level_shift")
    for last, rest in {0: "$1,040.00", 1: "$1,000.00", 2: "$960.00", 3: None, 13: None}.items():
        outlook = told(rise, settled={"acme": last, "harbour": 13})[0]["outlook"]
        assert (outlook and outlook.partition(" more")[0]) == rest, last
    of_all = rise | {"connection": "*", "series_kind": "provider", "series_id": "openai"}
    (row,) = told(of_all, settled={"acme": 1, "harbour": 2})
    assert row["outlook"].startswith("$1,000.00 more than expected by the end of the month, if the")
    (last_day,) = told(day(24, kind="level_shift"), settled={"acme": 25})
    assert last_day["outlook"].endswith("if the last day is like 2026-01-29.")
    assert told(day(24, kind="level_shift"), settled={"acme": 26})[0]["outlook"] is None


def test_causes_of_all_days_are_summed_and_small_ones_are_together() -> None:
    several = [
        {"dimension": "user", "id": name, "name": name.title(), "impact_usd": usd}
        for name, usd in (("ada", "20"), ("bo", "-3"), ("cy", "2"), ("di", "1"))
    ]
    causes = json.dumps([*several, {"dimension": "user", "id": "none", "impact_usd": "30"}])
    (row,) = told(day(0, causes=causes), day(1, causes=causes))
    assert "Who: no user +$60.00, user Ada +$40.00, user Bo -$6.00, other +$6.00." in row["because"]


def test_namesakes_are_distinguished_in_subjects_and_causes(tmp_path: Path) -> None:
    lake = Lake(UPath(tmp_path))
    keys = [
        {"dimension": "api_key", "id": f"k{n}", "name": "prod", "impact_usd": "20"} for n in (1, 2)
    ]
    cleo: dict[str, Any] = {"series_kind": "user", "series_name": "Cleo Cruz", "owner": "Cleo Cruz"}
    days = [
        day(0, series_id=one, incident_id=f"up/{one}", causes=json.dumps(keys), **cleo)
        for one in ("user-a", "user-b")
    ]
    lake.replace_whole(SpendAnomalies, pl.DataFrame(days, schema=SpendAnomalies.types()))
    ids = (("user", "user-a"), ("user", "user-b"), ("api_key", "k1"), ("api_key", "k2"))
    marks = {of: f" \u00b7 {of[1]}" for of in ids}
    settings = Settings(home="nowhere", config_file=tmp_path / "none.toml")
    rows = QUESTION.ask(lake, Facts(settings, datetime(2026, 1, 20, tzinfo=UTC), marks))
    assert sorted(rows["subject_name"]) == ["Cleo Cruz \u00b7 user-a", "Cleo Cruz \u00b7 user-b"]
    assert all(
        row["because"].startswith(f"User {row['subject_name']} spent $50.00 on ")
        and "Who: API key prod \u00b7 k1 +$20.00, API key prod \u00b7 k2 +$20.00." in row["because"]
        for row in rows.iter_rows(named=True)
    )


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
    assert (TIMES_PEERS, "people from five times" in flat) == (5.0, True)


def test_a_rule_is_asked_about_days_that_have_a_mart_of_spend() -> None:
    assert [table.full_name() for table in findings.QUESTION.reads] == [
        "mart.spend_anomalies",
        "mart.spend",
    ]
