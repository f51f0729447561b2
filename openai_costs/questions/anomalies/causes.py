"""Who makes a change: the fewest children that explain it, in dollars that add up to it. Pure.

Children come from the leaf rows of the ledger (user, key, model, line item), each with what it cost
and what it was expected to cost. The impact is the sum of the changes, exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import NamedTuple

from openai_costs.kernel.money import SMALLEST, WIDE
from openai_costs.questions.causes import NONE, OTHER

DIMENSIONS = ("user", "key", "model", "line_item")

ENOUGH = Decimal("0.8")

MOST_CAUSES = 5

Child = tuple[str, Decimal]
"""A child of a dimension, and its change."""


class Change(NamedTuple):
    """What a leaf row of a series cost on a day, and what it was expected to cost.

    Args:
        user: The user; null where none is known, as in the other three.
        key: The API key.
        model: The model.
        line_item: What was bought.
        actual_usd: What it cost.
        expected_usd: What it was expected to cost.
        quantity: How much of its unit was used; null where that is not known.
        expected_quantity: How much the expected dollars buy; null where that is not known.
        unit: The unit of both; null where there is none.
        is_rest: Whether it is of no leaf: what the series is expected to cost beside its leaf rows.
    """

    user: str | None
    key: str | None
    model: str | None
    line_item: str | None
    actual_usd: Decimal
    expected_usd: Decimal
    quantity: Decimal | None
    expected_quantity: Decimal | None
    unit: str | None = None
    is_rest: bool = False


class Effects(NamedTuple):
    """Whether a change is more use, other use, or another price.

    Of lines of one unit, with q quantities, p = dollars / q, and 0 for expected: volume = (sum q -
    sum q0) x average p0; mix = sum(q p0) - sum q x average p0; price = the rest. So mix is what the
    same quantity costs more because dearer lines are used, such as another model. A line that is
    new has no expected price and takes its own, so it is volume and mix. Dollars of lines without
    quantities are unmeasured.
    """

    volume_usd: Decimal
    mix_usd: Decimal
    price_usd: Decimal
    unmeasured_usd: Decimal


class Contribution(NamedTuple):
    """A child and its part of a change.

    Args:
        dimension: What the child is: user, key, model, line_item.
        child: The child, `OTHER` or `NONE`.
        impact_usd: What it adds to the change.
        effects: Parts that add up to `impact_usd`.
    """

    dimension: str
    child: str
    impact_usd: Decimal
    effects: Effects


def causes(changes: Sequence[Change], dimensions: Sequence[str] = DIMENSIONS) -> list[Contribution]:
    """Return the causes of a change, the largest first, and last `OTHER` with what remains.

    Every dimension is tried. Reports the dimension that explains 80 % of the impact with the fewest
    children; among equals the first. A child that moved against the impact is part of `OTHER`.
    There are five children at most, so `OTHER` may be most of it.

    Args:
        changes: Those of the leaf rows of the series.
        dimensions: The dimensions to try.

    Returns:
        Contributions that add up to the impact; none where nothing changed.
    """
    with localcontext(WIDE):
        impact = _change(changes)
        if impact == 0:
            return []
        fewest = {name: _fewest(_by_child(changes, name), impact) for name in dimensions}
        dimension = min(dimensions, key=lambda name: _cost(fewest[name], impact))
        return _contributions(changes, dimension, fewest[dimension], impact)


def _by_child(changes: Iterable[Change], dimension: str) -> list[Child]:
    """Children and what they changed, the largest change first."""
    found = defaultdict[str, Decimal](Decimal)
    for one in changes:
        if not one.is_rest:
            found[_child(one, dimension)] += one.actual_usd - one.expected_usd
    return sorted(found.items(), key=lambda one: (-abs(one[1]), one[0]))


def _child(change: Change, dimension: str) -> str:
    name: str | None = getattr(change, dimension)
    return NONE if name is None else name


def _fewest(children: Iterable[Child], impact: Decimal) -> list[Child]:
    """The largest changes in the impact's direction, until 80 % of it is explained."""
    found: list[Child] = []
    for child, change in children:
        if len(found) == MOST_CAUSES or abs(_sum(found)) >= ENOUGH * abs(impact):
            break
        if change * impact > 0:
            found.append((child, change))
    return found


def _cost(chosen: list[Child], impact: Decimal) -> tuple[bool, bool, int]:
    """What makes one dimension a worse explanation than another."""
    is_unnamed = any(child == NONE for child, _ in chosen)
    return abs(_sum(chosen)) < ENOUGH * abs(impact), is_unnamed, len(chosen)


def _contributions(
    changes: Iterable[Change], dimension: str, chosen: list[Child], impact: Decimal
) -> list[Contribution]:
    parts, rest = {child: list[Change]() for child, _ in chosen}, list[Change]()
    for one in changes:
        (rest if one.is_rest else parts.get(_child(one, dimension), rest)).append(one)
    found = [Contribution(dimension, child, usd, _effects(parts[child])) for child, usd in chosen]
    if remains := impact - _sum(chosen):
        found.append(Contribution(dimension, OTHER, remains, _effects(rest)))
    return found


def _sum(chosen: Iterable[Child]) -> Decimal:
    return sum((change for _, change in chosen), Decimal(0))


class Line(NamedTuple):
    """The changes of a part that are of the same line item, added up."""

    actual_usd: Decimal
    expected_usd: Decimal
    quantity: Decimal
    expected_quantity: Decimal


def _effects(changes: Sequence[Change]) -> Effects:
    """The effects of some changes, which add up to these."""
    alike = defaultdict[tuple[str | None, str | None], list[Change]](list)
    for one in changes:
        alike[one.unit, one.line_item].append(one)
    of_units = defaultdict[str | None, list[Line]](list)
    for (unit, _), some in alike.items():
        if line := _line(some):
            of_units[unit].append(line)
    parts = list(map(_volume_and_mix, of_units.values()))
    volume, mix = (sum((part[at] for part in parts), Decimal(0)) for at in (0, 1))
    measured = sum(map(_change, of_units.values()), Decimal(0))
    return Effects(volume, mix, measured - volume - mix, _change(changes) - measured)


def _line(changes: Sequence[Change]) -> Line | None:
    """A line with its quantities; None where they are not known or cannot explain its dollars."""
    _, _, _, _, actual, expected, quantities, usual, *_ = zip(*changes, strict=True)
    if None in quantities or None in usual:
        return None
    line = Line(sum(actual), sum(expected), sum(quantities), sum(usual))
    is_measured = (line.quantity != 0 or line.actual_usd == 0) and (
        line.expected_quantity != 0 or line.expected_usd == 0
    )
    return line if is_measured else None


def _change(rows: Iterable[Change | Line]) -> Decimal:
    return sum((row.actual_usd - row.expected_usd for row in rows), Decimal(0))


def _volume_and_mix(lines: Sequence[Line]) -> tuple[Decimal, Decimal]:
    used = sum((line.quantity for line in lines), Decimal(0))
    usual = sum((line.expected_quantity for line in lines), Decimal(0))
    expected = sum((line.expected_usd for line in lines), Decimal(0))
    at_old_prices = sum((_at_old_price(line) for line in lines), Decimal(0))
    if usual == 0:
        return _cut(at_old_prices), Decimal(0)
    as_usual = used * expected / usual
    return _cut(as_usual - expected), _cut(at_old_prices - as_usual)


def _at_old_price(line: Line) -> Decimal:
    if line.expected_quantity == 0:
        return line.actual_usd
    return line.quantity * line.expected_usd / line.expected_quantity


def _cut(amount: Decimal) -> Decimal:
    return amount.quantize(SMALLEST, rounding=ROUND_HALF_EVEN)
