from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

import polars as pl

from openai_costs.alerts.registry import CANDIDATES
from openai_costs.budgets.findings import QUESTION, found
from openai_costs.budgets.status import Known, statuses
from openai_costs.sections import Budget
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.finding import Finding
from openai_costs.tables.mart.coverage import Coverage
from openai_costs_tests.budgets.test_status import ten_dollars_a_day

NOVEMBER = date(2026, 11, 1)


def budget(limit: str = "100", **said: object) -> Budget:
    return Budget.model_validate({"name": "all", "limit_usd": limit, "owner": "finops", **said})


def on(through: date, one: Budget) -> pl.DataFrame:
    """What is said when everything is settled through a day."""
    known = Known(
        {"all": ten_dollars_a_day(through)}, Coverage.no_rows(), SpendLimits.no_rows(), through
    )
    return found(statuses([one], known), [one])


def of_november(candidates: pl.DataFrame) -> pl.DataFrame:
    return candidates.filter(pl.col("subject_id").str.starts_with(f"all/{NOVEMBER}"))


def test_a_limit_that_was_passed_is_told_with_its_numbers_and_since_when() -> None:
    said = of_november(on(date(2026, 11, 12), budget())).filter(rule="budgets.exceeded")
    row = said.row(0, named=True)
    assert (row["since_day"], row["day"]) == (date(2026, 11, 11), date(2026, 11, 12))
    assert (row["observed"], row["threshold"], row["impact_usd"]) == (120, 100, Decimal(20))
    assert (row["severity"], row["owner"], row["connection"]) == ("critical", "finops", "*")
    assert "120.00 of 100.00 USD (120 %)" in row["because"]
    assert "20.00 USD above the limit, since 2026-11-11" in row["because"]
    assert "by 2026-11-30" in row["outlook"]


def test_each_threshold_is_one_subject_a_period_however_often_it_is_looked_at() -> None:
    one = budget("200", thresholds_pct=[25, 50, 90])
    days = [NOVEMBER + timedelta(days=i) for i in range(30)]
    told = pl.concat(of_november(on(day, one)) for day in days).filter(rule="budgets.threshold")
    subjects = told.select("subject_id", "since_day", "impact_usd", "severity").unique()
    assert sorted(subjects.rows()) == [
        ("all/2026-11-01/25%", date(2026, 11, 5), Decimal(50), "info"),
        ("all/2026-11-01/50%", date(2026, 11, 10), Decimal(100), "info"),
        ("all/2026-11-01/90%", date(2026, 11, 18), Decimal(180), "warning"),
    ]


def test_a_forecast_above_the_limit_is_told_from_the_fifth_day_until_it_is_exceeded() -> None:
    one = budget("150", thresholds_pct=[])
    days = [NOVEMBER + timedelta(days=i) for i in range(20)]
    told = [
        day.day
        for day in days
        if not of_november(on(day, one)).filter(rule="budgets.forecast_exceeds").is_empty()
    ]
    assert told == list(range(5, 16))
    row = of_november(on(date(2026, 11, 10), one)).row(0, named=True)
    assert row["impact_usd"] == row["expected"] - row["threshold"]
    assert "33 % of the days gone" in row["because"]


def test_a_forecast_that_nobody_wants_is_not_told() -> None:
    one = budget("150", thresholds_pct=[], forecast=False)
    assert of_november(on(date(2026, 11, 10), one)).is_empty()


def test_candidates_keep_their_contract_and_hold_no_address() -> None:
    said = on(date(2026, 11, 12), budget())
    assert Finding.broken_rules(said) == []
    assert not said["because"].str.contains("@").any()
    assert found(
        statuses([], Known({}, Coverage.no_rows(), SpendLimits.no_rows(), NOVEMBER)), []
    ).is_empty()


def test_a_budget_that_was_removed_from_the_settings_says_nothing_more() -> None:
    known = Known(
        {"all": ten_dollars_a_day()}, Coverage.no_rows(), SpendLimits.no_rows(), date(2026, 11, 10)
    )
    assert found(statuses([budget("5")], known), []).is_empty()


def test_budgets_are_among_the_questions_that_are_asked() -> None:
    assert set(QUESTION.rules) <= set(chain.from_iterable(one.rules for one in CANDIDATES))
