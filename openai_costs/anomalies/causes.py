"""Who makes a change: the fewest children that explain it, in dollars that add up to it. Pure.

Children come from the leaves of the ledger (user, key, model, line item), each with what it cost
and what it was expected to cost. The impact is the sum of the changes, exactly.
"""

from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from openai_costs.anomalies.effects import EFFECTS, effects, has_quantities
from openai_costs.money import MONEY, total

DIMENSIONS = ("user", "key", "model", "line_item")
ENOUGH = Decimal("0.8")
MOST_CAUSES = 5
OTHER = "other"
NONE = "none"
COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "rank": pl.Int64,
    "dimension": pl.String,
    "child": pl.String,
    "impact_usd": MONEY,
    "share": pl.Float64,
    **dict.fromkeys(EFFECTS, MONEY),
}
Cause = tuple[str, Decimal]


def causes(leaves: pl.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pl.DataFrame:
    """Return the causes of a change, the largest first, and the row `other` with what remains.

    Every dimension is tried. Told is the one that needs the fewest children for four fifths of the
    impact; among equals the first of user, key, model, line item. A child that moved against the
    impact is part of `other`. Five children at most, so `other` may be most of it.

    Args:
        leaves: actual_usd, expected_usd (DECIMAL(38,18)) and any of user, key, model, line_item;
            to tell price from volume also line_item, quantity and expected_quantity (Decimal).
        dimensions: What may be told.

    Returns:
        rank, dimension, child, impact_usd, share, volume_usd, mix_usd, price_usd, unmeasured_usd.
        impact_usd adds up to the impact, and the four effects of a row to its impact_usd; they are
        null where the leaves have no quantities. No rows where nothing changed.
    """
    impact = total(leaves["actual_usd"]) - total(leaves["expected_usd"])
    asked = [name for name in dimensions if name in leaves.columns]
    if impact == 0 or not asked:
        return pl.DataFrame(schema=COLUMNS)
    told = {name: _fewest(_changes(leaves, name), impact) for name in asked}
    dimension = min(asked, key=lambda name: _cost(told[name], impact))
    rows = _rows(leaves, dimension, told[dimension], impact)
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _changes(leaves: pl.DataFrame, dimension: str) -> list[Cause]:
    """Children and what they changed, the largest change first."""
    child = pl.col(dimension).fill_null(NONE)
    change = (pl.col("actual_usd").sum() - pl.col("expected_usd").sum()).cast(MONEY)
    changes = leaves.group_by(child=child).agg(change=change)
    return sorted(changes.iter_rows(), key=lambda one: (-abs(one[1]), one[0]))


def _fewest(changes: list[Cause], impact: Decimal) -> list[Cause]:
    """The largest changes in the impact's direction, until four fifths of it are explained."""
    found: list[Cause] = []
    for child, change in changes:
        if len(found) == MOST_CAUSES or abs(_sum(found)) >= ENOUGH * abs(impact):
            break
        if change * impact > 0:
            found.append((child, change))
    return found


def _cost(found: list[Cause], impact: Decimal) -> tuple[bool, bool, int]:
    """What makes one dimension a worse explanation than another."""
    is_nobody = any(child == NONE for child, _ in found)
    return abs(_sum(found)) < ENOUGH * abs(impact), is_nobody, len(found)


def _rows(
    leaves: pl.DataFrame, dimension: str, found: list[Cause], impact: Decimal
) -> list[tuple[object, ...]]:
    named = pl.col(dimension).fill_null(NONE)
    told = [(child, change, leaves.filter(named == child)) for child, change in found]
    remains = impact - _sum(found)
    rest = leaves.filter(~named.is_in([child for child, _ in found]))
    if remains != 0:
        told.append((OTHER, remains, rest))
    measured = has_quantities(leaves)
    return [
        (rank, dimension, child, change, float(change / impact))
        + (effects(lines) if measured else (None,) * len(EFFECTS))
        for rank, (child, change, lines) in enumerate(told, start=1)
    ]


def _sum(found: list[Cause]) -> Decimal:
    return sum((change for _, change in found), Decimal(0))
