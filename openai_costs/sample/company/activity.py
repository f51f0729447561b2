"""How busy a day is: the working week, slow growth, and repeatable chance.

Integers only. Chance is a hash of names, so a number depends on the seed, the day and what it is
for, and on nothing that was drawn before it: a day looks the same in a week as in three years.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

SATURDAY: Final = 5
SUNDAY: Final = 6
PERMILLE: Final = 1000
DAY_SECONDS: Final = 86_400
# Spend doubles roughly every 500 days on the way to today.
_GROWTH_DAYS: Final = 500


class Rhythm(Enum):
    """Thousandths of a full day's work, Monday to Sunday."""

    OFFICE = (1000, 1050, 1040, 1010, 860, 0, 0)
    PRODUCT = (1000, 1030, 1040, 1030, 960, 380, 320)
    ALWAYS = (1000, 1000, 1000, 1000, 1000, 1000, 1000)


def draw(*names: object) -> int:
    """A 64-bit number that is the same for the same names on every machine."""
    words = "\x1f".join(map(str, names)).encode()
    return int.from_bytes(blake2b(words, digest_size=8).digest(), "big")


def wobble_permille(spread: int, *names: object) -> int:
    """Thousandths around 1000, bell-shaped, never further away than `spread`."""
    number = draw(*names)
    total = sum((number >> shift) & 0xFFFF for shift in (0, 16, 32, 48))
    return PERMILLE - spread + 2 * spread * total // (4 * 0xFFFF)


def growth_permille(age: int) -> int:
    """Thousandths of today's business, `age` days ago; days to come do not outgrow double."""
    return PERMILLE * _GROWTH_DAYS // (_GROWTH_DAYS + max(age, -_GROWTH_DAYS // 2))


def by_then(units: int, second: int) -> int:
    """How many of a day's units are bought by this second of it."""
    return units * second // DAY_SECONDS


def is_weekend(day: date) -> bool:
    """Whether the day is a Saturday or a Sunday."""
    return day.weekday() >= SATURDAY
