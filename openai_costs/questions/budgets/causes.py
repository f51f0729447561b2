"""Why a budget is over: who and what grew, in dollars that add up to the change. Pure."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import total
from openai_costs.questions.budgets.scopes import Apart

ENOUGH = Decimal("0.8")
MOST = 3
OTHER, NONE = "other", "none"
Part = tuple[str, str | None, Decimal]


def causes(parts: pl.DataFrame, by: Apart) -> tuple[str, Decimal | None]:
    """Return the causes as JSON, and what the days compared with cost.

    Of each dimension the fewest parts that explain four fifths of the change, three at most, and
    `other`, so that each adds up to the change. Where nothing grew, what is spent is told instead,
    the largest first, and no days are compared with: null.

    Args:
        parts: The columns of scopes.PARTS.
        by: What the parts are.
    """
    now, before = total(parts["now_usd"]), total(parts["before_usd"])
    has_grown = before > 0 and now > before
    usd = pl.col("now_usd") - pl.col("before_usd") if has_grown else pl.col("now_usd")
    whats = _parts(parts.select(part="what", name=pl.lit(None, pl.String), usd=usd))
    found = [*_told(by.what, whats)]
    if by.who:
        whos = _parts(parts.select(part="who", name="who_name", usd=usd))
        found = [*_told(by.who, whos), *found]
    return json.dumps(found, separators=(",", ":")), before if has_grown else None


def in_words(text: str) -> str:
    """Return causes in words: `api key etl +12.00, other +3.00; model m +15.00`."""
    by_dimension: dict[str, list[str]] = {}
    for cause in json.loads(text):
        dimension = cause["dimension"].replace("_", " ")
        said = f"{_called(cause, dimension)} {Decimal(cause['impact_usd']):+,.2f}"
        by_dimension.setdefault(dimension, []).append(said)
    return "; ".join(", ".join(words) for words in by_dimension.values())


def _called(cause: dict[str, str], dimension: str) -> str:
    if cause["id"] == OTHER:
        return OTHER
    if cause["id"] == NONE:
        return f"no {dimension}"
    return f"{dimension} {cause.get('name', cause['id'])}"


def _parts(rows: pl.DataFrame) -> list[Part]:
    summed = rows.group_by(pl.col("part").fill_null(NONE)).agg(
        pl.col("name").max(), pl.col("usd").sum()
    )
    return sorted(summed.iter_rows(), key=lambda part: (-part[2], part[0]))


def _told(dimension: str, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    whole = sum((usd for *_, usd in parts), Decimal(0))
    rest = whole
    for part_id, name, usd in parts[:MOST]:
        if usd <= 0 or whole - rest >= ENOUGH * whole:
            break
        rest -= usd
        named = {"name": name} if name else {}
        yield {"dimension": dimension, "id": part_id} | named | {"impact_usd": _text(usd)}
    if rest:
        yield {"dimension": dimension, "id": OTHER, "impact_usd": _text(rest)}


def _text(usd: Decimal) -> str:
    return f"{usd.normalize() if usd else Decimal(0):f}"
