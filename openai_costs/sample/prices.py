"""The list prices the sample bill is computed with: dollars per unit, by line item.

The prices are plausible, not quoted: what matters is that amount = quantity x price holds to the
last digit, as it does on real bills. Line items keep the several spellings found in the wild.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple


class ListPrice(NamedTuple):
    """Dollars per unit; `unit` as the wire spells it, None when the vendor names none."""

    usd_per_unit: Decimal
    unit: str | None
    has_quantity: bool = True


# model -> dollars per million tokens: input, cached input, output
_TEXT_MODELS: Final = {
    "gpt-5.4-2026-03-05": ("2.50", "0.25", "15.00"),
    "gpt-5.6-sol": ("5.00", "0.50", "30.00"),
    "gpt-5-mini-2025-08-07": ("0.25", "0.025", "2.00"),
    "gpt-5-search-api-2025-10-14": ("1.25", "0.125", "10.00"),
    "gpt-4.1-2025-04-14": ("2.00", "0.50", "8.00"),
}

# line item -> dollars per million tokens, for the spellings that do not follow the pattern above
_OTHER_TOKENS: Final = {
    "gpt-5.6-sol, cache writes": "6.25",
    "priority | gpt-5.6-sol, output, long context": "76.50",
    "gpt-6-astra, input_tokens": "8.00",
    "gpt-6-astra, output_tokens": "40.00",
    "evals | gpt-4o-mini-2024-07-18, input": "0.15",
    "evals | gpt-4o-mini-2024-07-18, output": "0.60",
    "ft-gpt-4o-2024-08-06, output": "15.00",
    "gpt-audio-mini-2025-12-15 audio, input": "10.00",
    "gpt-audio-mini-2025-12-15 audio, output": "20.00",
    "gpt-image-2.5-flare text, input": "5.00",
    "gpt-image-2.5-flare text, cached input": "1.25",
    "gpt-image-2.5-flare image, output": "32.00",
}

_NOT_TOKENS: Final = {
    # Billed by the thousand: a reader that takes the quantity for tokens is wrong by 1000.
    "text-embedding-3-large, input": ListPrice(Decimal("0.00013"), "1000_tokens"),
    "whisper-1": ListPrice(Decimal("0.0001"), "duration_seconds"),
    "tts-1-hd": ListPrice(Decimal("0.00003"), "characters"),
    "gpt-image-2.5-sunburst": ListPrice(Decimal("0.042"), "images"),
    "Vector storage": ListPrice(Decimal("0.0042"), "gibibyte_hours"),
    "web search tool calls": ListPrice(Decimal("0.01"), None),
    "assistants api | file search": ListPrice(Decimal("0.0025"), None, has_quantity=False),
    "Scale tier bundle": ListPrice(Decimal("2.75"), None, has_quantity=False),
}


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
