"""The causes of an unusual day, as text that any tool can read: JSON with exact dollars. Pure."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.anomalies.causes import causes
from openai_costs.anomalies.effects import EFFECTS

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
