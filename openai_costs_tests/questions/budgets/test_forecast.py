from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from openai_costs.kernel.money import MONEY
from openai_costs.questions.budgets import forecast as module
from openai_costs.questions.budgets.forecast import DOLLARS, forecasts
from openai_costs_tests.questions.anomalies.series import MONDAY, flat, frame, on, shaped

NAMES = ["series_id", "forecast", "low80", "high80", "low95", "high95"]
PERIOD = ["as_of", "start", "end"]
START, END = date(2026, 6, 1), date(2026, 6, 30)
DAYS = (END - MONDAY).days + 1


def made(spend: pl.DataFrame, periods: list[tuple[date, date, date]]) -> pl.DataFrame:
    """The forecasts of periods in short names; every day of a series is settled."""
    asked = pl.DataFrame(periods, schema=dict.fromkeys(PERIOD, pl.Date), orient="row")
    asked = spend.select("series_id").unique().join(asked, how="cross")
    inside = pl.col("day").is_between("start", pl.min_horizontal("as_of", "end"))
    spent = pl.col("cost").filter(inside).sum().cast(MONEY)
    paid = asked.join(spend, on="series_id").group_by("series_id", *PERIOD).agg(spent_usd=spent)
    found = forecasts(spend.with_columns(is_settled=True), paid)
    short = dict(zip(NAMES[1:], DOLLARS.values(), strict=True))
    return found.select("series_id", *PERIOD, "spent_usd", **short)


def forecast(spend: pl.DataFrame, as_of: date, start: date, end: date) -> pl.DataFrame:
    return made(spend, [(as_of, start, end)]).select(NAMES).cast(dict.fromkeys(NAMES[1:], float))


def told(spend: pl.DataFrame, as_of: date = date(2026, 6, 10)) -> dict[str, float]:
    (row,) = forecast(spend, as_of, START, END).rows(named=True)
    return row


def test_a_flat_series_is_forecast_to_the_end_with_narrow_bands_around_it() -> None:
    row = told(frame(org=flat(DAYS)))
    assert 2850 < row["low95"] <= row["low80"] <= row["forecast"] <= row["high80"] <= row["high95"]
    assert abs(row["forecast"] - 3012) < 40
    assert row["high95"] < 3300


def test_weekends_ahead_cost_what_weekends_cost() -> None:
    costs = shaped(DAYS, lambda number: 0.0 if number % 7 >= 5 else 100.0)
    assert abs(told(frame(user_ada=costs))["forecast"] - 2200) < 70


def test_what_is_spent_is_spent() -> None:
    row = told(frame(key_k=[*flat((date(2026, 6, 5) - MONDAY).days), *[0.0] * 30]))
    assert row["low95"] >= sum(flat(DAYS)[-30:][:4]) - 40


def test_at_the_end_of_the_period_the_forecast_is_what_was_spent() -> None:
    row = told(frame(key_k=flat(DAYS)), END)
    spent = sum(flat(DAYS)[-30:])
    assert abs(row["forecast"] - spent) < 0.01
    assert row["low95"] <= row["forecast"] <= row["high95"]


def test_a_single_fluke_is_not_carried_forward() -> None:
    costs = flat(DAYS)
    costs[140] = 10_000.0
    assert told(frame(key_k=costs))["forecast"] < 3400


@pytest.mark.parametrize("history", [200, 26])
@pytest.mark.parametrize("credit", [-37.5, -120.0])
def test_a_credit_counts_in_what_was_spent_and_is_no_forecast(history: int, credit: float) -> None:
    """$7.50 a day to the twenty-sixth, four days ahead: $30 more than was spent so far."""
    steady = [7.5] * history
    credited = [*steady[:-7], 7.5 + credit, *steady[-6:]]
    last = MONDAY + timedelta(days=history - 1)
    first, end = last - timedelta(days=25), last + timedelta(days=4)
    with_credit, without = (
        forecast(frame(x=costs), last, first, end).row(0, named=True)
        for costs in (credited, steady)
    )
    assert with_credit["forecast"] == pytest.approx(26 * 7.5 + credit + 30)
    assert with_credit["high95"] - with_credit["low95"] == pytest.approx(
        without["high95"] - without["low95"]
    )


def test_weeks_of_credits_leave_a_forecast_with_finite_bands() -> None:
    costs = [7.5] * 100 + [-50.0] * 14 + [7.5] * 10
    last = MONDAY + timedelta(days=len(costs) - 1)
    row = forecast(frame(x=costs), last, last - timedelta(days=9), last + timedelta(days=5))
    forecasts = row.row(0, named=True)
    assert forecasts["forecast"] == pytest.approx(75 + 37.5)
    assert 100 < forecasts["low95"] < forecasts["high95"] < 125


def test_a_noisy_series_has_wider_bands_than_a_steady_one() -> None:
    wild = shaped(DAYS, lambda number: 30.0 + 140.0 * ((number * number) % 11 == 3) * 3)
    steady, noisy = told(frame(key_k=flat(DAYS))), told(frame(key_k=wild))
    assert (noisy["high80"] - noisy["low80"]) > 2 * (steady["high80"] - steady["low80"])


@pytest.mark.parametrize("growth", [1.03, 1.01, 0.97])
def test_where_everyone_grows_a_band_still_holds_its_forecast(growth: float) -> None:
    """All their past errors lie on one side."""
    series = {
        f"team_{n}": shaped(DAYS, lambda number, n=n: (9 + n) * growth ** (number - DAYS))
        for n in range(12)
    }
    told = forecast(frame(**series), date(2026, 6, 10), START, END)
    for row in told.iter_rows(named=True):
        bands = [row[name] for name in ("low95", "low80", "forecast", "high80", "high95")]
        assert bands == sorted(bands)


def test_the_future_is_not_looked_at() -> None:
    spend = frame(org=flat(DAYS), user_ada=flat(DAYS, 7.0))
    as_of = date(2026, 5, 20)
    known = spend.filter(pl.col("day") <= as_of)
    month = (date(2026, 5, 1), date(2026, 5, 31))
    assert_frame_equal(forecast(spend, as_of, *month), forecast(known, as_of, *month))


def test_a_series_of_three_days_has_a_forecast_too() -> None:
    young = frame(user_new=flat(3, 10.0)).with_columns(pl.col("day") + timedelta(days=152))
    row = told(young, on(154))
    assert row["forecast"] > 100
    assert row["low95"] < row["forecast"] < row["high95"]


def test_days_between_the_last_known_day_and_the_period_are_not_in_its_forecast() -> None:
    """$7.50 on working days; nothing is known after Tuesday 26 May, June has 22 working days."""
    costs = shaped(DAYS, lambda number: 0.0 if number % 7 >= 5 else 7.5)
    spend, as_of = frame(org=costs), date(2026, 5, 26)
    row = told(spend, as_of)
    assert row == told(spend.filter(pl.col("day") <= as_of), as_of)
    assert row["forecast"] == pytest.approx(22 * 7.5, rel=0.02)
    assert row["low95"] <= row["low80"] <= row["forecast"] <= row["high80"] <= row["high95"]


def test_no_spend_has_no_forecast() -> None:
    nothing = forecast(frame(org=[1.0]).clear(), START, START, END)
    assert nothing.columns == NAMES
    assert nothing.is_empty()


def test_no_band_reaches_further_than_twice_the_highest_day_on_every_day_ahead() -> None:
    wild = [10.0 ** (number * 3 % 31 * 12 / 31 - 9) for number in range(33)]
    days = [START - timedelta(days=33 - number) for number in range(33)]
    spend = pl.DataFrame({"series_id": "key:k", "day": days, "cost": wild})
    row = told(spend, days[-1])
    assert row["high95"] == pytest.approx(2 * max(wild) * 30)


def test_a_young_series_that_costs_the_same_every_day_may_cost_twice_that_and_no_more() -> None:
    costs = flat(20, 7.5)
    row = told(frame(org=costs).with_columns(pl.col("day") + timedelta(days=137)))
    assert row["forecast"] == pytest.approx(7.5 * 30, rel=0.02)
    assert row["high95"] <= sum(costs[10:]) + 2 * max(costs) * 20 + 0.01


costs = st.lists(st.sampled_from([0.0, 3.0, 7.5, 250.0, -20.0]), min_size=1, max_size=70)
"""What a series costs day by day."""
periods = st.tuples(st.integers(0, 75), st.integers(-9, 40), st.integers(0, 31))
"""What is known, on which number of day, days so far (fewer than none: it begins later), and ahead.
"""


@settings(deadline=None, max_examples=15)
@given(st.lists(costs, min_size=1, max_size=3), st.lists(periods, min_size=1, max_size=5))
def test_what_is_forecast_together_is_forecast_as_if_it_were_alone(
    some: list[list[float]], asked: list[tuple[int, int, int]]
) -> None:
    spend = frame(**{f"team_{number}": one for number, one in enumerate(some)})
    days = {(on(day), on(day - back + 1), on(day + ahead)) for day, back, ahead in asked}
    together = made(spend, list(days))
    for period in days:
        mine = together.filter(**dict(zip(PERIOD, period, strict=True)))
        alone = [
            made(spend.filter(series_id=name), [period])
            for name in spend["series_id"].unique().sort()
        ]
        assert_frame_equal(mine, pl.concat(alone))


def test_the_bands_of_a_series_are_the_same_beside_any_other() -> None:
    alone, wild = frame(org=flat(DAYS)), frame(key_k=shaped(DAYS, lambda day: 9.0 ** (day % 3)))
    as_of = date(2026, 6, 10)
    beside = forecast(pl.concat([alone, wild]), as_of, START, END)
    assert_frame_equal(beside.filter(series_id="org"), forecast(alone, as_of, START, END))


def test_forecasts_are_the_same_however_many_are_made_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spend = frame(org=flat(DAYS), key_k=flat(DAYS, 7.0), user_ada=flat(40, 9.0))
    at_once = forecast(spend, date(2026, 6, 10), START, END)
    monkeypatch.setattr(module, "ASKED_AT_ONCE", 1)
    assert_frame_equal(forecast(spend, date(2026, 6, 10), START, END), at_once)
