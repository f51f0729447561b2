"""The causes of an unusual day, as text that any tool can read: JSON with exact dollars. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from openai_costs.questions.anomalies.causes import EFFECTS, causes
from openai_costs.questions.causes import Cause, added_up, cause, from_json, in_words

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


def _said(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    dimension, child = row["dimension"], row["child"]
    name = names.get(f"{dimension}:{child}")
    effects = {one: row[one] for one in EFFECTS if row[one] is not None}
    return cause(CALLED.get(dimension, dimension), child, row["impact_usd"], name, effects)


# Causes in words. Pure.

MOST_CAUSES = 3

OF_PEOPLE = frozenset({*WHO, "api_key"})


def causes_in_words(texts: Iterable[str]) -> str:
    """Return the causes of the days of an incident in words, the largest of each dimension first.

    Args:
        texts: The column `causes` of its days.
    """
    sides: dict[str, list[Cause]] = {}
    for one in (one for text in texts for one in from_json(text)):
        sides.setdefault("Who" if one["dimension"] in OF_PEOPLE else "What", []).append(one)
    return " ".join(
        f"{side}: {in_words(added_up(found), MOST_CAUSES)}." for side, found in sides.items()
    )
