"""mart.cost_reconciliation: the bill beside the meter, every gap with its cause. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.gateway_coverage import owned
from openai_costs.questions.gateway_routes import Routes
from openai_costs.questions.provider_scope import OPENAI
from openai_costs.questions.reconciliation.day_boundary import exchanged
from openai_costs.questions.reconciliation.judged_by import judged_by
from openai_costs.questions.reconciliation.match_levels import levelled
from openai_costs.questions.reconciliation.pools import PARTS, POOL, SCHEMA, laid_together
from openai_costs.questions.reconciliation.sides import (
    billed_lines,
    metered_pools,
    unit_prices,
)
from openai_costs.settings import Gateway
from openai_costs.tables.core.gateway_spend import ESTIMATED, METERED
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS, CostReconciliation

CREDITS = "credits_usd"


@dataclass(frozen=True)
class Sides:
    """What is compared, for some days and the two before and behind them.

    Args:
        ledger: core.spend.
        usage: core.usage.
        meter: core.gateway_spend.
        tokens: core.gateway_tokens.
        keys: core.api_keys.
        list_prices: mart.price_check.
        bill_days: connection, day, is_settled: the days of the bill that were read.
        meter_days: day, is_settled: the days of the meter that were read.
    """

    ledger: pl.DataFrame
    usage: pl.DataFrame
    meter: pl.DataFrame
    tokens: pl.DataFrame
    keys: pl.DataFrame
    list_prices: pl.DataFrame
    bill_days: pl.DataFrame
    meter_days: pl.DataFrame


def reconciliation(sides: Sides, gateway: Gateway, days: Sequence[date]) -> pl.DataFrame:
    """Return mart.cost_reconciliation for some days.

    Args:
        sides: What is compared.
        gateway: Its names for models, and the tolerance.
        days: The days wanted; `sides` must reach two days further on both sides.
    """
    lines = billed_lines(sides.ledger, sides.usage)
    prices = unit_prices(lines, sides.list_prices)
    routes = Routes(sides.tokens, gateway.upstreams, gateway.models)
    metered = owned(sides.meter, sides.keys, routes)
    levels = levelled(lines, routes, metered)
    read = sides.bill_days["connection"].unique()
    fallback = read.item() if len(read) == 1 else gateway.name
    meter = _at_bills(metered, lines, fallback)
    covered = levels.filter(pl.col("level").is_not_null())
    together = laid_together(covered, metered_pools(meter), prices)
    rows = pl.concat([_unmapped_unexplained(together), _bypassing(levels)])
    judged = _judged(exchanged(_late(_with_states(rows, sides))), gateway)
    return (
        _with_basis(judged, sides.meter)
        .filter(pl.col("day").is_in(list(days)))
        .join(_judged_by(sides, gateway), on="day", how="left")
        .with_columns(provider=pl.lit(OPENAI))
        .select(list(CostReconciliation.types()))
        .sort(*POOL, "usage_type")
    )


def _judged_by(sides: Sides, gateway: Gateway) -> pl.DataFrame:
    lists = (sides.tokens, sides.keys)
    return judged_by(sides.ledger, sides.meter, sides.meter_days, lists, gateway)


def _with_basis(rows: pl.DataFrame, meter: pl.DataFrame) -> pl.DataFrame:
    """Add what the metered dollars of each day are: the gateway's own, or tokens at list price."""
    estimated = meter.filter(cost_basis=ESTIMATED)["day"].unique().implode()
    is_estimated = pl.col("day").is_in(estimated)
    basis = pl.when(is_estimated).then(pl.lit(ESTIMATED)).otherwise(pl.lit(METERED))
    return rows.with_columns(metered_basis=basis)


def _at_bills(meter: pl.DataFrame, lines: pl.DataFrame, fallback: str) -> pl.DataFrame:
    """Put the bill's connection and project in place of the gateway's.

    Rows without a known bill go to the only bill there is; with several they keep the gateway's
    name.

    Args:
        meter: `owned`.
        lines: `billed_lines`.
        fallback: The connection of rows that name none.
    """
    # A key may be billed in several projects: the same one each time, whatever the lines' order.
    # Its own day and the list of keys come before other days, which are others in another run.
    ordered = lines.sort("project_id", "connection", nulls_last=True)
    of_day = _first(ordered, "day", "api_key_id").select(
        "day", "api_key_id", day_connection="connection", day_project_id="project_id"
    )
    of_key = _first(ordered, "api_key_id").select(
        "api_key_id", key_connection="connection", key_project_id="project_id"
    )
    of_project = _first(ordered, "project_id").select("project_id", project_connection="connection")
    named = ("day_connection", "upstream_connection", "key_connection", "project_connection")
    return (
        meter.join(of_day, on=["day", "api_key_id"], how="left")
        .join(of_key, on="api_key_id", how="left")
        .with_columns(project_id=pl.coalesce("day_project_id", "project_id", "key_project_id"))
        .join(of_project, on="project_id", how="left")
        .with_columns(connection=pl.coalesce(*named, pl.lit(fallback)))
    )


def _first(lines: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Return the first line of each key or project."""
    named = lines.drop_nulls(names)
    return named.unique(names, keep="first", maintain_order=True)


def _unmapped_unexplained(rows: pl.DataFrame) -> pl.DataFrame:
    """Mark the gaps of unmapped tokens as unexplained: their bill may exist under another key."""
    is_unmapped = pl.col("level") == "unmapped"
    rest = pl.col("billed_usd") - pl.col("metered_usd") - pl.col(CREDITS)
    gap = pl.when(is_unmapped).then(rest)
    others = [name for name in PARTS if name != CREDITS]
    cleared = [pl.when(~is_unmapped).then(name).otherwise(0).alias(name) for name in others]
    return (
        rows.with_columns(cleared)
        .with_columns(unexplained_usd=pl.coalesce(gap, "unexplained_usd").cast(MONEY))
        .select(list(SCHEMA))
    )


def _bypassing(levels: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of keys without a gateway token: all of it bypassed the gateway.

    A credit did not, because no gateway meters credits.
    """
    nothing = pl.lit(0).cast(MONEY)
    return (
        levels.filter(pl.col("level").is_null())
        .with_columns(
            nothing.alias("metered_usd"),
            *(nothing.alias(part) for part in PARTS),
            level=pl.lit("key"),
            metered_tokens=pl.lit(None, MONEY),
        )
        .with_columns(
            pl.col("credit_usd").alias(CREDITS),
            bypass_usd=(pl.col("billed_usd") - pl.col("credit_usd")).cast(MONEY),
        )
        .select(list(SCHEMA))
    )


def _with_states(rows: pl.DataFrame, sides: Sides) -> pl.DataFrame:
    bills = sides.bill_days.select("connection", "day", bill="is_settled")
    meters = sides.meter_days.select("day", meter="is_settled")
    is_bypass = pl.col("bypass_usd") != 0
    has_no_bill = ~pl.col("connection").is_in(bills["connection"].unique().to_list())
    settled = pl.col("bill").fill_null(has_no_bill) & (pl.col("meter").fill_null(False) | is_bypass)
    return (
        rows.join(bills, on=["connection", "day"], how="left")
        .join(meters, on="day", how="left")
        .with_columns(is_settled=settled)
        .drop("bill", "meter")
    )


def _late(rows: pl.DataFrame) -> pl.DataFrame:
    """Give no other reason for a gap while one of the sides may still change."""
    is_late = ~pl.col("is_settled") & (pl.col("bypass_usd") == 0)
    gap = pl.col("billed_usd") - pl.col("metered_usd")
    late = pl.when(is_late).then(gap).otherwise(0).cast(MONEY)
    others = [name for name in PARTS if name != "late_or_unsettled_usd"]
    on_time = [pl.when(~is_late).then(name).otherwise(0).cast(MONEY).alias(name) for name in others]
    return rows.with_columns(*on_time, late_or_unsettled_usd=late)


def _judged(rows: pl.DataFrame, gateway: Gateway) -> pl.DataFrame:
    """Add gap, capture rate and the cause: the largest part of the whole pool's gap.

    Credits are the cause only where nothing else is: a refund must not hide what leaked.
    """
    parts = [name for name in EXPLANATIONS if f"{name}_usd" != CREDITS]
    sums = [pl.col(f"{name}_usd").sum().over(POOL).abs() for name in parts]
    largest = pl.max_horizontal(sums)
    gap = pl.col("billed_usd") - pl.col("metered_usd")
    used = (pl.col("billed_usd") - pl.col(CREDITS)).sum().over(POOL).abs()
    pct = pl.lit(gateway.tolerance_pct / 100, MONEY)
    allowed = pl.max_horizontal(pl.lit(gateway.tolerance_usd, MONEY), used * pct)
    is_explained = (gap - pl.col(CREDITS)).sum().over(POOL).abs() <= allowed
    is_small = is_explained & (gap.sum().over(POOL).abs() <= allowed)
    cause = pl.coalesce(
        pl.when(is_explained).then(pl.lit("credits")),
        *(
            pl.when(part == largest).then(pl.lit(name))
            for name, part in zip(parts, sums, strict=True)
        ),
    )
    rate = pl.col("metered_usd") / unless_tiny(pl.col("billed_usd"))
    return rows.with_columns(
        gap_usd=gap.cast(MONEY),
        capture_rate=rate.cast(MONEY),
        is_within_tolerance=is_small,
        cause=pl.when(is_small).then(pl.lit("agrees")).otherwise(cause),
    )
