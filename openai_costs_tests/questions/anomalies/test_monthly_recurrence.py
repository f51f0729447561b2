from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from openai_costs.questions.anomalies.monthly_recurrence import recurred_next_month

FIRST = date(2026, 7, 1)
Cost = dict[date, float]


def verdicts(spent: Cost) -> pl.DataFrame:
    """A key that costs 10 dollars a day, as expected, but on some days."""
    days = [FIRST + timedelta(days=number) for number in range(92)]
    rows = [("key:k", one, spent.get(one, 10.0), 10.0) for one in days]
    return pl.DataFrame(rows, schema=["series_id", "day", "cost", "expected"], orient="row")


def told(spent: Cost, *days: date) -> list[str]:
    judged = verdicts(spent)
    flags = judged.filter(pl.col("day").is_in(list(days)))
    return recurred_next_month(flags.with_columns(incident_id=pl.lit("i")), judged)


def test_a_spike_that_comes_back_at_the_next_month_s_end_was_a_job_of_every_month() -> None:
    spent = {date(2026, 7, 31): 100.0, date(2026, 8, 31): 90.0}
    assert told(spent, date(2026, 7, 31)) == ["i"]


def test_weekends_move_the_last_working_day() -> None:
    spent = {date(2026, 7, 31): 100.0, date(2026, 8, 29): 100.0}
    assert told(spent, date(2026, 7, 31)) == ["i"]


def test_a_spike_that_does_not_come_back_is_one() -> None:
    assert told({date(2026, 7, 31): 100.0}, date(2026, 7, 31)) == []


def test_a_spike_that_comes_back_on_another_day_or_much_smaller_is_one() -> None:
    assert told({date(2026, 7, 10): 100.0, date(2026, 8, 14): 100.0}, date(2026, 7, 10)) == []
    assert told({date(2026, 7, 31): 100.0, date(2026, 8, 31): 30.0}, date(2026, 7, 31)) == []


def test_three_days_are_no_monthly_job() -> None:
    spent = {date(2026, month, day): 100.0 for month in (7, 8) for day in (10, 11, 12)}
    assert told(spent, *(date(2026, 7, day) for day in (10, 11, 12))) == []
