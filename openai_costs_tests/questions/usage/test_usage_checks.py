from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl
import pytest
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.questions.usage.checks import judge
from openai_costs.settings import Retention
from openai_costs.settings.load import Settings
from openai_costs.sources.openai.settings import OpenAIConnection
from openai_costs.sources.openrouter.settings import OpenRouterConnection
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs_tests.org import NOW, HandClock, day
from openai_costs_tests.questions.usage.frames import ledger, tokens, usage

if TYPE_CHECKING:
    from openai_costs.orchestration.checks import Verdict
    from openai_costs.tables.contract import Contract

FIRST, YESTERDAY = day(20), day(22)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(UPath(tmp_path))


def store(lake: Lake, table: type[Contract], frame: pl.DataFrame, *days: int) -> None:
    keys = {Slice("acme", day(number)): NOW for number in days}
    lake.replace(table, [Batch(frame, keys)])


def settled(number: int, *, is_settled: bool = True) -> pl.DataFrame:
    row = ("acme", day(number), Decimal(1), None, None, is_settled, True, NOW.replace(tzinfo=None))
    return pl.DataFrame([row], schema=SpendControl.types(), orient="row")


def billed_and_used(lake: Lake, used: int, *, is_settled: bool = True) -> None:
    """A day on which 100 tokens were billed."""
    store(lake, Spend, ledger({"day": day(22)}), 22)
    store(lake, SpendControl, settled(22, is_settled=is_settled), 22)
    store(lake, Usage, usage(tokens(used, day=day(22))), 22)


def verdict(lake: Lake, rule: str, access: Literal["full", "costs_only"] = "full") -> Verdict:
    one = OpenAIConnection(name="acme", access=access)
    settings = Settings(home="nowhere", config_file=Path("none.toml"), connections=(one,))
    found = judge(lake, settings, HandClock(), DayRange(FIRST, YESTERDAY))
    return next(one for one in found if one.rule.name == rule)


def used(number: int, **more: object) -> pl.DataFrame:
    return usage(tokens(100, day=day(number), **more))


def test_days_without_a_gap_up_to_yesterday_are_contiguous(lake: Lake) -> None:
    store(lake, Usage, usage(), 20, 21, 22)
    assert verdict(lake, "contiguous").passed


def test_a_missing_day_is_named(lake: Lake) -> None:
    store(lake, Usage, usage(), 20, 22)
    said = verdict(lake, "contiguous")
    assert not said.passed
    assert said.because == "acme: 2026-11-21 missing: backfill them."


def test_a_run_of_another_connection_names_a_missing_day_as_well(lake: Lake) -> None:
    """It passed, as if usage of all connections had no gap."""
    store(lake, Usage, usage(), 20, 22)
    both = (OpenAIConnection(name="acme"), OpenAIConnection(name="bolt", admin_key_env="BOLT"))
    settings = Settings(home="nowhere", config_file=Path("none.toml"), connections=both)
    found = next(judge(lake, settings.only("bolt"), HandClock(), DayRange(FIRST, YESTERDAY)))
    assert found.because == "acme: 2026-11-21 missing: backfill them."


def test_a_day_that_its_provider_has_deleted_is_no_gap_to_fill(lake: Lake) -> None:
    long_ago = Slice("acme", date(2026, 10, 1))
    lake.replace(Usage, [Batch(usage(), {long_ago: NOW})])
    store(lake, Usage, usage(), 22)
    one = OpenRouterConnection(name="acme")
    settings = Settings(home="nowhere", config_file=Path("none.toml"), connections=(one,))
    found = next(judge(lake, settings, HandClock(), DayRange(FIRST, YESTERDAY)))
    assert found.because == "acme: 2026-10-24 to 2026-11-21 missing: backfill them."


def test_days_that_the_settings_keep_no_longer_are_no_gap_to_fill(lake: Lake) -> None:
    """The run that deletes September looks at its gaps before: no backfill would read them."""
    lake.replace(Usage, [Batch(usage(), {Slice("acme", date(2026, 9, 7)): NOW})])
    store(lake, Usage, usage(), 22)
    one = OpenAIConnection(name="acme")
    keeping = Retention(months=1)
    settings = Settings(
        home="nowhere", config_file=Path("none.toml"), connections=(one,), retention=keeping
    )
    found = next(judge(lake, settings, HandClock(), DayRange(FIRST, YESTERDAY)))
    assert found.because == "acme: 2026-10-01 to 2026-11-21 missing: backfill them."


def test_usage_that_ends_before_yesterday_has_a_gap(lake: Lake) -> None:
    store(lake, Usage, usage(), 20)
    assert "2026-11-21 to 2026-11-22" in verdict(lake, "contiguous").because


def test_usage_that_was_never_read_has_no_gap(lake: Lake) -> None:
    assert verdict(lake, "contiguous").passed


def test_a_contradiction_is_reported_with_its_row(lake: Lake) -> None:
    store(lake, Usage, used(21, input_tokens=7), 21)
    said = verdict(lake, "tokens_add_up")
    assert not said.passed
    assert (
        "acme, 2026-11-21, completions, gpt-5: input_tokens is 7, while its parts add up to 100 ("
        in said.because
    )


def test_usage_within_two_per_cent_covers_the_costs(lake: Lake) -> None:
    billed_and_used(lake, 101)
    assert verdict(lake, "covers_costs").passed


def test_usage_that_differs_is_reported_with_model_day_and_both_numbers(lake: Lake) -> None:
    billed_and_used(lake, 1_200)
    said = verdict(lake, "covers_costs")
    assert not said.passed
    assert said.because == (
        "acme, 2026-11-22, gpt-5: billed $1.00 (100 tokens), used 1,200 tokens, +1100.0 %"
    )


def test_a_model_without_usage_is_reported(lake: Lake) -> None:
    store(lake, Spend, ledger({"day": day(22), "quantity": None}), 22)
    store(lake, SpendControl, settled(22), 22)
    said = verdict(lake, "covers_costs").because
    assert said == "acme, 2026-11-22, gpt-5: billed $1.00 (no quantity), no usage"


def test_a_day_that_still_fills_up_is_not_held_to_it(lake: Lake) -> None:
    billed_and_used(lake, 1_200, is_settled=False)
    assert verdict(lake, "covers_costs").passed


def test_a_connection_that_may_not_be_asked_is_skipped_and_reported(lake: Lake) -> None:
    billed_and_used(lake, 1_200)
    said = verdict(lake, "covers_costs", "costs_only")
    assert said.passed
    assert said.because.endswith("Not asked for usage, access is costs_only: acme.")


def test_only_the_first_ten_gaps_are_reported(lake: Lake) -> None:
    rows = [{"day": day(22), "model": f"m{n}", "line_item": f"m{n}, input"} for n in range(12)]
    store(lake, Spend, ledger(*rows), 22)
    store(lake, SpendControl, settled(22), 22)
    said = verdict(lake, "covers_costs")
    assert said.because.endswith("; and 2 more")
    assert said.figures == {"gaps": 12}
