"""Dollars as the vendor writes them: a JSON number, or for a while decimal128 text."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Final

_DIGITS: Final = 34
# What a zero looked like while amounts were text.
_ZERO_TEXT: Final = "0E-6176"
_DECIMAL128: Final = Context(prec=_DIGITS)


def decimal128_text(usd: Decimal) -> str:
    """All 34 digits, never an exponent, except for zero, which is nothing but exponent."""
    if not usd:
        return _ZERO_TEXT
    last_digit = Decimal(1).scaleb(usd.adjusted() - _DIGITS + 1)
    return format(usd.quantize(last_digit, context=_DECIMAL128), "f")


def plain_number(usd: Decimal) -> Decimal:
    """Every digit of the amount; a zero carries no trace of the price it was multiplied by."""
    return usd or Decimal(0)
