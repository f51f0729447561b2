"""Dollars on a page: cut to cents once, parts that add up, thousands separators. Pure.

Amounts stay exact `Decimal` until here; behind this door there are only whole cents.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


NONE: Final = "\u2013"

MINUS: Final = "\u2212"

_CENT: Final = Decimal("0.01")

_TENTH: Final = Decimal("0.1")

_LARGE_PERCENT: Final = 1000

# Wide enough that adding a lifetime of DECIMAL(38,18) never rounds.
_WIDE: Final = Context(prec=76)


def total_usd(amounts: Sequence[Decimal]) -> Decimal:
    """Return the exact sum, in dollars."""
    total = Decimal(0)
    for amount in amounts:
        total = _WIDE.add(total, amount)
    return total


def cents(usd: Decimal) -> int:
    """Return whole cents, rounded half to even."""
    return _cents(usd, ROUND_HALF_EVEN)


def shared_cents(parts: Sequence[Decimal]) -> list[int]:
    """Return each part in cents so that they add up to the cents of their exact sum.

    Every part is cut down to a cent; the cents that are left go to the largest remainders.

    Args:
        parts: Exact dollars, negative ones allowed.
    """
    cut = [_cents(part, ROUND_FLOOR) for part in parts]
    left = cents(total_usd(parts)) - sum(cut)
    by_remainder = sorted(range(len(parts)), key=lambda i: (cut[i] - parts[i].scaleb(2, _WIDE), i))
    for i in by_remainder[:left]:
        cut[i] += 1
    return cut


def amount(value: int) -> str:
    """Return cents as `1,234.56`, without a unit: the column's head has it."""
    return f"{MINUS if value < 0 else ''}{abs(value) // 100:,}.{abs(value) % 100:02}"


def dollars(value: int) -> str:
    """Return cents as `$1,234.56`."""
    return f"{MINUS if value < 0 else ''}${amount(abs(value))}"


def signed(value: int, unit: str = "$") -> str:
    """Return cents as `+$1,234.56` or `-$1,234.56`; nothing moved is `$0.00`."""
    sign = MINUS if value < 0 else "+" if value else ""
    return f"{sign}{unit}{amount(abs(value))}"


def share(part: int, whole: int) -> str:
    """Return a part in percent of a whole; a dash when the whole is not above zero."""
    return NONE if whole <= 0 else f"{_percent(part, whole)} %".replace("-", MINUS)


def change_share(current: int, previous: int) -> str:
    """Return the change in percent of the period before; a dash when that is not above zero."""
    if previous <= 0:
        return NONE
    moved = _percent(current - previous, previous)
    digits = 0 if abs(moved) >= _LARGE_PERCENT else 1
    return f"{moved:+,.{digits}f} %".replace("-", MINUS) if moved else "0.0 %"


def _cents(usd: Decimal, rounding: str) -> int:
    return int(usd.quantize(_CENT, rounding, _WIDE).scaleb(2, _WIDE))


def _percent(part: int, whole: int) -> Decimal:
    return (Decimal(100 * part) / whole).quantize(_TENTH, ROUND_HALF_EVEN, _WIDE)


def in_dollars(usd: Decimal) -> str:
    """Return an amount as people write it: $1,234.50, -$3.00."""
    return f"{'-' if usd <= -_CENT / 2 else ''}${abs(usd):,.2f}"


def in_signed_dollars(usd: Decimal) -> str:
    """Return a difference with its sign: +$12.50."""
    return in_dollars(usd) if usd < 0 else f"+{in_dollars(usd)}"
