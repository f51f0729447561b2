"""What was billed, beside the list price of the same quantity. Pure."""

from decimal import Decimal
from typing import Final

import polars as pl

from openai_costs.kernel.money import FLOAT_NOISE, MONEY, sum_with_room
from openai_costs.questions.prices.catalogue import SOURCE, Item, list_price
from openai_costs.questions.prices.price_lists import ANYWHERE, AWS, LISTS, is_listed
from openai_costs.questions.prices.quantities import quantified
from openai_costs.tables.core.spend import BILLED, USAGE
from openai_costs.tables.mart.price_check import PriceCheck

TOLERATED_PARTS: Final = 1_000_000
"""A vendor that multiplies in binary is off by less than a millionth of a large line."""
UPLIFT: Final = Decimal("0.1")
"""What newer models cost on top of list price in a project with a residency.
https://developers.openai.com/api/docs/pricing"""
EVERYWHERE: Final = "GLOBAL"
"""The residency of a project without a restriction."""

_PRICED: Final = ["day", *Item._fields]
_LINE: Final = ["connection", "provider", "line_item", "residency", *_PRICED]


def price_check(ledger: pl.DataFrame, used: pl.DataFrame, projects: pl.DataFrame) -> pl.DataFrame:
    """Return mart.price_check.

    Args:
        ledger: core.spend rows of whole days. Credits, taxes and what was bought in advance have
            no list price, and what is not billed has none of this bill: they are left out.
        used: `usage.billable.billable` of the same days; without rows where usage is not known.
        projects: core.projects: a residency decides about the price.
    """
    of_usage = ledger.filter(cost_basis=BILLED, charge_category=USAGE)
    lines = quantified(_priced(_lines(_with_residency(of_usage, projects))), used)
    expected = lines.with_columns(expected_usd=pl.col("quantity") * pl.col("list_price_usd"))
    checked = (
        expected.with_columns(gap_usd=pl.col("billed_usd") - pl.col("expected_usd"))
        .with_columns(cause=_cause(), price_source=pl.lit(SOURCE))
        .select(list(PriceCheck.types()))
    )
    return checked.sort(PriceCheck.Config.unique, nulls_last=True)


def checked_dollars(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row per day: billed_usd, and checked_usd, the part that could be checked.

    Args:
        frame: mart.price_check.
    """
    is_checked = pl.col("expected_usd").is_not_null()
    sums = {"billed_usd": pl.col("billed_usd").sum()}
    checked = pl.col("billed_usd").filter(is_checked).sum()
    return frame.group_by("day").agg(**sums, checked_usd=checked).sort("day")


def unpriced(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what has no list price, most dollars first.

    Args:
        frame: mart.price_check. A line without dollars is nothing to check.

    Returns:
        provider, host, model, line_item, cause, billed_usd.
    """
    missing = frame.filter(pl.col("list_price_usd").is_null() & (pl.col("billed_usd") != 0))
    return (
        missing.group_by("provider", "host", "model", "line_item", "cause")
        .agg(pl.col("billed_usd").sum())
        .sort("billed_usd", "line_item", descending=[True, False])
    )


def unknown_models(missing: pl.DataFrame) -> pl.DataFrame:
    """Return the models that the list of who invoices does not have: host, model, billed_usd.

    Args:
        missing: `unpriced` lines; those of tools and storage name no model. Who has no price list
            at all is not in it (`without_list`).
    """
    listed = missing.filter(pl.col("host").is_in([*LISTS])).drop_nulls("model")
    named = listed.group_by("host", "model").agg(pl.col("billed_usd").sum())
    is_unknown = [not is_listed(model, host) for host, model, _ in named.iter_rows()]
    unknown = named.filter(pl.Series(is_unknown, dtype=pl.Boolean))
    return unknown.sort("billed_usd", "model", "host", descending=[True, False, False])


def without_list(missing: pl.DataFrame) -> pl.DataFrame:
    """Return who invoices without a price list in the catalogue: host, billed_usd.

    Args:
        missing: `unpriced` lines.
    """
    elsewhere = missing.filter(~pl.col("host").is_in([*LISTS]))
    sums = elsewhere.group_by("host").agg(pl.col("billed_usd").sum())
    return sums.sort("billed_usd", "host", descending=[True, False])


def without_tier(missing: pl.DataFrame) -> pl.DataFrame:
    """Return who invoices in tiers that their list has no price for: host, billed_usd.

    Args:
        missing: `unpriced` lines.
    """
    sums = missing.filter(cause="unknown_tier").group_by("host").agg(pl.col("billed_usd").sum())
    return sums.sort("billed_usd", "host", descending=[True, False])


def _with_residency(ledger: pl.DataFrame, projects: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger with residency, null for lines without a restriction or a quantity.

    A line without a quantity is priced by usage, which the regions of a label share.
    """
    restricted = projects.filter(pl.col("residency") != EVERYWHERE)
    known = restricted.select("connection", "residency", project_id="id")
    found = ledger.join(known, on=["connection", "project_id"], how="left")
    has_quantity = pl.col("quantity").is_not_null()
    return found.with_columns(residency=pl.when(has_quantity).then("residency"))


def _lines(ledger: pl.DataFrame) -> pl.DataFrame:
    """Add the ledger up to one row per day, label, residency and unit."""
    known, costs = pl.col("quantity").is_not_null(), pl.col("billed_usd") != 0
    is_whole = known.any() & ~(costs & ~known).any()
    return ledger.group_by(_LINE).agg(
        pl.col("billed_usd").sum(),
        billed_quantity=pl.when(is_whole).then(sum_with_room(pl.col("quantity"))),
    )


def _priced(lines: pl.DataFrame) -> pl.DataFrame:
    """Lay the list price beside each line: list_price_usd, priced_unit, or no_price, the reason."""
    distinct = lines.select(_PRICED).unique()
    prices = [list_price(Item(*row[1:]), row[0]) for row in distinct.iter_rows()]
    found = distinct.with_columns(
        list_price_usd=pl.Series([price.usd for price in prices], dtype=MONEY),
        priced_unit=pl.Series([price.unit for price in prices], dtype=pl.String),
        no_price=pl.Series([price.cause for price in prices], dtype=pl.String),
    )
    return lines.join(found, on=_PRICED, how="left", nulls_equal=True)


def _cause() -> pl.Expr:
    gap, expected = pl.col("gap_usd"), pl.col("expected_usd")
    uplift = gap - expected * pl.lit(UPLIFT, MONEY)
    agrees, is_uplift = (
        (of.abs() <= FLOAT_NOISE) | (of.abs() * TOLERATED_PARTS <= expected.abs())
        for of in (gap, uplift)
    )
    return (
        pl.when(pl.col("no_price").is_not_null())
        .then(pl.col("no_price"))
        .when(expected.is_null())
        .then(pl.lit("quantity_missing"))
        .when(agrees)
        .then(pl.lit("agrees"))
        .when(gap < 0)
        .then(pl.lit("contract_discount"))
        .when(is_uplift & _is_regional())
        .then(pl.lit("regional_uplift"))
        .otherwise(pl.lit("above_list"))
    )


def _is_regional() -> pl.Expr:
    """Return whether a line is of data or work that has to stay in one region.

    AWS's list has prices of its own for that.
    """
    ran_in_one = (pl.col("region") != ANYWHERE) & (pl.col("host") != AWS)
    return pl.col("residency").is_not_null() | ran_in_one
