from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from upath import UPath

import openai_costs
from openai_costs.outputs.alerts.rules import QUESTIONS
from openai_costs.questions.budgets.causes import ENOUGH, MOST
from openai_costs.questions.budgets.findings import (
    LATE_THRESHOLD_PCT,
    MOST_DAYS,
    SHARE,
    budget_candidates,
)
from openai_costs.questions.budgets.findings import QUESTIONS as BUDGETS
from openai_costs.questions.budgets.status import FORECAST_DAYS, KEPT_DAYS
from openai_costs.questions.causes import as_json, cause
from openai_costs.questions.rules import Facts
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs_tests.questions.budgets import ledger
from openai_costs_tests.questions.budgets.ledger import counted, status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs.settings import Budget

PAGE = (Path(openai_costs.__file__).parent.parent / "docs" / "alerts.md").read_text("utf-8")
NOVEMBER = date(2026, 11, 1)
GREW = '[{"dimension":"api_key","id":"key_1","name":"etl","impact_usd":"20"}]'


@pytest.fixture(scope="module", autouse=True)
def forecasts() -> Iterator[None]:
    """As many as the tests look back."""
    with ledger.forecast_on(12):
        yield


def budget(limit: str = "100", **said: object) -> Budget:
    return ledger.budget(limit, owner="finops", **said)


def on(through: date, one: Budget, **known: Any) -> pl.DataFrame:  # noqa: ANN401 - any of counted
    """What is said of November when everything is settled through a day."""
    told = budget_candidates(status(one, counted(through, **known)), [one])
    return told.filter(pl.col("subject_id").str.starts_with(f"all/{NOVEMBER}"))


def test_a_limit_that_was_passed_is_reported_with_its_numbers_and_since_when() -> None:
    row = on(date(2026, 11, 12), budget()).filter(rule="budgets.exceeded").row(0, named=True)
    assert (row["since_day"], row["day"]) == (date(2026, 11, 11), date(2026, 11, 12))
    assert (row["observed"], row["threshold"], row["impact_usd"]) == (120, 100, Decimal(20))
    assert (row["severity"], row["owner"], row["connection"]) == ("critical", "finops", "*")
    assert (
        "Total spend was $120.00 of $100.00 (120 %) from 2026-11-01 to 2026-11-12" in row["because"]
    )
    assert ": $20.00 above the limit, which it passed on 2026-11-11." in row["because"]
    assert " forecast by 2026-11-30; 80 % range: $" in row["outlook"]


def test_the_reason_names_what_grew_and_against_what() -> None:
    one = budget("90", scope="team", id="labs")
    rows = status(one, counted()).with_columns(
        causes=pl.lit(GREW),
        compared_usd=pl.lit(80, BudgetStatus.types()["compared_usd"]),
        compared_start=date(2026, 10, 1),
    )
    november = budget_candidates(rows, [one]).filter(pl.col("day") == ledger.THROUGH)
    said = november.filter(rule="budgets.exceeded")["because"].item()
    assert "Spend of team Labs was $100.00 of $90.00 (111 %)" in said
    assert "Compared with $80.00 from 2026-10-01 to 2026-10-10: API key etl +$20.00." in said
    alone = budget_candidates(rows.with_columns(compared_usd=None), [one])
    assert "Most of it: API key etl $20.00." in " ".join(alone["because"])


def test_each_threshold_is_one_subject_a_period_until_a_higher_one_takes_its_place() -> None:
    one = budget("200", thresholds_pct=[26, 52, 92])
    days = [NOVEMBER + timedelta(days=i) for i in (3, 4, 9, 16, 18, 29)]
    rows = [on(day, one).filter(rule="budgets.threshold") for day in days]
    assert [len(some) for some in rows] == [0, 0, 1, 1, 1, 0]  # the last is above the limit
    subjects = pl.concat(rows).select("subject_id", "since_day", "impact_usd", "severity").unique()
    assert sorted(subjects.rows()) == [
        ("all/2026-11-01/26%", date(2026, 11, 6), Decimal(8), "info"),
        ("all/2026-11-01/52%", date(2026, 11, 11), Decimal(6), "info"),
        ("all/2026-11-01/92%", date(2026, 11, 19), Decimal(6), "warning"),
    ]


def test_a_forecast_above_the_limit_is_reported_from_the_fifth_day_until_it_is_exceeded() -> None:
    one = budget("150", thresholds_pct=[])
    days = [NOVEMBER + timedelta(days=i) for i in (3, 4, 9, 14, 15)]
    told = pl.concat(on(day, one).filter(rule="budgets.forecast_exceeds") for day in days)
    assert [day.day for day in told["day"]] == [5, 10, 15]
    assert set(told["since_day"]) == {date(2026, 11, 5)}
    row = told.filter(day=date(2026, 11, 10)).row(0, named=True)
    assert row["impact_usd"] == row["expected"] - row["threshold"]
    assert "day 10 of 30, against $50.00 at an even pace. $" in row["because"]


def test_a_period_that_began_before_it_was_read_says_from_when_it_is_counted() -> None:
    (said,) = on(date(2026, 11, 12), budget("50", thresholds_pct=[]), first=date(2026, 11, 4))[
        "because"
    ]
    assert "$90.00 of $50.00 (180 %)" in said
    assert "from 2026-11-04 (the first settled day) to 2026-11-12" in said


def test_a_forecast_that_is_switched_off_is_not_reported() -> None:
    one = budget("150", thresholds_pct=[], forecast=False)
    assert on(date(2026, 11, 10), one).is_empty()


def test_unread_days_silence_the_forecast_and_are_reported_where_the_limit_is_exceeded() -> None:
    gone = [date(2026, 11, 3)]
    one = budget("150", thresholds_pct=[])
    assert on(date(2026, 11, 10), one, missing=gone).is_empty()
    (said,) = on(date(2026, 11, 18), one, missing=gone)["because"]
    assert "$170.00 of $150.00" in said
    assert "without 1 day that could not be read: $20.00 above" in said


def test_a_day_that_is_late_is_no_all_clear_for_a_forecast() -> None:
    one = budget("150", thresholds_pct=[])
    (whole,) = on(date(2026, 11, 10), one).rows(named=True)
    (open_,) = on(date(2026, 11, 12), one, missing=[date(2026, 11, 11)]).rows(named=True)
    assert (open_["rule"], open_["day"]) == ("budgets.forecast_exceeds", date(2026, 11, 12))
    same = ("since_day", "impact_usd", "because", "outlook")
    assert [open_[name] for name in same] == [whole[name] for name in same]


def test_a_budget_of_one_connection_waits_for_that_one_only() -> None:
    twelfth = date(2026, 11, 12)
    alone = on(twelfth, budget(connection="acme"))
    assert set(alone["connection"]) == {"acme"}
    assert all(said.startswith("Total spend in acme was ") for said in alone["because"])
    assert set(on(twelfth, budget(scope="connection", id="acme"))["connection"]) == {"acme"}
    both = budget(scope="connection", ids=["acme", "labs"])
    assert set(on(twelfth, both)["connection"]) == {"*"}


def test_a_day_above_a_daily_limit_is_reported_for_itself_days_later_too() -> None:
    one = budget("15", period="daily", thresholds_pct=[])
    bad = {date(2026, 11, 4): "40", date(2026, 11, 6): "16"}
    told = budget_candidates(status(one, counted(other=bad)), [one])
    assert told["subject_id"].to_list() == [f"all/{day}" for day in bad]
    assert told["impact_usd"].to_list() == [25, 1]
    assert told["outlook"].null_count() == 2


def test_candidates_keep_their_contract_and_hold_no_address() -> None:
    said = on(date(2026, 11, 12), budget())
    assert Finding.broken_rules(said) == []
    assert not said["because"].str.contains("@").any()
    assert budget_candidates(BudgetStatus.no_rows(), []).is_empty()


CREDIT = {date(2026, 11, 20): "-117.5"}
"""Ten dollars a day, and a credit of 127.50 on the twentieth."""


def test_a_credit_that_takes_the_spend_below_the_limit_ends_the_episode_and_names_its_day() -> None:
    one = budget("170", thresholds_pct=[40, 80])
    rows = on(date(2026, 11, 26), one, other=CREDIT)
    over, threshold = (rows.filter(rule=f"budgets.{name}") for name in ("exceeded", "threshold"))
    (row,) = over.rows(named=True)
    assert (row["since_day"], row["day"]) == (date(2026, 11, 18), date(2026, 11, 19))
    assert (row["observed"], row["impact_usd"], row["outlook"]) == (190, 20, None)
    assert row["because"] == (
        "Total spend was $190.00 of $170.00 (112 %) from 2026-11-01 to 2026-11-19: "
        "$20.00 above the limit, which it passed on 2026-11-18. "
        "Credits or refunds on 2026-11-20 took it back to $72.50, within the limit."
    )
    (passed,) = threshold.rows(named=True)
    assert passed["subject_id"] == "all/2026-11-01/40%"
    assert passed["since_day"] == date(2026, 11, 7)


def test_a_limit_that_is_passed_again_after_a_credit_names_both_days() -> None:
    one = budget("170", thresholds_pct=[])
    days = {date(2026, 11, 20): "-50", date(2026, 11, 22): "60"}
    rows = on(date(2026, 11, 24), one, other=days).filter(rule="budgets.exceeded")
    assert rows["since_day"].to_list() == [date(2026, 11, 18), date(2026, 11, 22)]
    first, again = rows["because"]
    assert "above the limit, which it passed on 2026-11-18. Credits or refunds" in first
    assert (
        "above the limit, which it passed on 2026-11-18 and, after credits or refunds, again on "
        "2026-11-22." in again
    )


def test_a_threshold_is_passed_since_the_spend_was_last_below_it() -> None:
    one = budget("170", thresholds_pct=[50])
    (row,) = (
        on(date(2026, 11, 26), one, other=CREDIT).filter(rule="budgets.threshold").rows(named=True)
    )
    assert row["since_day"] == date(2026, 11, 22)
    what = "The budget passed 50 % ($85.00) on 2026-11-22, day 22 of 30. "
    assert row["because"].startswith(what)
    assert row["impact_usd"] == Decimal("7.5")


def test_a_share_that_a_credit_took_back_is_not_reported_any_more_but_the_one_that_holds() -> None:
    one = budget("200", thresholds_pct=[50, 80])
    told = {
        day: on(date(2026, 11, day), one, other=credit).filter(rule="budgets.threshold")
        for day, credit in ((19, {}), (20, CREDIT), (26, CREDIT))
    }
    assert {day: rows["subject_id"].to_list() for day, rows in told.items()} == {
        19: ["all/2026-11-01/80%"],
        20: [],
        26: ["all/2026-11-01/50%"],
    }
    assert told[26]["since_day"].to_list() == [date(2026, 11, 23)]


def test_a_threshold_above_the_limit_is_reported_beside_it() -> None:
    rows = on(date(2026, 11, 26), budget("200", thresholds_pct=[50, 120]))
    assert rows["rule"].to_list().count("budgets.exceeded") == 1
    assert rows.filter(rule="budgets.threshold")["subject_id"].to_list() == ["all/2026-11-01/120%"]


def test_a_negative_sum_never_appears_as_an_overrun() -> None:
    bad = {date(2026, 11, 3): "90", date(2026, 11, 4): "-400"}
    rows = on(date(2026, 11, 10), budget("100", thresholds_pct=[50, 80]), other=bad)
    (row,) = rows.rows(named=True)
    assert (row["rule"], row["day"]) == ("budgets.exceeded", date(2026, 11, 3))
    assert "took it back to -$290.00" in row["because"]


def test_a_budget_that_was_removed_from_the_settings_says_nothing_more() -> None:
    assert budget_candidates(status(budget("5"), counted()), []).is_empty()


def test_a_forecast_is_judged_on_the_days_that_have_one_and_a_limit_on_every_day(
    tmp_path: Path,
) -> None:
    lake, one = Lake(UPath(tmp_path)), budget()
    settings = Settings(home="nowhere", config_file=tmp_path / "none.toml", budgets=(one,))
    facts = Facts(settings, datetime(2026, 11, 10, tzinfo=UTC))
    for question in BUDGETS:
        assert question.judges_since(lake, facts) == date.min
    lake.replace_whole(BudgetStatus, status(one, counted(date(2026, 11, 8))))
    limits, forecasts = BUDGETS
    assert limits.judges_since(lake, facts) == date.min
    assert forecasts.judges_since(lake, facts) == date(2026, 11, 8) - timedelta(days=11)
    ended = status(budget(name="ended"), counted(date(2026, 10, 20)))
    both = pl.concat([ended, lake.read(BudgetStatus)])
    lake.replace_whole(BudgetStatus, both)
    assert min(ended.drop_nulls("forecast_usd")["day"]) < date(2026, 10, 20)
    assert forecasts.judges_since(lake, facts) == date(2026, 11, 8) - timedelta(days=11)
    assert set(forecasts.ask(lake, facts)["rule"]) == {"budgets.forecast_exceeds"}
    assert "budgets.forecast_exceeds" not in set(limits.ask(lake, facts)["rule"])


def test_a_scope_and_causes_that_have_namesakes_are_distinguished(tmp_path: Path) -> None:
    lake, one = Lake(UPath(tmp_path)), budget("90", scope="project", id="proj_2")
    each = [cause("api_key", f"key_{n}", Decimal(360), "prod") for n in (1, 2)]
    rows = status(one, counted()).with_columns(
        scope_name=pl.lit("Atlas"), causes=pl.lit(as_json(each))
    )
    lake.replace_whole(BudgetStatus, rows)
    settings = Settings(home="nowhere", config_file=tmp_path / "none.toml", budgets=(one,))
    ids = (("project", "proj_2"), ("api_key", "key_1"), ("api_key", "key_2"))
    marks = {of: f" \u00b7 {of[1]}" for of in ids}
    found = BUDGETS[0].ask(lake, Facts(settings, datetime(2026, 11, 10, tzinfo=UTC), marks))
    said = found.filter(rule="budgets.exceeded")["because"][-1]
    assert said.startswith("Spend of project Atlas \u00b7 proj_2 was ")
    assert "API key prod \u00b7 key_1 $360.00, API key prod \u00b7 key_2 $360.00." in said


def test_budgets_are_among_the_questions_that_are_asked() -> None:
    assert set(BUDGETS) <= set(QUESTIONS)


def test_the_page_says_the_numbers_of_the_code() -> None:
    flat = " ".join(PAGE.split())
    for words in (
        f"of those that ended within {KEPT_DAYS} days",
        f"The newest {FORECAST_DAYS} days have one each",
        f"a sixth of the period or {MOST_DAYS} days of it have passed",
        "the fewest of each that explain 80 % of the growth, three at most",
        f"From {LATE_THRESHOLD_PCT} % on, a warning",
    ):
        assert words in flat
    assert (6, Decimal("0.8"), 3) == (SHARE, ENOUGH, MOST)
