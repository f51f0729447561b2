from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.asset_previews import MOST_CHARACTERS
from openai_costs.questions.budgets.preview import preview, top_five
from openai_costs.questions.budgets.running import newest, running
from openai_costs.questions.budgets.status import KEPT_DAYS, statuses, window
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs_tests.questions.budgets.ledger import (
    FIRST,
    THROUGH,
    budget,
    counted,
    credited,
    forecast_on,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

OCTOBER = DayRange(date(2026, 10, 1), date(2026, 10, 31))
THIRD, FOURTH = date(2026, 11, 3), date(2026, 11, 4)


FORECAST_DAYS = 10


@pytest.fixture(scope="module", autouse=True)
def forecasts() -> Iterator[None]:
    with forecast_on(FORECAST_DAYS):
        yield


def test_every_settled_day_of_this_and_the_last_period_has_its_running_sum() -> None:
    found = status(budget(), counted())
    assert BudgetStatus.broken_rules(found) == []
    assert found.height == 31 + 10
    last_of_october, newest_day = found.filter(day=OCTOBER.last), found.filter(day=THROUGH)
    assert last_of_october["spent_usd"].item() == last_of_october["pace_usd"].item() == 310
    assert last_of_october["spent_pct"].item() == 100
    assert last_of_october["state"].item() == "on_track"
    assert newest_day["spent_usd"].item() == 100
    assert newest_day["settled_days"].item() == 10
    assert abs(newest_day["elapsed_pct"].item() - Decimal("33.33")) < Decimal("0.01")
    assert abs(newest_day["pace_usd"].item() - Decimal("103.33")) < Decimal("0.01")
    assert newest_day["period_end"].item() == date(2026, 11, 30)
    assert newest_day["scope_name"].item() == "Labs"


def test_a_steady_spender_is_forecast_to_what_it_always_costs() -> None:
    row = newest(status(budget(), counted()), THROUGH).row(0, named=True)
    assert abs(row["forecast_usd"] - 300) < 5
    bands = [row[f"forecast_{side}_usd"] for side in ("low95", "low", "high", "high95")]
    assert bands == sorted(bands)
    assert row["forecast_low95_usd"] >= row["spent_usd"]


def test_each_of_the_newest_days_has_the_forecast_it_had_then() -> None:
    now = status(budget(), counted())
    assert now["forecast_usd"].drop_nulls().len() == FORECAST_DAYS
    then = THROUGH - timedelta(days=5)
    seen = status(budget(), counted(then))
    columns = ["spent_usd", "forecast_usd", "forecast_low_usd", "forecast_high95_usd", "state"]
    assert now.filter(day=then).select(columns).equals(seen.filter(day=then).select(columns))


def test_above_the_limit_is_exceeded_and_on_the_way_there_is_at_risk() -> None:
    state = {
        limit: newest(status(budget(limit), counted()), THROUGH)["state"].item()
        for limit in ("99.99", "100", "250", "310")
    }
    assert state == {"99.99": "exceeded", "100": "at_risk", "250": "at_risk", "310": "on_track"}


def test_days_that_may_still_move_are_shown_apart() -> None:
    later = THROUGH + timedelta(days=1)
    row = newest(status(budget(), counted(other={later: "7.5"}, moving=[later])), THROUGH).row(
        0, named=True
    )
    assert (row["day"], row["spent_usd"]) == (THROUGH, Decimal(100))
    assert (row["provisional_usd"], row["provisional_days"]) == (Decimal("7.5"), 1)
    assert row["state"] == "on_track"


@pytest.mark.parametrize(("missing", "moving"), [([THIRD, FOURTH], []), ([], [THIRD, FOURTH])])
def test_with_a_hole_in_the_period_it_is_incomplete_and_not_forecast(
    missing: list[date], moving: list[date]
) -> None:
    found = status(budget("60"), counted(missing=missing, moving=moving))
    assert THIRD not in found["day"]
    fifth = found.filter(day=date(2026, 11, 5)).row(0, named=True)
    assert (fifth["spent_usd"], fifth["forecast_usd"], fifth["state"]) == (30, None, "incomplete")
    assert (fifth["settled_days"], fifth["missing_days"]) == (3, len(missing))
    assert found.filter(day=THROUGH)["state"].item() == "exceeded"
    assert found.filter(day=date(2026, 11, 2))["state"].item() == "at_risk"


def test_a_hole_in_the_past_is_as_its_weekday_was_the_week_before() -> None:
    gone = [date(2026, 10, day) for day in (20, 21, 22, 23)]
    row = newest(status(budget(), counted(missing=gone)), THROUGH).row(0, named=True)
    assert abs(row["forecast_usd"] - 300) < 5


def test_a_long_hole_in_the_past_is_as_its_weekdays_were_last() -> None:
    gone = [date(2026, 10, 5) + timedelta(days=number) for number in range(14)]
    row = status(budget(), counted(missing=gone)).row(-1, named=True)
    assert row["forecast_usd"] == status(budget(), counted()).row(-1, named=True)["forecast_usd"]


def test_a_provisional_day_of_the_period_before_changes_no_forecast() -> None:
    last = OCTOBER.last
    moved = status(budget(), counted(other={last: "900"}, moving=[last])).row(-1, named=True)
    assert moved["forecast_usd"] == status(budget(), counted()).row(-1, named=True)["forecast_usd"]


def test_what_was_never_read_has_no_rows() -> None:
    young = counted(first=FOURTH)
    found = status(budget(), young)
    assert found["day"].to_list() == list(DayRange(FOURTH, THROUGH))
    assert found["spent_usd"].to_list() == [10 * n for n in range(1, 8)]
    assert window(budget(), young.known) == DayRange(date(2025, 9, 27), date(2026, 11, 30))


def test_a_budget_of_what_never_spent_has_its_rows_and_no_forecast() -> None:
    rows = status(budget(), counted(other=dict.fromkeys(DayRange(FIRST, THROUGH), "0")))
    assert rows["spent_usd"].sum() == 0
    assert rows["forecast_usd"].is_null().all()
    assert set(rows["state"]) == {"on_track"}
    assert "on track" in top_five(rows)


def test_without_a_settled_day_there_is_nothing_to_say() -> None:
    moving = counted(moving=list(DayRange(FIRST, THROUGH)))
    assert status(budget(), moving).is_empty()
    assert window(budget(), moving.known) is None
    assert statuses([], {}, SpendLimits.no_rows()).is_empty()


def test_short_periods_are_kept_for_a_while() -> None:
    found = status(budget("9", period="daily"), counted())
    assert found.height == KEPT_DAYS + 1
    assert set(found["state"]) == {"exceeded"}
    weeks = status(budget(period="weekly"), counted())["period_start"].unique().sort()
    assert {week.weekday() for week in weeks} == {0}
    assert weeks.len() == 6


def test_a_budget_that_is_over_says_where_it_ended_and_one_to_come_says_nothing() -> None:
    over = status(budget(end=date(2026, 11, 5)), counted())
    assert over["day"].max() == date(2026, 11, 5)
    assert over["forecast_usd"][-1] == over["spent_usd"][-1] == 50
    assert status(budget(start=date(2026, 12, 1)), counted()).is_empty()


def test_the_limit_of_the_provider_is_shown_where_it_is_enforced_on_the_same() -> None:
    one = {"connection": "acme", "kind": "limit", "is_current": True, "status": "enforcing"}
    rows = [
        one | {"project_id": "p", "threshold_usd": Decimal(50)},
        one | {"project_id": None, "threshold_usd": Decimal(900)},
        one | {"project_id": "q", "threshold_usd": Decimal(70), "status": "inactive"},
    ]
    limits = pl.DataFrame(rows, infer_schema_length=None)
    scopes = {
        "p": {"scope": "project", "id": "p"},
        "q": {"scope": "project", "id": "q"},
        "both": {"scope": "project", "ids": ["p", "q"]},
        "all": {},
        "m": {"scope": "model", "id": "m"},
    }
    told = {
        name: status(budget(**said), counted(), limits)["provider_limit_usd"][-1]
        for name, said in scopes.items()
    }
    assert told == {"p": 50, "q": None, "both": None, "all": 900, "m": None}


COSTS = st.lists(st.integers(0, 10**12), min_size=20, max_size=40)


@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(COSTS)
def test_sums_are_exact_bands_are_ordered_and_nothing_spent_is_taken_back(costs: list[int]) -> None:
    first = THROUGH - timedelta(days=len(costs) - 1)
    exact = [Decimal(n) / 10**9 + Decimal("1E-18") for n in costs]
    other = {first + timedelta(days=i): f"{usd:f}" for i, usd in enumerate(exact)}
    found = status(budget(), counted(first=first, other=other))
    november = [usd for usd, day in zip(exact, other, strict=True) if day.month == THROUGH.month]
    assert found["spent_usd"][-1] == sum(november)
    for row in found.drop_nulls("forecast_usd").iter_rows(named=True):
        bands = [row[f"forecast_{side}_usd"] for side in ("low95", "low", "high", "high95")]
        assert bands == sorted(bands)
        assert bands[0] >= row["spent_usd"]


@pytest.mark.parametrize("period", ["monthly", "quarterly", "yearly"])
def test_a_credit_on_the_first_day_of_a_ledger_is_in_its_forecast(period: str) -> None:
    """$200 were credited on the 2nd, of $10 a day: $110 more than was charged until the 10th."""
    second = date(2026, 11, 2)
    what = credited(counted(first=second), {second: "200"})
    row = status(budget("250", period=period), what).row(-1, named=True)
    ahead = (row["period_end"] - THROUGH).days
    assert row["spent_usd"] == -110
    assert row["forecast_usd"] == pytest.approx(-110 + 10 * ahead)
    assert row["state"] == ("on_track" if 10 * ahead < 360 else "at_risk")


@pytest.mark.parametrize("usd", ["6", "9.90", "10.10", "160"])
def test_a_refund_of_any_size_lowers_a_forecast_by_itself(usd: str) -> None:
    without = status(budget(), counted()).row(-1, named=True)
    row = status(budget(), credited(counted(), {THROUGH: usd})).row(-1, named=True)
    for name in ("spent_usd", "forecast_usd", "forecast_low_usd", "forecast_high95_usd"):
        assert row[name] == without[name] - Decimal(usd)


DAYS_OF_A_LEDGER = st.lists(
    st.tuples(st.sampled_from(["0", "0.5", "7", "90"]), st.sampled_from(["0", "0.4", "7", "500"])),
    min_size=1,
    max_size=70,
)
"""What was charged and credited on each day."""


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(DAYS_OF_A_LEDGER, st.sampled_from(["monthly", "quarterly", "yearly"]))
def test_a_forecast_without_the_days_ahead_is_what_was_spent_whatever_was_credited(
    days: list[tuple[str, str]], period: str
) -> None:
    first = THROUGH - timedelta(days=len(days) - 1)
    charges, refunds = (
        {first + timedelta(days=i): day[side] for i, day in enumerate(days)} for side in (0, 1)
    )
    columns = [name for name in BudgetStatus.types() if name.startswith("forecast")]
    charged = counted(first=first, other=charges)
    ahead = [
        status(budget(period=period), one).select("day", pl.col(columns) - pl.col("spent_usd"))
        for one in (charged, credited(charged, refunds))
    ]
    assert ahead[0].equals(ahead[1])
    for row in ahead[0].drop_nulls().iter_rows(named=True):
        bands = [row[f"forecast_{end}usd"] for end in ("low95_", "low_", "", "high_", "high95_")]
        assert bands == sorted(bands)
        assert bands[0] >= 0


def test_a_period_that_ended_cost_what_was_spent_to_the_last_digit_and_estimates_have_four() -> (
    None
):
    odd = "0.123456789012345678"
    ended = status(budget(), counted(OCTOBER.last, other={OCTOBER.last: odd}))[-1]
    assert ended["forecast_usd"].item() == ended["spent_usd"].item() == 300 + Decimal(odd)
    now = newest(status(budget(), counted()), THROUGH).row(0, named=True)
    for name in ("forecast_usd", "forecast_low_usd", "forecast_high95_usd"):
        assert now[name] == now[name].quantize(Decimal("0.0001"))


def test_a_preview_fits_the_asset_s_page_however_many_budgets_there_are() -> None:
    one = status(budget(), counted())
    all_of_them = pl.concat(
        one.with_columns(budget=pl.lit(f"a rather long name of budget {number}"))
        for number in range(9)
    )
    assert len(preview(all_of_them)) < MOST_CHARACTERS
    assert len(top_five(all_of_them)) < MOST_CHARACTERS
    assert top_five(all_of_them).count("\n| ") == 5
    assert "No budget is set" in preview(BudgetStatus.no_rows())


def test_a_budget_is_over_when_a_day_after_its_last_has_settled_whatever_other_budgets_have() -> (
    None
):
    over = status(budget(name="party", end=OCTOBER.last), counted())
    slow = status(budget(name="slow"), counted(date(2026, 10, 25)))
    every = pl.concat([over, slow, status(budget(), counted())])
    assert sorted(running(every, date(2026, 10, 25))["budget"]) == ["all", "party", "slow"]
    assert sorted(running(over, OCTOBER.last)["budget"]) == ["party"]
    assert running(over, THIRD).is_empty()


def test_a_preview_shows_running_periods_before_ended_ones() -> None:
    over = status(budget("1", name="party", end=date(2026, 10, 9)), counted())
    rows = newest(pl.concat([over, status(budget(), counted())]), THROUGH)
    assert rows["budget"].to_list() == ["all", "party"]
