"""Dollars, days and causes in words. Pure."""

import json
from collections.abc import Iterable
from decimal import Decimal

from openai_costs.anomalies.explained import WHO

MOST_CAUSES = 3
CENT = Decimal("0.01")
OF_PEOPLE = frozenset({*WHO, "api_key"})


def dollars(usd: Decimal) -> str:
    """Return an amount as people write it: $1,234.50, -$3.00."""
    return f"{'-' if usd <= -CENT / 2 else ''}${abs(usd):,.2f}"


def signed(usd: Decimal) -> str:
    """Return a difference with its sign: +$12.50."""
    return dollars(usd) if usd < 0 else f"+{dollars(usd)}"


def causes_in_words(texts: Iterable[str]) -> str:
    """Return the causes of the days of an incident in words, the largest of each dimension first.

    Args:
        texts: The column `causes` of its days.
    """
    summed: dict[str, dict[str, Decimal]] = {}
    for cause in (one for text in texts for one in json.loads(text)):
        side = "Who" if cause["dimension"] in OF_PEOPLE else "What"
        word = _called(cause)
        mine = summed.setdefault(side, {})
        mine[word] = mine.get(word, Decimal(0)) + Decimal(cause["impact_usd"])
    return " ".join(f"{side}: {_largest(parts)}." for side, parts in summed.items())


def _called(cause: dict[str, str]) -> str:
    """`api key new pipeline`; what remains is just `other`."""
    if cause["id"] in ("other", "none"):
        return "other" if cause["id"] == "other" else f"no {cause['dimension']}"
    return f"{cause['dimension'].replace('_', ' ')} {cause.get('name', cause['id'])}"


def _largest(parts: dict[str, Decimal]) -> str:
    """The largest causes, and the others in one number, so that all of it is told."""
    named = {word: usd for word, usd in parts.items() if word != "other"}
    first = sorted(named, key=lambda word: (-abs(named[word]), word))[:MOST_CAUSES]
    rest = sum((usd for word, usd in parts.items() if word not in first), Decimal(0))
    told = [f"{word} {signed(named[word])}" for word in first]
    return ", ".join([*told, f"other {signed(rest)}"] if abs(rest) >= CENT / 2 else told)
