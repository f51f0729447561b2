from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from openai_costs.budgets.glance import MOST_CHARACTERS, glance, newest, top_five
from openai_costs.budgets.scopes import ROWS, largest_growth, question, table_of
from openai_costs.budgets.status import Known, statuses
from openai_costs.days import DayRange
from openai_costs.sections import Budget
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

OCTOBER = DayRange(date(2026, 10, 1), date(2026, 10, 31))
THROUGH = date(2026, 11, 10)


def budget(limit: str = "310", **said: object) -> Budget:
    return Budget.model_validate({"name": "all", "limit_usd": limit, **said})


def ten_dollars_a_day(through: date = THROUGH, part: str = "app") -> pl.DataFrame:
    first = date(2026, 8, 1)
    days = [first + timedelta(days=i) for i in range((through - first).days + 1)]
    rows = [(day, part, Decimal(10)) for day in days]
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def known(rows: pl.DataFrame, missing: tuple[date, ...] = ()) -> Known:
    states = [("acme", "costs", day, "missing", None, None, None) for day in missing]
    coverage = pl.DataFrame(states, schema=Coverage.types(), orient="row")
    return Known({"all": rows}, coverage, SpendLimits.no_rows(), THROUGH)


def test_every_settled_day_of_this_and_the_last_period_has_its_running_sum() -> None:
    found = statuses([budget()], known(ten_dollars_a_day()))
    assert BudgetStatus.broken_rules(found) == []
    assert found.height == 31 + 10
    last_of_october, newest_day = found.filter(day=OCTOBER.last), found.filter(day=THROUGH)
    assert last_of_october["spent_usd"].item() == Decimal(310)
    assert last_of_october["spent_pct"].item() == Decimal(100)
    assert last_of_october["state"].item() == "on_track"
    assert last_of_october["forecast_usd"].item() is None
    assert newest_day["spent_usd"].item() == Decimal(100)
    assert abs(newest_day["elapsed_pct"].item() - Decimal("33.33")) < Decimal("0.01")
    assert newest_day["period_end"].item() == date(2026, 11, 30)


def test_a_steady_spender_is_forecast_to_what_it_always_costs() -> None:
    row = newest(statuses([budget()], known(ten_dollars_a_day()))).row(0, named=True)
    assert abs(row["forecast_usd"] - 300) < 5
    bands = [row[f"forecast_{side}_usd"] for side in ("low95", "low", "high", "high95")]
    assert bands == sorted(bands)
    assert row["forecast_low_usd"] >= row["spent_usd"]


def test_above_the_limit_is_exceeded_and_on_the_way_there_is_at_risk() -> None:
    rows = known(ten_dollars_a_day())
    state = {
        limit: newest(statuses([budget(limit)], rows))["state"].item()
        for limit in ("99.99", "100", "250", "310")
    }
    assert state == {"99.99": "exceeded", "100": "at_risk", "250": "at_risk", "310": "on_track"}


def test_days_that_may_still_move_are_shown_apart() -> None:
    later = pl.concat(
        [
            ten_dollars_a_day(),
            pl.DataFrame([(date(2026, 11, 11), "app", Decimal("7.5"))], schema=ROWS, orient="row"),
        ]
    )
    row = newest(statuses([budget()], known(later))).row(0, named=True)
    assert (row["day"], row["spent_usd"]) == (THROUGH, Decimal(100))
    assert row["provisional_usd"] == Decimal("7.5")


def test_missing_days_are_counted_and_not_taken_for_zero() -> None:
    gone = (date(2026, 11, 3), date(2026, 11, 4))
    found = statuses([budget()], known(ten_dollars_a_day(), gone))
    assert found.filter(day=THROUGH)["missing_days"].item() == 2
    assert found.filter(day=date(2026, 11, 3))["missing_days"].item() == 1


def test_a_budget_that_is_over_says_where_it_ended_and_one_to_come_says_nothing() -> None:
    over = budget(end=date(2026, 11, 5))
    found = statuses([over], known(ten_dollars_a_day()))
    assert found["day"].max() == date(2026, 11, 5)
    assert statuses([budget(start=date(2026, 12, 1))], known(ten_dollars_a_day())).is_empty()


def test_what_grew_most_and_all_else_are_the_whole_change() -> None:
    now, before = DayRange(date(2026, 11, 1), date(2026, 11, 2)), DayRange(*OCTOBER_END)
    rows = [
        (date(2026, 10, 30), "labs", "1"),
        (date(2026, 10, 31), "desk", "5"),
        (date(2026, 11, 1), "labs", "9"),
        (date(2026, 11, 2), "desk", "3.5"),
    ]
    frame = pl.DataFrame(
        [(day, part, Decimal(usd)) for day, part, usd in rows], schema=ROWS, orient="row"
    )
    said = largest_growth(frame, now, before)
    assert said == "Against the 2 days before, in USD: labs +8.00, all else -1.50."
    assert largest_growth(frame.filter(part="desk"), now, before) == ""


OCTOBER_END = (date(2026, 10, 30), date(2026, 10, 31))


def test_people_are_counted_where_people_are_known_and_text_is_kept_text() -> None:
    days = DayRange(*OCTOBER_END)
    team = budget(scope="team", id="o'brien's", connection="acme")
    assert table_of(team) is SpendAttribution
    assert "team = 'o''brien''s'" in question(team, days)
    assert "connection = 'acme'" in question(team, days)
    assert table_of(budget()) is Spend
    assert "DATE '2026-10-30' AND DATE '2026-10-31'" in question(budget(), days)


def test_a_glance_fits_the_asset_s_page_however_many_budgets_there_are() -> None:
    status = pl.concat(
        statuses([budget()], known(ten_dollars_a_day())).with_columns(
            budget=pl.lit(f"a rather long name of budget {number}")
        )
        for number in range(9)
    )
    assert len(glance(status)) < MOST_CHARACTERS
    assert len(top_five(status)) < MOST_CHARACTERS
    assert top_five(status).count("\n| ") == 5
    assert "No budget is set" in glance(BudgetStatus.no_rows())


def test_a_budget_of_what_never_spent_has_its_rows_and_no_forecast() -> None:
    rows = statuses([budget()], known(ten_dollars_a_day().clear()))
    assert rows["spent_usd"].sum() == 0
    assert rows["forecast_usd"].is_null().all()
    assert "on track" in top_five(rows)
