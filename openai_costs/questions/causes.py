"""The causes of a change in spend: as JSON in a table, and as a sentence for people. Pure.

A cause is one child of a dimension (an API key, a model) with the exact dollars it adds to the
change; what no named child explains is the child `other`, so that a list adds up to the change.
Not here: which children explain a change (questions/anomalies, questions/budgets).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from openai_costs.kernel.formatting import shared_cents, signed_dollars_of

OTHER: Final = "other"
"""The id of what the named causes leave over."""
NONE: Final = "none"
"""The id of spend that names no child of the dimension."""

Cause = dict[str, Any]


def cause(
    dimension: str,
    child: str,
    usd: Decimal,
    name: str | None = None,
    effects: Mapping[str, Decimal] | None = None,
) -> Cause:
    """Return a cause as JSON has it; dollars are texts, because JSON has no decimal numbers.

    Args:
        dimension: What the child is: api_key, user, model, ...
        child: Its id, `OTHER` or `NONE`.
        usd: What it adds to the change.
        name: What people call it, where that is known.
        effects: Parts of `usd` by name.
    """
    named = {"name": name} if name else {}
    parts = {effect: _text(amount) for effect, amount in (effects or {}).items()}
    return {"dimension": dimension, "id": child} | named | {"impact_usd": _text(usd)} | parts


def as_json(causes: Sequence[Cause]) -> str:
    """Return causes as the text of a column."""
    return json.dumps(causes, separators=(",", ":"))


def from_json(text: str) -> list[Cause]:
    """Return the causes of the text of a column."""
    causes: list[Cause] = json.loads(text)
    return causes


def cause_words(one: Cause) -> str:
    """Return what a cause is called: `API key etl`, `no usage type`, `other`."""
    if one["id"] == OTHER:
        return OTHER
    child = child_words(one)
    return child if one["id"] == NONE else f"{_dimension(one)} {child}"


def child_words(one: Cause) -> str:
    """Return what a cause is called where its dimension is clear: `etl`, `no model`, `other`."""
    return f"no {_dimension(one)}" if one["id"] == NONE else str(one.get("name", one["id"]))


def _dimension(one: Cause) -> str:
    return str(one["dimension"]).replace("_", " ").replace("api key", "API key")


def added_up(
    causes: Iterable[Cause], words: Callable[[Cause], str] = cause_words
) -> dict[str, Decimal]:
    """Return what each cause adds to the change, by what it is called.

    Args:
        causes: The causes, of one day or of many.
        words: What to call one.
    """
    parts: dict[str, Decimal] = {}
    for one in causes:
        called = words(one)
        parts[called] = parts.get(called, Decimal(0)) + Decimal(one["impact_usd"])
    return parts


def in_words(
    parts: Mapping[str, Decimal], most: int, amount: Callable[[int], str] = signed_dollars_of
) -> str:
    """Return the largest parts of a change and all others as one: `A +$3.00, other -$1.00`.

    The cents that are written add up to those of the whole.

    Args:
        parts: `added_up`.
        most: How many are named.
        amount: How cents are written; `dollars_of` where they are not a change.
    """
    named = [words for words in parts if words != OTHER]
    first = sorted(named, key=lambda words: (-abs(parts[words]), words))[:most]
    rest = sum((usd for words, usd in parts.items() if words not in first), Decimal(0))
    *of_first, left = shared_cents([*(parts[words] for words in first), rest])
    texts = [f"{words} {amount(cents)}" for words, cents in zip(first, of_first, strict=True)]
    return ", ".join([*texts, f"{OTHER} {amount(left)}"] if left else texts)


def _text(usd: Decimal) -> str:
    return f"{usd.normalize() if usd else Decimal(0):f}"
