"""The smallest parts of a day's bill, and what each was expected to cost. Pure.

Floats end here: the expected dollars of a series are a decimal number, shared out among its parts
to the last digit.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY, SMALLEST, share_rounding

CELL = ["connection", "day", "project_id", "api_key_id", "model", "usage_type"]
PARTS = ["user", "key", "model", "line_item"]
WIDE = Context(prec=60)
Part = tuple[str | None, ...]


class Cost(NamedTuple):
    """What a part cost, and how much of its unit was used; null where that is not known."""

    usd: Decimal
    quantity: Decimal | None


def leaves(spend: pl.DataFrame, attribution: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the parts of some days of one connection.

    Where the attribution names users apart from projects and keys, a project's or key's parts are
    lines of the bill, without a user.

    Args:
        spend: mart.spend.
        attribution: mart.spend_attribution.
        ledger: core.spend, for quantities.

    Returns:
        day, project, user, key, model, usage_type, line_item, usd, quantity; is_of_people and
        is_of_bill: each of them marks parts that add up to the ledger.
    """
    cells = attribution.group_by(CELL).agg(told_usd=pl.col("billed_usd").sum())
    summed = spend.group_by(CELL, maintain_order=True).agg(pl.col("billed_usd").sum())
    bill = summed.join(cells, on=CELL, how="left", nulls_equal=True).select(
        *CELL, "billed_usd", is_tied=pl.col("told_usd").eq_missing(pl.col("billed_usd"))
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


def parts_of(found: pl.DataFrame, level: str, name: str) -> pl.DataFrame:
    """Return the parts of a series: `project` and an id, for one; the level `org` has them all."""
    some = found.filter("is_of_bill" if level in ("project", "key") else "is_of_people")
    return some.filter(pl.col(level) == name) if level in some.columns else some


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


def expected_parts(
    actual: pl.DataFrame, before: pl.DataFrame, expected_usd: Decimal
) -> pl.DataFrame:
    """Return the parts of a series' day with what each was expected to cost.

    The expected dollars are shared out like those of the days before; without any they belong to
    no part.

    Args:
        actual: Parts of the day.
        before: Parts of the days that it is compared with.
        expected_usd: What the series was expected to cost.

    Returns:
        user, key, model, line_item, actual_usd, expected_usd, quantity, expected_quantity. The
        expected dollars add up exactly.
    """
    now, then = _by_part(actual), _by_part(before)
    usual = sum((cost.usd for cost in then.values()), Decimal(0))
    shares = dict(zip(then, _shared(then, usual, expected_usd), strict=True))
    rows = [
        (*part, _usd(now, part), shares.get(part, Decimal(0)), *_used(now, then, part, shares))
        for part in dict.fromkeys([*now, *then])
    ]
    if expected_usd and not usual:
        rows.append((None, None, None, None, Decimal(0), expected_usd, None, None))
    dollars = ("actual_usd", "expected_usd", "quantity", "expected_quantity")
    schema = dict.fromkeys(PARTS, pl.String) | dict.fromkeys(dollars, MONEY)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _by_part(lines: pl.DataFrame) -> dict[Part, Cost]:
    is_known = pl.col("quantity").null_count() == 0
    summed = lines.group_by(PARTS, maintain_order=True).agg(
        pl.col("usd").sum(), pl.when(is_known).then(pl.col("quantity").sum())
    )
    return {tuple(row[:-2]): Cost(*row[-2:]) for row in summed.iter_rows()}


def _shared(then: Mapping[Part, Cost], usual: Decimal, expected: Decimal) -> list[Decimal]:
    if not usual:
        return [Decimal(0)] * len(then)
    parts = [WIDE.multiply(expected, WIDE.divide(cost.usd, usual)) for cost in then.values()]
    return share_rounding(parts)


def _usd(costs: Mapping[Part, Cost], part: Part) -> Decimal:
    return costs[part].usd if part in costs else Decimal(0)


def _used(
    now: Mapping[Part, Cost],
    then: Mapping[Part, Cost],
    part: Part,
    shares: Mapping[Part, Decimal],
) -> tuple[Decimal | None, Decimal | None]:
    """How much was used, and how much the expected dollars buy at the price of before."""
    used = now[part].quantity if part in now else Decimal(0)
    if part not in then:
        return used, Decimal(0)
    usd, quantity = then[part]
    if quantity is None or not usd:
        return used, None
    buys = WIDE.divide(WIDE.multiply(shares[part], quantity), usd)
    return used, buys.quantize(SMALLEST, context=WIDE)


def compared_with(day: date, since: date, known: set[date]) -> list[date]:
    """Return the days whose parts a day is compared with: as it was before the incident began.

    The same weekday of the four newest weeks before it that are known; without one, the newest
    seven known days before.
    """
    earlier = sorted((one for one in known if one < since), reverse=True)
    same = [one for one in earlier if one.weekday() == day.weekday()]
    return same[:4] or earlier[:7]
