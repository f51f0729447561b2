"""The causes of a change in spend: as JSON in a table, and as a sentence for people. Pure.

A cause is one child of a dimension (an API key, a model) with the exact dollars it adds to the
change; what no named child explains is the child `other`, so that a list adds up to the change.
Not here: which children explain a change (questions/anomalies, questions/budgets).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import shared_cents, signed_dollars_of
from openai_costs.questions.namesakes import Marks

OTHER: Final = "other"
"""The id of what the named causes leave over."""
NONE: Final = "none"
"""The id of spend that names no child of the dimension."""

Cause = dict[str, Any]


class Part(NamedTuple):
    """What a child of a dimension adds to a change, and what it is called."""

    words: str
    usd: Decimal


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


def distinguished(rows: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    """Return rows with `causes` whose names distinguish namesakes."""
    if not marks:
        return rows
    texts = [text and _distinguished(text, marks) for text in rows["causes"]]
    return rows.with_columns(causes=pl.Series(texts, dtype=pl.String))


def _distinguished(text: str, marks: Marks) -> str:
    return as_json([_marked(one, marks) for one in from_json(text)])


def _marked(one: Cause, marks: Marks) -> Cause:
    mark = marks.get((one["dimension"], one["id"]), "")
    return one | {"name": f"{one['name']}{mark}"} if "name" in one else one


def added_up(causes: Iterable[Cause], words: Callable[[Cause], str] = cause_words) -> list[Part]:
    """Return what each child of a dimension adds to the change, whatever others are called.

    Args:
        causes: The causes, of one day or of many.
        words: What to call one.
    """
    usd: dict[tuple[str, str], Decimal] = {}
    called: dict[tuple[str, str], str] = {}
    for one in causes:
        child = one["dimension"], one["id"]
        usd[child] = usd.get(child, Decimal(0)) + Decimal(one["impact_usd"])
        called[child] = words(one)
    return [Part(called[child], amount) for child, amount in usd.items()]


def in_words(
    parts: Sequence[Part],
    most: int,
    amount: Callable[[int], str] = signed_dollars_of,
    whole: int | None = None,
) -> str:
    """Return the largest parts of a change and all others as one: `A +$3.00, other -$1.00`.

    The cents that are written add up to those of the whole.

    Args:
        parts: `added_up`.
        most: How many are named.
        amount: How cents are written; `dollars_of` where they are not a change.
        whole: The cents of the whole, where a sentence has it as a difference of two amounts.
    """
    named = sorted(
        (one for one in parts if one.words != OTHER), key=lambda one: (-abs(one.usd), one.words)
    )
    others = [*named[most:], *(one for one in parts if one.words == OTHER)]
    rest = sum((one.usd for one in others), Decimal(0))
    written = [*named[:most], *([Part(OTHER, rest)] if rest else [])]
    shares = shared_cents([one.usd for one in written], whole)
    return ", ".join(
        f"{one.words} {amount(cents)}"
        for one, cents in zip(written, shares, strict=True)
        if cents or one.words != OTHER
    )


def _text(usd: Decimal) -> str:
    return f"{usd.normalize() if usd else Decimal(0):f}"
