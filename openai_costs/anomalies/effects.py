"""Whether a change is more use, other use, or another price. Pure.

Of the lines of one unit, with q quantities, p = dollars / q, and 0 for expected:
volume = (sum q - sum q0) x average p0; mix = sum(q p0) - sum q x average p0; price = the rest.
So mix is what the same quantity costs more because dearer lines are used, such as another model.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import polars as pl

from openai_costs.money import SMALLEST

EFFECTS = ("volume_usd", "mix_usd", "price_usd", "unmeasured_usd")
NEEDED = ("line_item", "quantity", "expected_quantity")
WIDE = Context(prec=60)
Line = tuple[Decimal, Decimal, Decimal, Decimal]


def has_quantities(leaves: pl.DataFrame) -> bool:
    """Whether the leaves tell quantities at all."""
    return set(NEEDED) <= set(leaves.columns)


def effects(leaves: pl.DataFrame) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return volume, mix, price and unmeasured dollars, which add up to the change.

    A line that is new has no expected price and takes its own, so it is volume and mix. Dollars
    of lines without quantities are unmeasured.

    Args:
        leaves: line_item, actual_usd, expected_usd, quantity, expected_quantity; quantity_unit
            where there are several.
    """
    unit = "quantity_unit" if "quantity_unit" in leaves.columns else "line_item"
    units = leaves.partition_by(unit) if unit == "quantity_unit" else [leaves]
    told = [_of_unit(lines) for lines in units]
    volume, mix, price, unmeasured = (sum(part, Decimal(0)) for part in zip(*told, strict=True))
    return volume, mix, price, unmeasured


def _of_unit(leaves: pl.DataFrame) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """The effects of lines of one unit."""
    lines = leaves.group_by("line_item").agg(
        *(pl.col(name).sum() for name in ("actual_usd", "expected_usd")),
        *(
            pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
            for name in NEEDED[1:]
        ),
    )
    dollars = (pl.col("actual_usd"), pl.col("expected_usd"), *map(pl.col, NEEDED[1:]))
    rows = lines.select(dollars).rows()
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
