"""Leaf rows: the smallest parts of a day's bill, and what each was expected to cost. Pure.

The expected dollars of a series are exact, and allocated to its leaf rows to the last digit.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST, share_rounding
from openai_costs.questions.anomalies.series_ids import SeriesId

CELL = ["connection", "day", "project_id", "api_key_id", "model", "usage_type"]
LEVELS = ("project", "user", "key", "model", "usage_type")
LEAF = ["user", "key", "model", "line_item"]
WIDE = Context(prec=60)
Leaf = tuple[str | None, ...]


class Cost(NamedTuple):
    """What a leaf cost, and how much of its unit was used; null where that is not known."""

    usd: Decimal
    quantity: Decimal | None


def leaf_rows(spend: pl.DataFrame, attribution: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the leaf rows of some days of one connection.

    Where the attribution names users apart from projects and keys, the leaf rows of a project or
    key are lines of the bill, without a user.

    Args:
        spend: mart.spend.
        attribution: mart.spend_attribution.
        ledger: core.spend, for quantities.

    Returns:
        day, project, user, key, model, usage_type, line_item, usd, quantity; is_of_people and
        is_of_bill: each of them marks leaf rows that add up to the ledger.
    """
    cells = attribution.group_by(CELL).agg(attributed_usd=pl.col("billed_usd").sum())
    summed = spend.group_by(CELL, maintain_order=True).agg(pl.col("billed_usd").sum())
    bill = summed.join(cells, on=CELL, how="left", nulls_equal=True).select(
        *CELL, "billed_usd", is_tied=pl.col("attributed_usd").eq_missing(pl.col("billed_usd"))
    )
    people = attribution.select(*CELL, "user_id", "billed_usd", is_of_people=pl.lit(True))
    tied = bill.filter("is_tied").select(*CELL, is_of_bill=pl.lit(True))
    people = people.join(tied, on=CELL, how="left", nulls_equal=True)
    apart = bill.filter(~pl.col("is_tied")).with_columns(is_of_bill=pl.lit(True))
    both = pl.concat([people, apart.drop("is_tied")], how="diagonal")
    measured = both.join(_quantities(ledger), on=CELL, how="left", nulls_equal=True)
    is_whole = pl.col("billed_usd") == pl.col("ledger_usd")
    return measured.select(
        "day",
        "model",
        "usage_type",
        pl.col("is_of_people", "is_of_bill").fill_null(value=False),
        project="project_id",
        user="user_id",
        key="api_key_id",
        line_item=_label(),
        usd="billed_usd",
        quantity=pl.when(is_whole).then("quantity"),
    )


def _label() -> pl.Expr:
    """What was bought, as one word: model, usage type."""
    return pl.concat_str("model", "usage_type", separator=", ", ignore_nulls=True).replace("", None)


def _quantities(ledger: pl.DataFrame) -> pl.DataFrame:
    """How much each cell used, where all of it is in one unit."""
    quantity, unit = pl.col("quantity"), pl.col("quantity_unit")
    is_one = (quantity.null_count() == 0) & (unit.n_unique() == 1)
    return ledger.group_by(CELL).agg(
        ledger_usd=pl.col("billed_usd").sum(), quantity=pl.when(is_one).then(quantity.sum())
    )


def changes(
    actual: pl.DataFrame, before: pl.DataFrame, series: SeriesId, expected_usd: Decimal
) -> pl.DataFrame:
    """Return the leaves of a series' day with what each was expected to cost.

    The expected dollars are allocated in proportion to the days before; without any they belong
    to no leaf.

    Args:
        actual: Leaf rows of the day.
        before: Leaf rows of the days that it is compared with.
        series: The series.
        expected_usd: What the series was expected to cost.

    Returns:
        user, key, model, line_item, actual_usd, expected_usd, quantity, expected_quantity. The
        expected dollars add up exactly.
    """
    return _with_expected(_of_series(actual, series), _of_series(before, series), expected_usd)


def _of_series(leaf_rows: pl.DataFrame, series: SeriesId) -> pl.LazyFrame:
    """The leaf rows of a series; of an organization or a provider all."""
    is_of = pl.col("is_of_bill" if series.level in ("project", "key") else "is_of_people")
    if series.level in LEVELS:
        is_of &= pl.col(series.level) == series.name
    return leaf_rows.lazy().filter(is_of)


def _with_expected(
    actual: pl.LazyFrame, before: pl.LazyFrame, expected_usd: Decimal
) -> pl.DataFrame:
    now, then = _by_leaf(actual), _by_leaf(before)
    usual = sum((cost.usd for cost in then.values()), Decimal(0))
    shares = dict(zip(then, _allocated(then, usual, expected_usd), strict=True))
    rows = [
        (*leaf, _usd(now, leaf), shares.get(leaf, Decimal(0)), *_used(now, then, leaf, shares))
        for leaf in dict.fromkeys([*now, *then])
    ]
    if expected_usd and not usual:
        rows.append((None, None, None, None, Decimal(0), expected_usd, None, None))
    dollars = ("actual_usd", "expected_usd", "quantity", "expected_quantity")
    schema = dict.fromkeys(LEAF, pl.String) | dict.fromkeys(dollars, MONEY)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _by_leaf(lines: pl.LazyFrame) -> dict[Leaf, Cost]:
    is_known = pl.col("quantity").null_count() == 0
    summed = lines.group_by(LEAF, maintain_order=True).agg(
        pl.col("usd").sum(), pl.when(is_known).then(pl.col("quantity").sum())
    )
    return {tuple(row[:-2]): Cost(*row[-2:]) for row in summed.collect().iter_rows()}


def _allocated(then: Mapping[Leaf, Cost], usual: Decimal, expected: Decimal) -> list[Decimal]:
    if not usual:
        return [Decimal(0)] * len(then)
    parts = [WIDE.multiply(expected, WIDE.divide(cost.usd, usual)) for cost in then.values()]
    return share_rounding(parts)


def _usd(costs: Mapping[Leaf, Cost], leaf: Leaf) -> Decimal:
    return costs[leaf].usd if leaf in costs else Decimal(0)


def _used(
    now: Mapping[Leaf, Cost],
    then: Mapping[Leaf, Cost],
    leaf: Leaf,
    shares: Mapping[Leaf, Decimal],
) -> tuple[Decimal | None, Decimal | None]:
    """How much was used, and how much the expected dollars buy at the price of before."""
    used = now[leaf].quantity if leaf in now else Decimal(0)
    if leaf not in then:
        return used, Decimal(0)
    usd, quantity = then[leaf]
    if quantity is None or not usd:
        return used, None
    buys = WIDE.divide(WIDE.multiply(shares[leaf], quantity), usd)
    return used, buys.quantize(SMALLEST, context=WIDE)
