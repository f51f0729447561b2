"""How numbers and lists are written for people: one way for dollars, counts and "and N more". Pure.

Dollars are `$1,234.50` in sentences, with a minus sign as in `-$3.20`. Amounts stay exact `Decimal`
until here; the functions that speak of cents serve tables whose shown parts add up.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

NONE: Final = "\u2013"
"""What a cell shows where there is no number."""
_CENT: Final = Decimal("0.01")
_TENTH: Final = Decimal("0.1")
_LARGE_PERCENT: Final = 1000
# Wide enough that adding a lifetime of DECIMAL(38,18) never rounds.
_WIDE: Final = Context(prec=76)


def dollars(usd: Decimal) -> str:
    """Return an amount in dollars as people write it: `$1,234.50`, `-$3.20`, `$0.00`."""
    return dollars_of(cents(usd))


def signed_dollars(usd: Decimal) -> str:
    """Return a difference in dollars with its sign: `+$12.50`, `-$3.20`; `$0.00` has none."""
    return signed_dollars_of(cents(usd))


def exact_dollars(usd: Decimal) -> str:
    """Return an amount to its last digit, with cents at least: `$1,234.50`, `-$0.000001`."""
    digits = f"{usd.copy_abs().normalize(_WIDE):f}".partition(".")
    return f"{'-' if usd < 0 else ''}${int(digits[0]):,}.{digits[2].ljust(2, '0')}"


def dollars_of(value: int) -> str:
    """Return cents as `$1,234.56`."""
    return f"{'-' if value < 0 else ''}${amount(abs(value))}"


def signed_dollars_of(value: int) -> str:
    """Return cents as `+$1,234.56` or `-$1,234.56`; a difference of nothing is `$0.00`."""
    return f"{'+' if value > 0 else ''}{dollars_of(value)}"


def amount(value: int) -> str:
    """Return cents as `1,234.56`, without a unit: the head of its column has it."""
    return f"{'-' if value < 0 else ''}{abs(value) // 100:,}.{abs(value) % 100:02}"


def total_usd(amounts: Sequence[Decimal]) -> Decimal:
    """Return the exact sum, in dollars."""
    total = Decimal(0)
    for usd in amounts:
        total = _WIDE.add(total, usd)
    return total


def cents(usd: Decimal) -> int:
    """Return whole cents, rounded half to even."""
    return _cents(usd, ROUND_HALF_EVEN)


def to_cents(usd: Decimal) -> Decimal:
    """Return an amount as `dollars` writes it, for sentences that calculate with it."""
    return Decimal(cents(usd)).scaleb(-2, _WIDE)


def shared_cents(parts: Sequence[Decimal], whole: int | None = None) -> list[int]:
    """Return each part in cents so that they add up to the cents of their exact sum.

    Every part is cut down to a cent; the cents that are left go to the largest remainders.

    Args:
        parts: Exact dollars, negative ones allowed.
        whole: The cents that they add up to, where their sum is written otherwise: as a difference
            of two amounts, each in cents.
    """
    cut = [_cents(part, ROUND_FLOOR) for part in parts]
    left = (cents(total_usd(parts)) if whole is None else whole) - sum(cut)
    by_remainder = sorted(range(len(parts)), key=lambda i: (cut[i] - parts[i].scaleb(2, _WIDE), i))
    more = 1 if left > 0 else -1
    for i in by_remainder[::more][: abs(left)]:
        cut[i] += more
    return cut


def share(part: int | Decimal, whole: int | Decimal) -> str:
    """Return a part in percent of a whole; a dash when the whole is not above zero."""
    return NONE if whole <= 0 else f"{_percent(part, whole)} %"


def change_share(current: int | Decimal, previous: int | Decimal) -> str:
    """Return the change in percent of the period before; a dash when that is not above zero."""
    if previous <= 0:
        return NONE
    change = _percent(_WIDE.subtract(current, previous), previous)
    digits = 0 if abs(change) >= _LARGE_PERCENT else 1
    return f"{change:+,.{digits}f} %" if change else "0.0 %"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 day`, `1,200 days`. The plural takes an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(texts: Sequence[str], most: int, noun: str = "", separator: str = ", ") -> str:
    """Return the first texts, and how many are left: `a, b and 3 more days`.

    Args:
        texts: What to list, the most important first.
        most: How many are written out.
        noun: What they are, in the singular; without one the rest is `3 more`.
        separator: What stands between two of them.
    """
    left = len(texts) - most
    if left <= 0:
        return separator.join(texts)
    rest = f"{left:,} more" + (f" {noun}{'' if left == 1 else 's'}" if noun else "")
    return f"{separator.join(texts[:most])}{';' if ';' in separator else ''} and {rest}"


def _cents(usd: Decimal, rounding: str) -> int:
    return int(usd.quantize(_CENT, rounding, _WIDE).scaleb(2, _WIDE))


def _percent(part: int | Decimal, whole: int | Decimal) -> Decimal:
    return _WIDE.divide(_WIDE.multiply(100, part), whole).quantize(_TENTH, ROUND_HALF_EVEN, _WIDE)
