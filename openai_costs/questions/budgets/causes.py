"""Why a budget is over: who and what grew, in dollars that add up to the change. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import polars as pl

from openai_costs.kernel.money import total
from openai_costs.questions.budgets.scopes import Apart
from openai_costs.questions.causes import (
    NONE,
    OTHER,
    Cause,
    added_up,
    as_json,
    cause,
    from_json,
    in_words,
)

ENOUGH = Decimal("0.8")
MOST = 3
Part = tuple[str, str | None, Decimal]


def causes(parts: pl.DataFrame, by: Apart) -> tuple[str, Decimal | None]:
    """Return the causes as JSON, and what the days compared with cost.

    Of each dimension the fewest parts that explain 80 % of the change, three at most, and `other`,
    so that each adds up to the change. Where nothing grew, the parts are those of what is spent,
    the largest first, and no days are compared with: null.

    Args:
        parts: The columns of scopes.PARTS.
        by: What the parts are.
    """
    now, before = total(parts["now_usd"]), total(parts["before_usd"])
    has_grown = before > 0 and now > before
    usd = pl.col("now_usd") - pl.col("before_usd") if has_grown else pl.col("now_usd")
    whats = _parts(parts.select(part="what", name=pl.lit(None, pl.String), usd=usd))
    found = [*_largest(by.what, whats)]
    if by.who:
        whos = _parts(parts.select(part="who", name="who_name", usd=usd))
        found = [*_largest(by.who, whos), *found]
    return as_json(found), before if has_grown else None


def causes_in_words(text: str) -> str:
    """Return causes in words: `API key etl +$12.00, other +$3.00; model m +$15.00`.

    Args:
        text: The column `causes`.
    """
    found = from_json(text)
    dimensions = dict.fromkeys(one["dimension"] for one in found)
    parts = (added_up(one for one in found if one["dimension"] == name) for name in dimensions)
    return "; ".join(in_words(of_one, MOST) for of_one in parts)


def _parts(rows: pl.DataFrame) -> list[Part]:
    summed = rows.group_by(pl.col("part").fill_null(NONE)).agg(
        pl.col("name").max(), pl.col("usd").sum()
    )
    return sorted(summed.iter_rows(), key=lambda part: (-part[2], part[0]))


def _largest(dimension: str, parts: Sequence[Part]) -> Iterator[Cause]:
    whole = sum((usd for *_, usd in parts), Decimal(0))
    rest = whole
    for part_id, name, usd in parts[:MOST]:
        if usd <= 0 or whole - rest >= ENOUGH * whole:
            break
        rest -= usd
        yield cause(dimension, part_id, usd, name)
    if rest:
        yield cause(dimension, OTHER, rest)
