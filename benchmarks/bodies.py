"""The organisation the benchmark bills: deterministic ledger lines, and their bytes on the wire.

One body per weekday and grouping is rendered once and served for every such day, so that a year of
50,000 lines a day costs the server a second of rendering and no work per request. Amounts are whole
units of 1e-12 dollars until they are written down: every total is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from random import Random
from typing import NamedTuple

PATTERNS = 7
"""Distinct days: one per weekday."""

DIMENSIONS = ("project_id", "user_id", "api_key_id", "line_item")
LINES_A_KEY = 8
KEYS_A_USER = 4
KEYS_A_PROJECT = 5

_MODELS = ("gpt-5.4-2026-03-05", "gpt-5.6-sol", "gpt-4.1-2025-04-14", "o4-mini-2025-04-16")
_SIDES = ("input", "output", "cached input", "cache writes")
LINE_ITEMS = (
    *(f"{model}, {side}" for model in _MODELS for side in _SIDES),
    *(f"priority | gpt-5.6-sol, {side}" for side in _SIDES),
    *(f"gpt-5.6-sol, {side}, long context" for side in _SIDES),
    "gpt-audio-mini-2025-12-15 audio, input",
    "gpt-image-2.5-flare image, output",
    "text-embedding-3-large, input",
)
PRICES = tuple(37_500 + 123_457 * n for n in range(len(LINE_ITEMS)))
"""Units of 1e-12 dollars a token, with contract discounts in them: up to 12 decimals."""


class Line(NamedTuple):
    """A billed line: its dimensions in the order of `DIMENSIONS`, units of 1e-12 USD, tokens."""

    dimensions: tuple[str, ...]
    units: int
    tokens: int


def dollars(units: int) -> str:
    """Return units of 1e-12 dollars as a plain JSON number of at most 12 decimals."""
    whole, rest = divmod(units, 10**12)
    return f"{whole}.{rest:012d}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Organisation:
    """An organisation with some ledger lines a day.

    Args:
        lines_a_day: Rows of a day in the ledger's grouping.
    """

    lines_a_day: int

    def lines(self, pattern: int) -> Iterator[Line]:
        """Yield the ledger of one of the distinct days. No key has a line item twice."""
        chance = Random(pattern)  # noqa: S311 - a fixed sample, not a secret
        for row in range(self.lines_a_day):
            key, nth = divmod(row, LINES_A_KEY)
            item = (key + 3 * nth) % len(LINE_ITEMS)
            tokens = chance.randrange(200, 4_000_000)
            dimensions = (
                f"proj_{key // KEYS_A_PROJECT:06d}QkdWbFZaT2xhMzRt",
                f"user-{key // KEYS_A_USER:06d}hT7xKpQm2LrVbN8w",
                f"key_{key:06d}Zr4TgYb6",
                LINE_ITEMS[item],
            )
            yield Line(dimensions, tokens * PRICES[item], tokens)

    def total(self, pattern: int) -> Decimal:
        """Return the exact dollars of one of the distinct days."""
        return Decimal(_total(self, pattern)).scaleb(-12)

    def results(self, pattern: int, grouping: tuple[str, ...]) -> bytes:
        """Return the `results` of a day's bucket in a grouping, rendered once."""
        return _results(self, pattern, grouping)


@cache
def _total(organisation: Organisation, pattern: int) -> int:
    return sum(line.units for line in organisation.lines(pattern))


@cache
def _results(organisation: Organisation, pattern: int, grouping: tuple[str, ...]) -> bytes:
    asked = [DIMENSIONS.index(name) for name in DIMENSIONS if name in grouping]
    groups: dict[tuple[str, ...], tuple[int, int]] = {}
    for line in organisation.lines(pattern):
        key = tuple(line.dimensions[i] for i in asked)
        units, tokens = groups.get(key, (0, 0))
        groups[key] = (units + line.units, tokens + line.tokens)
    rows = (_row(asked, key, units, tokens) for key, (units, tokens) in groups.items())
    return ",".join(rows).encode()


def _row(asked: list[int], key: tuple[str, ...], units: int, tokens: int) -> str:
    found = dict(zip(asked, key, strict=True))
    said = ",".join(
        f'"{name}":"{found[i]}"' if i in found else f'"{name}":null'
        for i, name in enumerate(DIMENSIONS)
    )
    is_counted = DIMENSIONS.index("line_item") in found
    quantity = f'{tokens},"quantity_unit":"tokens"' if is_counted else 'null,"quantity_unit":null'
    return (
        f'{{"object":"organization.costs.result","amount":{{"value":{dollars(units)},'
        f'"currency":"usd"}},{said},"api_source":null,"quantity":{quantity},'
        f'"organization_id":"org-bench"}}'
    )
