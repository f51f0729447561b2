"""The causes of an unusual day, as text that any tool can read: JSON with exact dollars. Pure."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import signed_dollars
from openai_costs.questions.anomalies.causes import EFFECTS, causes

WHO = ("key", "user")

WHAT = ("model", "line_item")

SAYS_ITSELF = {"user": ("user",), "key": ("user", "key"), "model": ("model",)}
"""What would say of a series only its own name."""

CALLED = {"key": "api_key"}

Explained = list[dict[str, Any]]


def explained(parts: pl.DataFrame, level: str, names: Mapping[str, str]) -> Explained:
    """Return who and what explains a day: a list for each, which adds up to the day's impact.

    Args:
        parts: user, key, model, line_item, actual_usd, expected_usd, quantity, expected_quantity.
        level: The level of the series.
        names: Names by series_id, without the connection.
    """
    found: Explained = []
    for dimensions in (WHO, WHAT):
        asked = [name for name in dimensions if name not in SAYS_ITSELF.get(level, ())]
        if asked:
            found += [_said(row, names) for row in causes(parts, asked).iter_rows(named=True)]
    return found


def as_json(found: Explained) -> str:
    """Return causes as text. Dollars are text: JSON's numbers are no decimals."""
    return json.dumps(found, separators=(",", ":"))


def _said(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    dimension, child = row["dimension"], row["child"]
    said = {"dimension": CALLED.get(dimension, dimension), "id": child}
    if name := names.get(f"{dimension}:{child}"):
        said["name"] = name
    effects = {one: _text(row[one]) for one in EFFECTS if row[one] is not None}
    return said | {"impact_usd": _text(row["impact_usd"])} | effects


def _text(usd: Decimal) -> str:
    return f"{usd.normalize() if usd else Decimal(0):f}"


# Dollars, days and causes in words. Pure.

MOST_CAUSES = 3

CENT = Decimal("0.01")

OF_PEOPLE = frozenset({*WHO, "api_key"})


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
    told = [f"{word} {signed_dollars(named[word])}" for word in first]
    return ", ".join([*told, f"other {signed_dollars(rest)}"] if abs(rest) >= CENT / 2 else told)
