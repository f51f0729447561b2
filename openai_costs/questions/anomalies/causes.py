"""Who makes a change: the fewest children that explain it, in dollars that add up to it. Pure.

Children come from the leaf rows of the ledger (user, key, model, line item), each with what it cost
and what it was expected to cost. The impact is the sum of the changes, exactly.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST, total
from openai_costs.questions.causes import NONE, OTHER

# Whether a change is more use, other use, or another price. Of the lines of one unit, with
# q quantities, p = dollars / q, and 0 for expected: volume = (sum q - sum q0) x average p0; mix =
# sum(q p0) - sum q x average p0; price = the rest. So mix is what the same quantity costs more
# because dearer lines are used, such as another model.

EFFECTS = ("volume_usd", "mix_usd", "price_usd", "unmeasured_usd")

NEEDED = ("line_item", "quantity", "expected_quantity")

WIDE = Context(prec=60)

Line = tuple[Decimal, Decimal, Decimal, Decimal]
"""actual_usd, expected_usd, quantity, expected_quantity."""

Effects = tuple[Decimal, Decimal, Decimal, Decimal]
"""As in `EFFECTS`."""

NO_EFFECTS: Effects = (Decimal(0), Decimal(0), Decimal(0), Decimal(0))


def has_quantities(leaf_rows: pl.DataFrame) -> bool:
    """Return whether the leaf rows have quantities at all."""
    return set(NEEDED) <= set(leaf_rows.columns)


def effects(leaf_rows: pl.DataFrame, part: pl.Expr) -> dict[str | None, Effects]:
    """Return volume, mix, price and unmeasured dollars of each part, which add up to its change.

    A line that is new has no expected price and takes its own, so it is volume and mix. Dollars
    of lines without quantities are unmeasured.

    Args:
        leaf_rows: line_item, actual_usd, expected_usd, quantity, expected_quantity; quantity_unit
            where there are several.
        part: Which part a leaf row belongs to.
    """
    units = [name for name in ("quantity_unit",) if name in leaf_rows.columns]
    lines = leaf_rows.group_by(part.alias("part"), *units, "line_item").agg(
        *(pl.col(name).sum() for name in ("actual_usd", "expected_usd")),
        *(
            pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
            for name in NEEDED[1:]
        ),
    )
    of_units = defaultdict[tuple[str | None, ...], list[Line]](list)
    for row in lines.iter_rows():
        of_units[row[: 1 + len(units)]].append(row[-4:])
    found: dict[str | None, Effects] = {}
    for (name, *_), some in of_units.items():
        before = found.get(name, NO_EFFECTS)
        volume, mix, price, unmeasured = map(Decimal.__add__, before, _of_unit(some))
        found[name] = volume, mix, price, unmeasured
    return found


def _of_unit(rows: list[Line]) -> Effects:
    """The effects of lines of one unit."""
    known = [row for row in rows if _is_measured(row)]
    change = _change(rows)
    measured = _change(known)
    volume, mix = _volume_and_mix(known)
    return volume, mix, measured - volume - mix, change - measured


def _is_measured(row: tuple[Decimal | None, ...]) -> bool:
    actual, expected, quantity, expected_quantity = row
    if quantity is None or expected_quantity is None:
        return False
    return (quantity != 0 or actual == 0) and (expected_quantity != 0 or expected == 0)


def _change(rows: list[Line]) -> Decimal:
    return sum((row[0] - row[1] for row in rows), Decimal(0))


def _volume_and_mix(lines: list[Line]) -> tuple[Decimal, Decimal]:
    used = sum((line[2] for line in lines), Decimal(0))
    usual = sum((line[3] for line in lines), Decimal(0))
    expected = sum((line[1] for line in lines), Decimal(0))
    at_old_prices = sum((_at_old_price(line) for line in lines), Decimal(0))
    if usual == 0:
        return _cut(at_old_prices), Decimal(0)
    as_usual = WIDE.divide(WIDE.multiply(used, expected), usual)
    return _cut(as_usual - expected), _cut(at_old_prices - as_usual)


def _at_old_price(line: Line) -> Decimal:
    actual, expected, quantity, expected_quantity = line
    if expected_quantity == 0:
        return actual
    return WIDE.divide(WIDE.multiply(quantity, expected), expected_quantity)


def _cut(amount: Decimal) -> Decimal:
    return amount.quantize(SMALLEST, rounding=ROUND_HALF_EVEN, context=WIDE)


DIMENSIONS = ("user", "key", "model", "line_item")

ENOUGH = Decimal("0.8")

MOST_CAUSES = 5

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "rank": pl.Int64,
    "dimension": pl.String,
    "child": pl.String,
    "impact_usd": MONEY,
    "share": pl.Float64,
    **dict.fromkeys(EFFECTS, MONEY),
}

Cause = tuple[str, Decimal]


def causes(leaf_rows: pl.DataFrame, dimensions: Sequence[str] = DIMENSIONS) -> pl.DataFrame:
    """Return the causes of a change, the largest first, and the row `other` with what remains.

    Every dimension is tried. Reports the dimension that explains 80 % of the impact with the fewest
    children; among equals the first of user, key, model, line item. A child that moved against the
    impact is part of `other`. There are five children at most, so `other` may be most of it.

    Args:
        leaf_rows: actual_usd, expected_usd (DECIMAL(38,18)) and any of user, key, model, line_item;
            to tell price from volume also line_item, quantity and expected_quantity (Decimal).
        dimensions: The dimensions to try.

    Returns:
        rank, dimension, child, impact_usd, share, volume_usd, mix_usd, price_usd, unmeasured_usd.
        impact_usd adds up to the impact, and the four effects of a row to its impact_usd; they are
        null where the leaf rows have no quantities. No rows where nothing changed.
    """
    impact = total(leaf_rows["actual_usd"]) - total(leaf_rows["expected_usd"])
    asked = [name for name in dimensions if name in leaf_rows.columns]
    if impact == 0 or not asked:
        return pl.DataFrame(schema=COLUMNS)
    fewest = {name: _fewest(_changes(leaf_rows, name), impact) for name in asked}
    dimension = min(asked, key=lambda name: _cost(fewest[name], impact))
    rows = _rows(leaf_rows, dimension, fewest[dimension], impact)
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _changes(leaf_rows: pl.DataFrame, dimension: str) -> list[Cause]:
    """Children and what they changed, the largest change first."""
    child = pl.col(dimension).fill_null(NONE)
    change = (pl.col("actual_usd").sum() - pl.col("expected_usd").sum()).cast(MONEY)
    changes = leaf_rows.group_by(child=child).agg(change=change)
    return sorted(changes.iter_rows(), key=lambda one: (-abs(one[1]), one[0]))


def _fewest(changes: list[Cause], impact: Decimal) -> list[Cause]:
    """The largest changes in the impact's direction, until 80 % of it is explained."""
    found: list[Cause] = []
    for child, change in changes:
        if len(found) == MOST_CAUSES or abs(_sum(found)) >= ENOUGH * abs(impact):
            break
        if change * impact > 0:
            found.append((child, change))
    return found


def _cost(chosen: list[Cause], impact: Decimal) -> tuple[bool, bool, int]:
    """What makes one dimension a worse explanation than another."""
    is_unnamed = any(child == NONE for child, _ in chosen)
    return abs(_sum(chosen)) < ENOUGH * abs(impact), is_unnamed, len(chosen)


def _rows(
    leaf_rows: pl.DataFrame, dimension: str, chosen: list[Cause], impact: Decimal
) -> list[tuple[object, ...]]:
    named = pl.col(dimension).fill_null(NONE)
    part = pl.when(named.is_in([child for child, _ in chosen])).then(named)
    split = effects(leaf_rows, part) if has_quantities(leaf_rows) else {}
    parts: list[tuple[str | None, Decimal]] = [*chosen]
    if (remains := impact - _sum(chosen)) != 0:
        parts.append((None, remains))
    return [
        (rank, dimension, OTHER if child is None else child, change, float(change / impact))
        + (split[child] if split else (None,) * len(EFFECTS))
        for rank, (child, change) in enumerate(parts, start=1)
    ]


def _sum(chosen: list[Cause]) -> Decimal:
    return sum((change for _, change in chosen), Decimal(0))
