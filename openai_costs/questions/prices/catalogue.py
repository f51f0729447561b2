"""List prices by model, side, modality, tier and day, from a catalogue that is pinned. Pure.

The catalogue is the package genai-prices as installed: data, no network. A price it does not have
is not guessed. Prices are for one unit: the catalogue's own sum of a day's tokens would charge them
as one long request. https://github.com/pydantic/genai-prices
"""

from bisect import bisect_right
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

import genai_prices
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from openai_costs.kernel.days import midnight
from openai_costs.kernel.money import SMALLEST
from openai_costs.questions.prices.price_lists import AWS, LISTS, OPENAI, find_model

SOURCE: Final = f"genai-prices {genai_prices.__version__}"
STANDARD: Final = "standard"
BATCH: Final = "batch"
HALVED: Final = ("input", "output")


class Item(NamedTuple):
    """What a line of the bill is for, as its label says; None where the label does not say."""

    model: str | None
    usage_type: str | None
    modality: str | None = None
    service_tier: str | None = None
    is_long_context: bool | None = None
    quantity_unit: str | None = None
    host: str = OPENAI
    region: str | None = None


class ListPrice(NamedTuple):
    """Dollars for one `unit`, or why there is no price: a cause of mart.price_check."""

    usd: Decimal | None = None
    unit: str | None = None
    cause: str | None = None


class Measure(NamedTuple):
    """How the catalogue prices something: dollars per `per` of a unit, under the first key it has.

    The unit is ours; the keys are the catalogue's.
    """

    keys: tuple[str, ...]
    unit: str
    per: int


NO_PRICE: Final = ListPrice(cause="no_price")
UNKNOWN_TIER: Final = ListPrice(cause="unknown_tier")
NOT_PARSED: Final = ListPrice(cause="label_not_parsed")

_BEFORE_ALL: Final = date.min
_MILLION: Final = 1_000_000
_TOKENS: Final = {
    "input": ("input", "mtok"),
    "cached_input": ("cache", "read_mtok"),
    "cache_write": ("cache", "write_mtok"),
    "cache_write_5m": ("cache", "write_mtok"),
    "cache_write_1h": ("cache", "write_1h_mtok"),
    "output": ("output", "mtok"),
}
_COUNTED: Final = {
    "duration": Measure(("audio_hours",), "duration_seconds", 3_600),
    "characters": Measure(("input_mchars",), "characters", _MILLION),
    "web_search": Measure(("web_searches_kcount",), "calls", 1_000),
    "file_search": Measure(("storage_searches_kcount",), "calls", 1_000),
}
# How many of a measure's unit one of the bill's is.
_TIMES: Final = {
    "tokens": ("tokens", 1),
    "characters": ("characters", 1),
    "calls": ("calls", 1),
    "duration_seconds": ("duration_seconds", 1),
    "duration_minutes": ("duration_seconds", 60),
    "duration_hours": ("duration_seconds", 3_600),
}
_CONTEXTS: Final = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
}


def list_price(item: Item, day: date) -> ListPrice:
    """Return the list price of one unit of an item on a day, or why it is not known."""
    return _price_on(item, _since(day))


def _since(day: date) -> date:
    """Return the first day from which on every price is what it is on a day."""
    starts = _starts()
    return starts[bisect_right(starts, day) - 1]


@cache
def _starts() -> tuple[date, ...]:
    """Return the days on which a price of the lists begins, after one that is before all."""
    models = [model for one in LISTS.values() for model in one.models]
    priced = [model.prices for model in models if not isinstance(model.prices, ModelPrice)]
    variants = [model.price_variants or () for model in models]
    constraints = [one.constraint for some in (*priced, *variants) for one in some]
    begin = {one.start_date for one in constraints if isinstance(one, StartDateConstraint)}
    return (_BEFORE_ALL, *sorted(begin))


@cache
def _price_on(item: Item, day: date) -> ListPrice:
    if item.usage_type is None and item.model is None:
        return NOT_PARSED
    if item.model is None:
        return _shared_price(item, day)
    model = find_model(item.model, item.host, item.region)
    if model is None:
        return NO_PRICE
    prices = _prices(model, item.service_tier or STANDARD, day)
    return _price(item, prices) if prices else _price_by_rule(item, model, day)


def _price_by_rule(item: Item, model: ModelInfo, day: date) -> ListPrice:
    """Return the price in a tier that has a rule instead of prices; UNKNOWN_TIER without one.

    A batch of Bedrock costs half of what the same tokens do at once. That the cache is cheaper in a
    batch as well is not written anywhere.
    https://docs.aws.amazon.com/bedrock/latest/userguide/capacity-limits-cost-optimization.html
    """
    if (item.host, item.service_tier) != (AWS, BATCH):
        return UNKNOWN_TIER
    found = _price(item, model.get_prices(midnight(day)))
    if found.usd is None or item.usage_type not in HALVED:
        return found
    return found._replace(usd=(found.usd / 2).quantize(SMALLEST))


def _shared_price(item: Item, day: date) -> ListPrice:
    """Return the price of a tool whose label names no model: the one that all models share."""
    measure = _COUNTED.get(item.usage_type or "")
    if measure is None:
        return NO_PRICE
    at = midnight(day)
    priced = (_price(item, model.get_prices(at)) for model in _pricing(measure, item.host))
    found = {price for price in priced if price.usd is not None}
    return found.pop() if len(found) == 1 else NO_PRICE


@cache
def _pricing(measure: Measure, host: str) -> tuple[ModelInfo, ...]:
    """Return the models of a list that have a price for a measure, on whatever day."""
    models = LISTS[host].models if host in LISTS else ()
    return tuple(
        model
        for model in models
        if any(_value(measure, prices) is not None for prices in _on_all_days(model))
    )


def _on_all_days(model: ModelInfo) -> list[ModelPrice]:
    prices = model.prices
    return [prices] if isinstance(prices, ModelPrice) else [one.prices for one in prices]


def _prices(model: ModelInfo, tier: str, day: date) -> ModelPrice | None:
    """Return a model's prices in a tier; None where the catalogue has none for it on that day.

    The catalogue falls back to the standard price then, which is not what the tier costs.
    """
    at = midnight(day)
    if tier == STANDARD:
        return model.get_prices(at)
    context = _CONTEXTS.get(tier)
    is_listed = any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )
    return model.get_prices(at, context) if is_listed else None


def _price(item: Item, prices: ModelPrice) -> ListPrice:
    usage_type = item.usage_type or _only_use(prices)
    if usage_type is None:
        return NO_PRICE if item.quantity_unit not in {None, "tokens"} else NOT_PARSED
    measure = _measure(usage_type, item.modality)
    found = _value(measure, prices) if measure else None
    usd = _of_context(found, is_long=bool(item.is_long_context))
    unit, times = _TIMES.get(item.quantity_unit or (measure.unit if measure else ""), ("", 0))
    if usd is None or measure is None or unit != measure.unit:
        return NO_PRICE
    exact = (usd * times / measure.per).quantize(SMALLEST)
    return ListPrice(exact, item.quantity_unit or measure.unit)


def _value(measure: Measure, prices: ModelPrice) -> Decimal | TieredPrices | None:
    values = (getattr(prices, key) for key in measure.keys)
    return next((value for value in values if value is not None), None)


def _only_use(prices: ModelPrice) -> str | None:
    """Return what a label without a kind is for, where the model charges for one thing only."""
    if prices.audio_hours is not None:
        return "duration"
    if prices.input_mchars is not None:
        return "characters"
    return "input" if prices.input_mtok is not None and prices.output_mtok is None else None


def _measure(usage_type: str, modality: str | None) -> Measure | None:
    if usage_type not in _TOKENS:
        return _COUNTED.get(usage_type)
    head, tail = _TOKENS[usage_type]
    whole, own = f"{head}_{tail}", f"{head}_{modality}_{tail}"
    if modality is None:
        return Measure((whole,), "tokens", _MILLION)
    # Audio costs several times what text does: without a price of its own it has none. Text and
    # pictures that are not priced apart are in the model's price for tokens.
    return Measure((own,) if modality == "audio" else (own, whole), "tokens", _MILLION)


def _of_context(price: Decimal | TieredPrices | None, *, is_long: bool) -> Decimal | None:
    """Return the price in or beyond the usual context; every price has one step at most."""
    if isinstance(price, TieredPrices):
        return price.tiers[0].price if is_long else price.base
    return None if is_long else price
