"""The causes of an unusual day as text: exact JSON for tools, words for people. Pure."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import cents, signed_dollars
from openai_costs.questions.anomalies.causes import EFFECTS, causes
from openai_costs.questions.anomalies.series_ids import series_words

WHO = ("key", "user")

WHAT = ("model", "line_item")

OWN_DIMENSIONS = {"user": ("user",), "key": ("user", "key"), "model": ("model",)}
"""Dimensions in which a series of a level has one child only: itself."""

DIMENSION_NAMES = {"key": "api_key"}


def causes_as_json(changes: pl.DataFrame, level: str, names: Mapping[str, str]) -> str:
    """Return who and what explains a day: a list for each, which adds up to the day's impact.

    Dollars are strings, because JSON has no decimal numbers.

    Args:
        changes: user, key, model, line_item, actual_usd, expected_usd, quantity,
            expected_quantity of the leaves of a series.
        level: The level of the series.
        names: Names by series_id, without the connection.
    """
    records: list[dict[str, Any]] = []
    for dimensions in (WHO, WHAT):
        asked = [name for name in dimensions if name not in OWN_DIMENSIONS.get(level, ())]
        if asked:
            found = causes(changes, asked)
            records += [_record(row, names) for row in found.iter_rows(named=True)]
    return json.dumps(records, separators=(",", ":"))


def _record(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    dimension, child = row["dimension"], row["child"]
    record = {"dimension": DIMENSION_NAMES.get(dimension, dimension), "id": child}
    if name := names.get(f"{dimension}:{child}"):
        record["name"] = name
    effects = {one: _text(row[one]) for one in EFFECTS if row[one] is not None}
    return record | {"impact_usd": _text(row["impact_usd"])} | effects


def _text(usd: Decimal) -> str:
    return f"{usd.normalize() if usd else Decimal(0):f}"


MOST_CAUSES = 3

OF_PEOPLE = frozenset({*WHO, "api_key"})


def causes_in_words(texts: Iterable[str]) -> str:
    """Return the causes of the days of an incident in words, the largest of each dimension first.

    Args:
        texts: The column `causes` of its days.
    """
    sums: dict[str, dict[str, Decimal]] = {}
    for cause in (one for text in texts for one in json.loads(text)):
        side = "Who" if cause["dimension"] in OF_PEOPLE else "What"
        of_side = sums.setdefault(side, {})
        words = _words(cause)
        of_side[words] = of_side.get(words, Decimal(0)) + Decimal(cause["impact_usd"])
    return " ".join(f"{side}: {_largest(parts)}." for side, parts in sums.items())


def _words(cause: dict[str, str]) -> str:
    """`API key new pipeline`; what remains is just `other`."""
    if cause["id"] == "other":
        return "other"
    dimension = series_words(cause["dimension"])
    if cause["id"] == "none":
        return f"no {dimension}"
    return f"{dimension} {cause.get('name', cause['id'])}"


def _largest(parts: dict[str, Decimal]) -> str:
    """The largest causes, and all others as one number, so that nothing is left out."""
    named = {words: usd for words, usd in parts.items() if words != "other"}
    first = sorted(named, key=lambda words: (-abs(named[words]), words))[:MOST_CAUSES]
    rest = sum((usd for words, usd in parts.items() if words not in first), Decimal(0))
    texts = [f"{words} {signed_dollars(named[words])}" for words in first]
    return ", ".join([*texts, f"other {signed_dollars(rest)}"] if cents(rest) else texts)
