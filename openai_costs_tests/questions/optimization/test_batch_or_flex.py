from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openai_costs.questions.optimization.batch_or_flex import batch_or_flex, weekend_pct
from openai_costs.questions.optimization.list_cost import Mix
from openai_costs_tests.questions.optimization.month import (
    MONTH,
    Month,
    daily,
    every_day,
    keys,
    used,
)
from openai_costs_tests.questions.usage.frames import tokens

if TYPE_CHECKING:
    import polars as pl

    from openai_costs.questions.optimization.facts import Saving

MILLION = 1_000_000


def found(usage: pl.DataFrame, **tables: pl.DataFrame) -> list[Saving]:
    return list(batch_or_flex(Month(usage=usage, **tables).facts))


def test_half_of_the_difference_to_the_price_of_waiting_is_what_could_be_saved() -> None:
    # A month: 30 million in, 30 million out; gpt-4.1 is 2 and 8, as a batch 1 and 4.
    (saving,) = found(every_day(MILLION, output=MILLION))
    assert saving.saving_usd == Decimal(30 * 10 - 30 * 5) / 2
    assert saving.because == (
        "The key used gpt-4.1 on 30 of 30 days, with 100 % of a weekday's tokens on weekend days, "
        "and never through batch or flex: (30,000,000 input x $2.00 + 30,000,000 output x $8.00) "
        "per million tokens = $300.00. At batch prices: (30,000,000 input x $1.00 + 30,000,000 "
        "output x $4.00) per million tokens = $150.00. If 1 in 2 tokens can wait: ($300.00 - "
        "$150.00) / 2 = $75.00. Ask the owner how long an answer may take."
    )


def test_flex_comes_before_batch_where_they_cost_the_same() -> None:
    (saving,) = found(every_day(MILLION, model="gpt-5.4"))
    assert "At flex prices" in saving.because


def test_cached_input_costs_what_the_tier_asks_for_it() -> None:
    # The catalogue has no batch price for cached input of this model: it costs the same there.
    assert found(every_day(0, cached=MILLION)) == []


def test_work_that_rests_at_weekends_has_people_behind_it() -> None:
    rows = daily(lambda day: tokens(MILLION if day.weekday() < 5 else MILLION // 2))
    assert found(used(*rows)) == []


def test_work_that_stops_for_days_does_not_run_by_itself() -> None:
    assert found(used(*daily(lambda _: tokens(MILLION), MONTH[3:]))) == []
    assert found(used(*daily(lambda _: tokens(MILLION), MONTH[2:]))) != []


@pytest.mark.parametrize("waiting", [{"batch": True}, {"service_tier": "flex"}])
def test_a_key_that_waits_already_is_left_alone(waiting: dict[str, Any]) -> None:
    rows = daily(lambda _: tokens(MILLION))
    assert found(used(*rows, rows[0] | waiting)) == []


def test_a_persons_key_is_left_alone() -> None:
    owned = keys({"id": "k", "owner_type": "user", "owner_id": "u"})
    assert found(every_day(MILLION), keys=owned) == []
    assert found(every_day(MILLION), keys=keys({"id": "k"})) != []


def test_a_model_that_has_no_price_for_waiting_is_left_alone() -> None:
    assert found(every_day(MILLION, model="gpt-5-search-api")) == []


def test_less_than_a_dollar_is_not_worth_a_row() -> None:
    assert found(every_day(10_000)) == []


def test_the_weekend_is_compared_day_by_day() -> None:
    friday, saturday = date(2026, 11, 6), date(2026, 11, 7)
    assert weekend_pct({friday: Mix(100), saturday: Mix(45, output=45)}) == 90
    assert weekend_pct({friday: Mix(100)}) == 0
    assert weekend_pct({saturday: Mix(100)}) == 0
