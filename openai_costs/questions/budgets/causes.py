"""Why a budget is exceeded: who and what grew, in dollars that add up to the change. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import polars as pl

from openai_costs.kernel.formatting import dollars_of, signed_dollars_of
from openai_costs.kernel.money import total
from openai_costs.questions.budgets.scopes import Split
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


def causes(parts: pl.DataFrame, by: Split) -> tuple[str, Decimal | None]:
    """Return the causes as JSON, and the cost of the days compared with.

    For each dimension: the fewest parts that explain 80 % of the change, three at most, and
    `other`, so that each dimension adds up to the change. Where nothing grew, the parts are of what
    was spent, the largest first, and the second value is null.

    Args:
        parts: The columns of scopes.PARTS.
        by: The dimensions of the parts.
    """
    now, before = total(parts["now_usd"]), total(parts["before_usd"])
    has_grown = before > 0 and now > before
    usd = pl.col("now_usd") - pl.col("before_usd") if has_grown else pl.col("now_usd")
    whats = _parts(parts.select(part="what", name=pl.lit(None, pl.String), usd=usd))
    found = [*_contributors(by.what, whats)]
    if by.who:
        whos = _parts(parts.select(part="who", name="who_name", usd=usd))
        found = [*_contributors(by.who, whos), *found]
    return as_json(found), before if has_grown else None


def as_text(text: str, change: int | None = None) -> str:
    """Return causes as text: `API key etl +$12.00, other +$3.00; model m +$15.00`.

    Args:
        text: The causes, as JSON.
        change: The cents of the change that they are of, as its sentence has it; None where they
            are of what was spent, which has no sign.
    """
    found, written = from_json(text), dollars_of if change is None else signed_dollars_of
    dimensions = dict.fromkeys(one["dimension"] for one in found)
    parts = (added_up(one for one in found if one["dimension"] == name) for name in dimensions)
    return "; ".join(in_words(of_one, MOST, written, change) for of_one in parts)


def _parts(rows: pl.DataFrame) -> list[Part]:
    summed = rows.group_by(pl.col("part").fill_null(NONE)).agg(
        pl.col("name").max(), pl.col("usd").sum()
    )
    return sorted(summed.iter_rows(), key=lambda part: (-part[2], part[0]))


def _contributors(dimension: str, parts: Sequence[Part]) -> Iterator[Cause]:
    whole = sum((usd for *_, usd in parts), Decimal(0))
    rest = whole
    for part_id, name, usd in parts[:MOST]:
        if usd <= 0 or whole - rest >= ENOUGH * whole:
            break
        rest -= usd
        yield cause(dimension, part_id, usd, name)
    if rest:
        yield cause(dimension, OTHER, rest)
