from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from openai_costs.kernel.days import DayRange
from openai_costs.questions.optimization.cache_reads import at_the_rate_of, best_week, cache_reads
from openai_costs.questions.optimization.list_cost import Mix
from openai_costs_tests.questions.optimization.month import (
    FIRST,
    LAST,
    MONTH,
    Month,
    billed,
    daily,
    every_day,
    keys,
    line,
    used,
)
from openai_costs_tests.questions.usage.frames import tokens

if TYPE_CHECKING:
    import polars as pl

    from openai_costs.questions.optimization.facts import Saving

GOOD_WEEK = MONTH[7:14]
MILLION = 1_000_000


def good_week(cached: int = MILLION // 2, **more: object) -> pl.DataFrame:
    """A million input tokens a day, none of them cached but for one week."""
    return used(
        *daily(
            lambda day: (
                tokens(MILLION - cached, cached=cached, **more)
                if day in GOOD_WEEK
                else tokens(MILLION, **more)
            )
        )
    )


def found(month: Month) -> list[Saving]:
    return list(cache_reads(month.facts))


def test_the_whole_month_at_the_rate_of_its_best_week_is_what_could_be_saved() -> None:
    # 30 million tokens: 3.5 million cached, half of 30 million in the best week's mix.
    (saving,) = found(Month(usage=good_week()))
    assert saving.saving_usd == (15 - Decimal("3.5")) * (2 - Decimal("0.5"))
    assert (saving.subject, saving.model) == ("k gpt-4.1", "gpt-4.1")


def test_the_sum_can_be_repeated_from_the_sentence() -> None:
    (saving,) = found(Month(usage=good_week()))
    assert saving.because == (
        "11.7 % of the key's gpt-4.1 input was read from the cache: (26,500,000 input x $2.00 + "
        "3,500,000 cached input x $0.50) per million tokens = $54.75. In its best week, 2026-10-30 "
        "to 2026-11-05, it was 50.0 % (3,500,000 of 7,000,000 tokens). The same input in the mix "
        "of that week: (15,000,000 input x $2.00 + 15,000,000 cached input x $0.50) per million "
        "tokens = $37.50, $17.25 less. Check what changed in the prompt after that week."
    )


def test_the_bill_of_the_key_and_its_name_are_beside_it() -> None:
    spend = billed(line("gpt-4.1, input", "50", None), line("gpt-4.1, input", "9", None) | {})
    spend = spend.with_columns(api_key_id=spend["api_key_id"].scatter(1, "other"))
    month = Month(good_week(), spend, keys({"id": "k", "name": "search"}))
    (saving,) = found(month)
    assert (saving.billed_usd, saving.subject_name) == (Decimal(50), "search")


def test_a_steady_rate_leaves_nothing_on_the_table() -> None:
    assert found(Month(usage=every_day(MILLION // 2, MILLION // 2))) == []


def test_a_best_week_that_is_ahead_by_chance_is_nothing() -> None:
    assert found(Month(usage=good_week(cached=MILLION * 6 // 100))) == []


def test_a_key_that_was_used_on_few_days_does_not_repeat_itself() -> None:
    few = good_week().filter(good_week()["day"] < FIRST + timedelta(days=13))
    assert found(Month(usage=few)) == []


def test_a_lucky_week_with_few_tokens_proves_nothing() -> None:
    lucky = used(
        *daily(lambda day: tokens(10, cached=90_000) if day in GOOD_WEEK else tokens(MILLION))
    )
    week = best_week({}, DayRange(FIRST, LAST))
    assert week is None
    assert all("50.0 %" not in saving.because for saving in found(Month(usage=lucky)))


def test_what_would_be_written_to_the_cache_counts_as_well() -> None:
    now, best = Mix(1_000), Mix(10, cached_input=60, cache_write=30)
    assert at_the_rate_of(best, now) == Mix(100, cached_input=600, cache_write=300)


def test_what_does_not_divide_counts_as_dearer() -> None:
    assert at_the_rate_of(Mix(1, 1, 1), Mix(10)) == Mix(3, cached_input=3, cache_write=4)


def test_usage_that_does_not_say_what_was_cached_is_left_alone() -> None:
    assert found(Month(usage=good_week(input_cached_tokens=None))) == []


def test_usage_without_a_key_is_a_mix_of_workloads() -> None:
    assert found(Month(usage=good_week(api_key_id=None))) == []


def test_a_model_without_a_price_for_cached_input_saves_nothing() -> None:
    assert found(Month(usage=good_week(model="gpt-5-pro"))) == []
    assert found(Month(usage=good_week(model="gpt-99-nova"))) == []


def test_batches_have_prices_of_their_own_and_are_left_out() -> None:
    assert found(Month(usage=good_week(batch=True))) == []


def test_audio_has_prices_of_its_own_and_is_left_out() -> None:
    assert Month(usage=good_week(input_audio_tokens=1)).all_facts == []


def test_a_discount_that_is_paid_already_is_not_saved_again() -> None:
    spend = billed(line("gpt-4.1, input", "1.6", "1000000"))
    (saving,) = found(Month(good_week(), spend))
    assert saving.saving_usd == Decimal("17.25") * Decimal("0.8")
    assert "; x $1.60 billed / $2.00 at list price = $13.80." in saving.because


def test_tokens_that_are_free_save_nothing() -> None:
    assert found(Month(good_week(), billed(line("gpt-4.1, input", "0", "1000000")))) == []


def test_a_week_is_seven_days_inside_the_period() -> None:
    days = {date(2026, 11, number): Mix(1, 1) for number in range(1, 7)}
    assert best_week(days, DayRange(date(2026, 11, 1), date(2026, 11, 6))) is None
