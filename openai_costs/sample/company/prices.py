"""The prices the sample bill is computed with: dollars per unit, by line item and day.

Where the catalogue of the package genai-prices has a price, this is it, on every day of a bill
that ends in or after November 2026; a comment marks what is planted to differ. Newer models cost a
tenth more in a project with a residency. Line items keep the several spellings found in the wild.
Amount = quantity x price holds to the last digit, as it does on real bills.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from openai_costs.sample.company.company import RESIDENCY


class ListPrice(NamedTuple):
    """Dollars per unit; `unit` as on the wire, None when the vendor names none."""

    usd_per_unit: Decimal
    unit: str | None
    has_quantity: bool = True


# model -> dollars per million tokens: input, cached input, output
_TEXT_MODELS: Final = {
    "gpt-5.4-2026-03-05": ("2.50", "0.25", "15.00"),
    "gpt-5.6-sol": ("4.00", "0.40", "20.00"),
    "gpt-5-mini-2025-08-07": ("0.25", "0.025", "2.00"),
    "gpt-5-search-api-2025-10-14": ("1.25", "0.125", "10.00"),
    "gpt-4.1-2025-04-14": ("2.00", "0.50", "8.00"),
    "gpt-5.4-mini-2026-03-17": ("0.75", "0.075", "4.50"),
}

# line item -> dollars per million tokens, for the spellings that do not follow the pattern above
_OTHER_TOKENS: Final = {
    "gpt-5.6-sol, cache writes": "5.00",
    # Twice the price for priority, and half as much again for output beyond the usual context.
    "priority | gpt-5.6-sol, output, long context": "60.00",
    # Planted: a contract gives exactly 20 % off the list price of 10 and 50.
    "gpt-6-astra, input_tokens": "8.00",
    "gpt-6-astra, output_tokens": "40.00",
    "evals | gpt-4o-mini-2024-07-18, input": "0.15",
    "evals | gpt-4o-mini-2024-07-18, output": "0.60",
    "ft-gpt-4o-2024-08-06, output": "15.00",
    "ft-gpt-4o-mini-2024-07-18, input": "0.30",
    "ft-gpt-4o-mini-2024-07-18, output": "1.20",
    "gpt-audio-mini-2025-12-15 audio, input": "10.00",
    "gpt-audio-mini-2025-12-15 audio, output": "20.00",
    "gpt-image-2.5-flare text, input": "5.00",
    "gpt-image-2.5-flare text, cached input": "1.25",
    "gpt-image-2.5-flare image, output": "30.00",
    "priority | gpt-5.6-sol, input, long context": "16.00",
    # No public bill shows how batches are labelled; this follows the priority lines.
    "batch | gpt-5.6-sol, input": "2.00",
    "batch | gpt-5.6-sol, output": "10.00",
    "gpt-6-luna, input": "0.10",
    "gpt-6-luna, cached input": "0.01",
    "gpt-6-luna, output": "0.50",
    # Planted: a model that no catalogue knows, because it does not exist.
    "gpt-6-tideline, input": "3.00",
    "gpt-6-tideline, output": "12.00",
}

_NOT_TOKENS: Final = {
    # Billed by the thousand: a reader that takes the quantity for tokens is wrong by 1000.
    "text-embedding-3-large, input": ListPrice(Decimal("0.00013"), "1000_tokens"),
    "whisper-1": ListPrice(Decimal("0.0001"), "duration_seconds"),
    "tts-1-hd": ListPrice(Decimal("0.00003"), "characters"),
    # The catalogue prices this model's tokens, and no storage, sessions or commitments at all.
    "gpt-image-2.5-sunburst": ListPrice(Decimal("0.042"), "images"),
    "Vector storage": ListPrice(Decimal("0.0042"), "gibibyte_hours"),
    "code interpreter sessions": ListPrice(Decimal("0.03"), None),
    "web search tool calls": ListPrice(Decimal("0.01"), None),
    "assistants api | file search": ListPrice(Decimal("0.0025"), None, has_quantity=False),
    "Scale tier bundle": ListPrice(Decimal("2.75"), None, has_quantity=False),
    # Planted: money that comes back; a unit is a cent.
    "Service credit": ListPrice(Decimal("-0.01"), None, has_quantity=False),
}

# Counted by the usage endpoints, never billed.
FREE: Final = frozenset({"omni-moderation-latest, input"})


def _per_token(usd_per_million: str) -> ListPrice:
    return ListPrice(Decimal(usd_per_million).scaleb(-6), "tokens")


def _text_prices() -> dict[str, ListPrice]:
    sides = ("input", "cached input", "output")
    return {
        f"{model}, {side}": _per_token(usd)
        for model, prices in _TEXT_MODELS.items()
        for side, usd in zip(sides, prices, strict=True)
    }


PRICE_LIST: Final[dict[str, ListPrice]] = {
    **_text_prices(),
    **{line_item: _per_token(usd) for line_item, usd in _OTHER_TOKENS.items()},
    **_NOT_TOKENS,
}

# The first day of today's prices where they have changed, and the dollars per million before.
_CHANGED_ON: Final = date(2026, 8, 21)
_BEFORE: Final[dict[str, ListPrice]] = {
    line_item: _per_token(usd)
    for line_item, usd in (
        ("gpt-5.6-sol, input", "5.00"),
        ("gpt-5.6-sol, cached input", "0.50"),
        ("gpt-5.6-sol, output", "30.00"),
        ("gpt-5.6-sol, cache writes", "6.25"),
        ("priority | gpt-5.6-sol, input, long context", "20.00"),
        ("priority | gpt-5.6-sol, output, long context", "90.00"),
    )
}


# Models of 2026-03-05 and later: https://developers.openai.com/api/docs/pricing
_REGIONAL_MODELS: Final = frozenset({"gpt-5.4-2026-03-05"})
_REGIONAL_UPLIFT: Final = Decimal("1.1")


def price_on(day: date, line_item: str, project_id: str | None = None) -> ListPrice:
    """What a unit of the line item cost on a UTC day in a project, or in one without a region."""
    current = PRICE_LIST[line_item]
    price = _BEFORE.get(line_item, current) if day < _CHANGED_ON else current
    if project_id in RESIDENCY and line_item.partition(", ")[0] in _REGIONAL_MODELS:
        return price._replace(usd_per_unit=price.usd_per_unit * _REGIONAL_UPLIFT)
    return price
