"""Leaf rows: the smallest parts of a day's bill, and what each cost before. Pure.

A leaf is expected to cost what it did on the mean of the days before. What its series is expected
to cost is of the series' own history: the difference belongs to no leaf.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import SMALLEST, WIDE, exact_sum, sum_with_room
from openai_costs.questions.anomalies.causes import Change
from openai_costs.questions.credits import is_charged

CELL = ["connection", "day", "project_id", "api_key_id", "model", "usage_type"]
LEVELS = ("project", "user", "key", "model", "usage_type")
LEAF = ["user", "key", "model", "line_item"]
Name = tuple[str | None, str | None, str | None, str | None]
"""user, key, model, line_item."""


class Cost(NamedTuple):
    """What a leaf cost a day, and how much of its unit was used; null where that is not known."""

    usd: Decimal
    quantity: Decimal | None
    unit: str | None


Costs = Mapping[Name, Cost]
_NOTHING = Cost(Decimal(0), Decimal(0), None)


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
        compared: number, is_before, level, name, connection, days, day: the days of each side of a
            comparison, how many they are, and the series that it is about.
        leaf_rows: What `leaf_rows` returns.

    Returns:
        number, is_before, days, user, key, model, line_item, team, usd, quantity, unit.
    """
    sides = [_of_level(level, some, leaf_rows) for (level,), some in _by_level(compared)]
    return pl.concat(sides).collect()


def costs_of(rows: pl.DataFrame) -> Mapping[tuple[int, bool], Costs]:
    """Return what each leaf of some series cost on the mean day of each side of a comparison.

    Args:
        rows: What `rows_of` returns.

    Returns:
        By number and is_before; a side without leaf rows is not there.
    """
    unit, side = pl.col("unit"), ("number", "is_before", *LEAF)
    is_known = (pl.col("quantity").null_count() == 0) & (unit.n_unique() == 1)
    daily = rows.group_by(*side, "days", maintain_order=True).agg(
        pl.col("usd").sum(),
        pl.when(is_known).then(sum_with_room(pl.col("quantity"))),
        pl.when(is_known).then(unit.first()),
    )
    found = defaultdict[tuple[int, bool], dict[Name, Cost]](dict)
    for number, is_before, user, key, model, line_item, days, *cost in daily.iter_rows():
        name, costs = (user, key, model, line_item), found[number, is_before]
        a_day = _a_day(Cost(*cost), days)
        costs[name] = _added(costs[name], a_day) if name in costs else a_day
    return found


def _a_day(cost: Cost, days: int) -> Cost:
    """Return the mean of some days."""
    usd, quantity, unit = cost
    return Cost(_over(usd, days), quantity if quantity is None else _over(quantity, days), unit)


def _over(amount: Decimal, days: int) -> Decimal:
    return WIDE.divide(amount, Decimal(days)).quantize(SMALLEST, context=WIDE)


def _added(one: Cost, other: Cost) -> Cost:
    """Return what a leaf cost in two connections of which different days are known."""
    usd = WIDE.add(one.usd, other.usd)
    if one.quantity is None or other.quantity is None or one.unit != other.unit:
        return Cost(usd, None, None)
    return Cost(usd, WIDE.add(one.quantity, other.quantity), one.unit)


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
    return joined.select("number", "is_before", "days", *LEAF, "team", "usd", "quantity", "unit")


def changes_of(now: Costs, before: Costs, expected_usd: Decimal) -> list[Change]:
    """Return the leaf rows of a series' day with what each was expected to cost.

    Args:
        now: What each leaf cost on the day.
        before: What each cost on the mean of the days that it is compared with.
        expected_usd: What the series was expected to cost.

    Returns:
        Changes whose expected dollars add up exactly; the last may be of no leaf.
    """
    changes = [_change(name, now.get(name), before.get(name)) for name in {**now, **before}]
    usual = exact_sum(cost.usd for cost in before.values())
    if rest := WIDE.subtract(expected_usd, usual):
        changes.append(Change(None, None, None, None, Decimal(0), rest, None, None, is_rest=True))
    return changes


def _change(name: Name, now: Cost | None, before: Cost | None) -> Change:
    if now is None or before is None:
        unit = (now or before or _NOTHING).unit
        now, before = (one or _NOTHING._replace(unit=unit) for one in (now, before))
    if now.unit != before.unit:
        return Change(*name, now.usd, before.usd, None, None)
    return Change(*name, now.usd, before.usd, now.quantity, before.quantity, now.unit)
