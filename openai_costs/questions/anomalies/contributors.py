"""Leaf rows: the smallest parts of a day's bill, and what each was expected to cost. Pure.

The expected dollars of a series are exact, and allocated to its leaf rows to the last digit.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import SMALLEST, exact_sum, share_rounding, sum_with_room
from openai_costs.questions.anomalies.causes import WIDE, Change
from openai_costs.questions.credits import is_charged

CELL = ["connection", "day", "project_id", "api_key_id", "model", "usage_type"]
LEVELS = ("project", "user", "key", "model", "usage_type")
LEAF = ["user", "key", "model", "line_item"]
Name = tuple[str | None, str | None, str | None, str | None]
"""user, key, model, line_item."""


class Cost(NamedTuple):
    """What a leaf cost, and how much of its unit was used; null where that is not known."""

    usd: Decimal
    quantity: Decimal | None
    unit: str | None


Costs = Mapping[Name, Cost]


def leaf_rows(spend: pl.DataFrame, attribution: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the leaf rows of some days, of what was charged as the series are.

    Where the attribution names users apart from projects and keys, the leaf rows of a project or
    key are lines of the bill, without a user.

    Args:
        spend: mart.spend.
        attribution: mart.spend_attribution.
        ledger: core.spend, for quantities.

    Returns:
        connection, day, project, user, key, model, usage_type, line_item, team, usd, quantity,
        unit; is_of_people and is_of_bill: each marks leaf rows that add up to what was charged.
    """
    spend, attribution = (of.filter(is_charged()) for of in (spend, attribution))
    cells = attribution.group_by(CELL).agg(attributed_usd=pl.col("billed_usd").sum())
    dollars = pl.col("billed_usd")
    summed = spend.group_by(CELL, maintain_order=True).agg(
        dollars.sum(), team=pl.col("team").get(dollars.arg_max())
    )
    bill = summed.join(cells, on=CELL, how="left", nulls_equal=True).select(
        *CELL,
        "team",
        "billed_usd",
        is_tied=pl.col("attributed_usd").eq_missing(pl.col("billed_usd")),
    )
    people = attribution.select(*CELL, "user_id", "team", "billed_usd", is_of_people=pl.lit(True))
    tied = bill.filter("is_tied").select(*CELL, is_of_bill=pl.lit(True))
    people = people.join(tied, on=CELL, how="left", nulls_equal=True)
    apart = bill.filter(~pl.col("is_tied")).with_columns(is_of_bill=pl.lit(True))
    both = pl.concat([people, apart.drop("is_tied")], how="diagonal")
    measured = both.join(_quantities(ledger), on=CELL, how="left", nulls_equal=True)
    is_whole = pl.col("billed_usd") == pl.col("ledger_usd")
    return measured.select(
        "connection",
        "day",
        "model",
        "usage_type",
        "team",
        pl.col("is_of_people", "is_of_bill").fill_null(value=False),
        project="project_id",
        user="user_id",
        key="api_key_id",
        line_item=_label(),
        usd="billed_usd",
        quantity=pl.when(is_whole).then("quantity"),
        unit=pl.when(is_whole).then("unit"),
    )


def _label() -> pl.Expr:
    """What was bought, as one word: model, usage type."""
    return pl.concat_str("model", "usage_type", separator=", ", ignore_nulls=True).replace("", None)


def _quantities(ledger: pl.DataFrame) -> pl.DataFrame:
    """How much each cell used, where all of it is in one unit."""
    quantity, unit = pl.col("quantity"), pl.col("quantity_unit")
    is_one = (quantity.null_count() == 0) & (unit.n_unique() == 1)
    return ledger.group_by(CELL).agg(
        ledger_usd=pl.col("billed_usd").sum(),
        quantity=pl.when(is_one).then(sum_with_room(quantity)),
        unit=pl.when(is_one).then(unit.first()),
    )


def rows_of(compared: pl.DataFrame, leaf_rows: pl.DataFrame) -> pl.DataFrame:
    """Return the leaf rows of some series on some days, in the order of the days.

    Args:
        compared: number, is_before, level, name, connection, day: the days of each side of a
            comparison, and the series that it is about.
        leaf_rows: What `leaf_rows` returns.

    Returns:
        number, is_before, user, key, model, line_item, team, usd, quantity, unit.
    """
    sides = [_of_level(level, some, leaf_rows) for (level,), some in _by_level(compared)]
    return pl.concat(sides).collect()


def costs_of(rows: pl.DataFrame) -> Mapping[tuple[int, bool], Costs]:
    """Return what each leaf of some series cost on the days of each side of a comparison.

    Args:
        rows: What `rows_of` returns.

    Returns:
        By number and is_before; a side without leaf rows is not there.
    """
    unit = pl.col("unit")
    is_known = (pl.col("quantity").null_count() == 0) & (unit.n_unique() == 1)
    summed = rows.group_by("number", "is_before", *LEAF, maintain_order=True).agg(
        pl.col("usd").sum(),
        pl.when(is_known).then(sum_with_room(pl.col("quantity"))),
        pl.when(is_known).then(unit.first()),
    )
    found = defaultdict[tuple[int, bool], dict[Name, Cost]](dict)
    for number, is_before, user, key, model, line_item, *cost in summed.iter_rows():
        found[number, is_before][user, key, model, line_item] = Cost(*cost)
    return found


def _by_level(compared: pl.DataFrame) -> Iterable[tuple[tuple[str, ...], pl.DataFrame]]:
    return compared.partition_by("level", as_dict=True, maintain_order=True).items()


def _of_level(level: str, compared: pl.DataFrame, leaf_rows: pl.DataFrame) -> pl.LazyFrame:
    """The leaf rows of series of a level; of an organization or a provider all."""
    days, is_part = ["connection", "day"], level in LEVELS
    mine = leaf_rows.lazy().filter("is_of_bill" if level in ("project", "key") else "is_of_people")
    joined = compared.lazy().join(
        mine,
        left_on=[*days, "name"] if is_part else days,
        right_on=[*days, level] if is_part else days,
        maintain_order="left_right",
        coalesce=False,
    )
    return joined.select("number", "is_before", *LEAF, "team", "usd", "quantity", "unit")


def changes_of(now: Costs, before: Costs, expected_usd: Decimal) -> list[Change]:
    """Return the leaf rows of a series' day with what each was expected to cost.

    The expected dollars are allocated in proportion to the days before; without any they belong
    to no leaf.

    Args:
        now: What each leaf cost on the day.
        before: What each cost on the days that it is compared with.
        expected_usd: What the series was expected to cost.

    Returns:
        Changes whose expected dollars add up exactly.
    """
    usual = exact_sum(cost.usd for cost in before.values())
    shares = dict(zip(before, _allocated(before, usual, expected_usd), strict=True))
    changes = [
        Change(
            *name, _usd(now, name), shares.get(name, Decimal(0)), *_used(now, before, name, shares)
        )
        for name in dict.fromkeys([*now, *before])
    ]
    if expected_usd and not usual:
        changes.append(Change(None, None, None, None, Decimal(0), expected_usd, None, None))
    return changes


def _allocated(before: Costs, usual: Decimal, expected: Decimal) -> list[Decimal]:
    if not usual:
        return [Decimal(0)] * len(before)
    parts = [WIDE.multiply(expected, WIDE.divide(cost.usd, usual)) for cost in before.values()]
    return share_rounding(parts)


def _usd(costs: Costs, name: Name) -> Decimal:
    return costs[name].usd if name in costs else Decimal(0)


def _used(
    now: Costs, before: Costs, name: Name, shares: Mapping[Name, Decimal]
) -> tuple[Decimal | None, Decimal | None, str | None]:
    """How much was used, how much the expected dollars buy at the price of before, and the unit."""
    if name not in now:
        usd, quantity, unit = before[name]
        return Decimal(0), _bought(shares[name], usd, quantity), unit
    _, used, unit = now[name]
    if name not in before:
        return used, Decimal(0), unit
    usd, quantity, unit_before = before[name]
    if unit != unit_before:
        return None, None, None
    return used, _bought(shares[name], usd, quantity), unit


def _bought(share_usd: Decimal, usd: Decimal, quantity: Decimal | None) -> Decimal | None:
    """How much of a quantity a share of its dollars buys; None where that is not known."""
    if quantity is None or not usd:
        return None
    buys = WIDE.divide(WIDE.multiply(share_usd, quantity), usd)
    return buys.quantize(SMALLEST, context=WIDE)
