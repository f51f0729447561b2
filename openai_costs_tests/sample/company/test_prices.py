from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from genai_prices.data import providers

from openai_costs.kernel.days import midnight
from openai_costs.sample.company.prices import PRICE_LIST, price_on
from openai_costs_tests.sample.asking import TODAY, ago

OPENAI = next(provider for provider in providers if provider.id == "openai")
BEFORE, AFTER = date(2026, 8, 20), date(2026, 8, 21)
# What a side of a text model is called in the catalogue.
KEYS = {
    "input": "input_mtok",
    "cached input": "cache_read_mtok",
    "cache writes": "cache_write_mtok",
    "output": "output_mtok",
}
PLAIN = [
    (model, side)
    for model, _, side in (item.rpartition(", ") for item in PRICE_LIST)
    if side in KEYS and " " not in model and not model.startswith(("ft-", "text-"))
]
UNKNOWN = "gpt-6-tideline"


def listed(model: str, key: str, day: date, context: dict[str, str] | None = None) -> Decimal:
    """The catalogue's dollars per token, in the usual context."""
    entry = OPENAI.find_model(model) or OPENAI.find_model(model.removesuffix("-2025-10-14"))
    assert entry is not None
    price = getattr(entry.get_prices(midnight(day), context), key)
    usual: Decimal = getattr(price, "base", price)
    return usual / 1_000_000


@pytest.mark.parametrize("day", [ago(120), BEFORE, AFTER, TODAY], ids=str)
@pytest.mark.parametrize(("model", "side"), [one for one in PLAIN if one[0] != UNKNOWN])
def test_text_costs_what_the_catalogue_lists_on_that_day(model: str, side: str, day: date) -> None:
    price = price_on(day, f"{model}, {side}")
    assert price.usd_per_unit == listed(model, KEYS[side], day)


def test_a_price_changed_once() -> None:
    item = "gpt-5.6-sol, output"
    assert price_on(BEFORE, item).usd_per_unit == Decimal("0.00003")
    assert price_on(AFTER, item).usd_per_unit == Decimal("0.00002")


@pytest.mark.parametrize("side", ["input", "output"])
def test_batches_cost_half(side: str) -> None:
    batch = price_on(TODAY, f"batch | gpt-5.6-sol, {side}").usd_per_unit
    assert batch == listed("gpt-5.6-sol", KEYS[side], TODAY, {"processing": "batch"})
    assert batch * 2 == price_on(TODAY, f"gpt-5.6-sol, {side}").usd_per_unit


@pytest.mark.parametrize("side", ["input", "output"])
def test_priority_beyond_the_usual_context_costs_what_the_catalogue_lists(side: str) -> None:
    entry = OPENAI.find_model("gpt-5.6-sol")
    assert entry is not None
    tiers = getattr(
        entry.get_prices(midnight(TODAY), {"service_tier": "priority"}), KEYS[side]
    ).tiers
    price = price_on(TODAY, f"priority | gpt-5.6-sol, {side}, long context")
    assert price.usd_per_unit == tiers[0].price / 1_000_000


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_contract_gives_exactly_a_fifth_off_one_model(side: str) -> None:
    billed = price_on(TODAY, f"gpt-6-astra, {side}_tokens").usd_per_unit
    assert billed == listed("gpt-6-astra", KEYS[side], TODAY) * Decimal("0.8")


def test_newer_models_cost_a_tenth_more_where_data_has_to_stay() -> None:
    newer, older = "gpt-5.4-2026-03-05, output", "gpt-5-mini-2025-08-07, output"
    regional = [price_on(TODAY, item, "proj_finance_close").usd_per_unit for item in (newer, older)]
    usual = [price_on(TODAY, item, "proj_labs").usd_per_unit for item in (newer, older)]
    assert regional == [usual[0] * Decimal("1.1"), usual[1]]


def test_a_tuned_model_costs_what_the_catalogue_lists() -> None:
    for side in ("input", "output"):
        tuned = price_on(TODAY, f"ft-gpt-4o-mini-2024-07-18, {side}").usd_per_unit
        assert tuned == listed("ft:gpt-4o-mini-2024-07-18", KEYS[side], TODAY)


def test_no_catalogue_knows_the_model_that_does_not_exist() -> None:
    assert f"{UNKNOWN}, input" in PRICE_LIST
    assert OPENAI.find_model(UNKNOWN) is None


def test_what_is_not_tokens_costs_what_the_catalogue_lists() -> None:
    at = midnight(TODAY)
    whisper, voice = (OPENAI.find_model(model) for model in ("whisper-1", "tts-1-hd"))
    assert whisper is not None
    assert voice is not None
    assert PRICE_LIST["whisper-1"].usd_per_unit == whisper.get_prices(at).audio_hours / 3_600
    assert PRICE_LIST["tts-1-hd"].usd_per_unit == voice.get_prices(at).input_mchars / 1_000_000
    embedding = PRICE_LIST["text-embedding-3-large, input"].usd_per_unit
    assert embedding == listed("text-embedding-3-large", "input_mtok", TODAY) * 1_000
    flare = PRICE_LIST["gpt-image-2.5-flare image, output"].usd_per_unit
    assert flare == listed("gpt-image-2.5-flare", "output_mtok", TODAY)
