from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.types import TieredPrices

from openai_costs.questions.prices import catalogue
from openai_costs.questions.prices.catalogue import (
    SOURCE,
    Item,
    ListPrice,
    list_price,
)
from openai_costs.questions.prices.price_lists import LISTS, find_model
from openai_costs.sources.openai.costs.line_items import parse

NOVEMBER = date(2026, 11, 1)
MILLION = 1_000_000


def price(label: str, unit: str | None = None, day: date = NOVEMBER) -> ListPrice:
    said = parse(label)
    item = Item(
        said.model,
        said.usage_type,
        said.modality,
        said.service_tier,
        said.is_long_context,
        unit,
    )
    return list_price(item, day)


def a_million(label: str, day: date = NOVEMBER) -> Decimal | None:
    found = price(label, day=day)
    return None if found.usd is None else found.usd * MILLION


@pytest.mark.parametrize(
    ("label", "usd"),
    [
        ("gpt-4.1-2025-04-14, input", "2"),
        ("gpt-4.1-2025-04-14, cached input", "0.5"),
        ("gpt-4.1-2025-04-14, output", "8"),
        ("gpt-6-astra, input_tokens", "10"),
        ("gpt-6-astra, cache writes", "12.5"),
        ("gpt-5.4-2026-03-05, input, long context", "5"),
        ("gpt-5.4-2026-03-05, output, long context", "22.5"),
        ("flex | gpt-5-mini, output", "1"),
        ("batch | gpt-4.1, input", "1"),
        ("priority | gpt-5.6-sol, output, long context", "60"),
        ("evals | gpt-4o-mini-2024-07-18, input", "0.15"),
        ("gpt-audio-mini-2025-12-15 audio, input", "10"),
        ("gpt-image-1.5 image, output", "32"),
        ("gpt-image-1.5 text, cached input", "1.25"),
        ("text-embedding-3-large, input", "0.13"),
    ],
)
def test_a_million_tokens_cost_what_the_catalogue_says(label: str, usd: str) -> None:
    assert a_million(label) == Decimal(usd)


def test_a_price_holds_from_its_start_date() -> None:
    label = "gpt-5.6-sol, input"
    assert a_million(label, date(2026, 8, 20)) == 5
    assert a_million(label, date(2026, 8, 21)) == 4


def test_a_tier_without_a_price_on_that_day_is_not_the_standard_price() -> None:
    label = "priority | gpt-5.6-sol, input"
    assert price(label, day=date(2026, 10, 11)) == ListPrice(cause="unknown_tier")
    assert a_million(label, date(2026, 10, 12)) == 8


@pytest.mark.parametrize("label", ["ultrafast | gpt-6-astra, input", "flex | gpt-4.1, input"])
def test_a_tier_that_the_catalogue_does_not_have_is_unknown(label: str) -> None:
    assert price(label).cause == "unknown_tier"


def test_a_batch_of_bedrock_costs_half_of_input_and_output_and_its_other_tiers_are_unknown() -> (
    None
):
    item = Item("claude-haiku-4-5", "output", None, "batch", host="aws", region="us-east-1")
    found = [
        list_price(item._replace(usage_type=kind, service_tier=tier), date(2026, 11, 1)).usd
        for kind in ("input", "output", "cached_input")
        for tier in ("standard", "batch", "flex")
    ]
    million = [None if one is None else one * 1_000_000 for one in found]
    assert million[:3] == [Decimal("1.1"), Decimal("0.55"), None]
    assert million[3:6] == [Decimal("5.5"), Decimal("2.75"), None]
    assert million[6:] == [Decimal("0.11"), Decimal("0.11"), None]


def test_what_a_tier_does_not_price_apart_costs_the_standard_price_in_it() -> None:
    assert a_million("batch | gpt-4.1, cached input") == Decimal("0.5")


def test_an_unknown_model_has_no_price() -> None:
    assert price("gpt-99-nova, input") == ListPrice(cause="no_price")


def test_a_dated_name_is_the_model_without_the_date_where_it_has_no_price_of_its_own() -> None:
    assert a_million("gpt-5-search-api-2025-10-14, input") == Decimal("1.25")
    assert a_million("gpt-4o-2024-05-13, input") == 5
    assert a_million("gpt-4o-2024-08-06, input") == Decimal("2.5")


def test_a_tuned_model_has_its_own_price_under_either_spelling() -> None:
    assert a_million("ft-gpt-4o-2024-08-06, output") == 15
    assert find_model("ft:gpt-4o-2024-08-06:acme::Xy1") == find_model("ft-gpt-4o-2024-08-06")


def test_tools_cost_what_they_cost_with_every_model() -> None:
    assert price("web search tool calls") == ListPrice(Decimal("0.01"), "calls")
    assert price("assistants api | file search") == ListPrice(Decimal("0.0025"), "calls")


@pytest.mark.parametrize("label", ["Vector storage", "Scale tier bundle", "code interpreter"])
def test_a_tool_that_the_catalogue_does_not_have_has_no_price(label: str) -> None:
    assert price(label).cause == "no_price"


def test_a_label_that_was_not_understood_has_no_price() -> None:
    assert price("Completions").cause == "label_not_parsed"
    assert price("gpt-4o").cause == "label_not_parsed"


@pytest.mark.parametrize(
    ("label", "unit", "usd"),
    [
        ("whisper-1", "duration_seconds", "0.0001"),
        ("whisper-1", "duration_minutes", "0.006"),
        ("whisper-1", "duration_hours", "0.36"),
        ("whisper-1", None, "0.0001"),
        ("tts-1-hd", "characters", "0.00003"),
    ],
)
def test_a_label_without_a_side_is_about_the_only_thing_the_model_charges_for(
    label: str, unit: str | None, usd: str
) -> None:
    assert price(label, unit).usd == Decimal(usd)


def test_a_price_is_for_its_unit_and_for_no_other() -> None:
    assert price("gpt-5, input", "tokens").unit == "tokens"
    assert price("gpt-5, input", "images").cause == "no_price"
    assert price("gpt-image-2.5-sunburst", "images").cause == "no_price"


def test_audio_is_never_priced_as_text() -> None:
    assert a_million("gpt-4o-audio-preview, input") == Decimal("2.5")
    assert price("gpt-4o-audio-preview audio, input").cause == "no_price"


def test_a_price_without_a_step_has_no_long_context() -> None:
    assert price("gpt-5-mini, input, long context").cause == "no_price"


def test_a_price_per_hour_is_cut_to_eighteen_decimals_per_second() -> None:
    found = price("gpt-live-transcribe", "duration_seconds")
    assert found.usd == Decimal("0.000283333333333333")


def test_the_version_of_the_catalogue_is_recorded() -> None:
    assert SOURCE == "genai-prices 0.2.3"


def test_the_catalogue_has_one_step_of_context_everywhere() -> None:
    steps = {len(value.tiers) for value in _all_prices() if isinstance(value, TieredPrices)}
    assert steps == {1}


def test_the_catalogue_prices_no_model_by_the_hour_of_the_day() -> None:
    constraints = [
        one.constraint
        for one_list in LISTS.values()
        for model in one_list.models
        for one in (*_dated(model.prices), *(model.price_variants or ()))
        if one.constraint is not None
    ]
    assert {type(constraint).__name__ for constraint in constraints} == {"StartDateConstraint"}


def _dated(prices: object) -> list[Any]:
    return prices if isinstance(prices, list) else []


def _all_prices() -> list[Any]:
    return [
        value
        for one_list in LISTS.values()
        for model in one_list.models
        for prices in (
            *(one.prices for one in _dated(model.prices)),
            *([] if isinstance(model.prices, list) else [model.prices]),
            *(variant.prices for variant in model.price_variants or ()),
        )
        for value in vars(prices).values()
    ]


def test_a_price_that_was_found_for_a_day_is_that_of_each_day_until_another_begins() -> None:
    starts = catalogue._starts()  # noqa: SLF001 - where a day may differ from the day before
    days = {day + timedelta(by) for day in starts[1:] for by in (-1, 0, 1, 40)}
    for host, found in LISTS.items():
        for model in found.models:
            for tier in (None, "batch", "flex", "priority", "fast"):
                item = Item(model.id, "input", service_tier=tier, host=host)
                for day in days:
                    direct = catalogue._price_on.__wrapped__(item, day)  # noqa: SLF001 - of the day itself
                    assert list_price(item, day) == direct, (item, day)
