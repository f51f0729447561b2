"""Dollars shared out by tokens, exact to the last digit. Pure.

Amounts are taken as whole units of their 18th decimal, in integers of 128 bits. Each share is cut
there, and the units that are left go to the largest remainders, so that the parts of a line are
the line. Not here: who has a share (tokens.py).
"""

import polars as pl

from openai_costs.money import MONEY, SMALLEST

HUNDRED_PCT = 100


def shared_out(lines: pl.DataFrame, weights: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Return one row per line and user of its pool: billed_usd is the user's part of the line.

    Args:
        lines: With the columns of `on` and billed_usd, positive or negative.
        weights: The columns of `on`, user_id (null for nobody) and tokens, all above 0.
        on: What a pool is told by; null is a value like any other.

    Returns:
        Of the lines that have a pool: their columns, user_id, billed_usd and share_pct.
    """
    units = pl.col("billed_usd").to_physical()
    tokens = pl.col("tokens").cast(pl.Int128)
    rows = (
        lines.with_columns(units=units.abs(), sign=units.sign())
        .with_row_index("line")
        .join(weights.with_columns(tokens=tokens), on=on, nulls_equal=True)
        .with_columns(pool_tokens=pl.col("tokens").sum().over("line"))
    )
    return _rounded(rows).with_columns(
        billed_usd=_dollars(pl.col("units") * pl.col("sign")),
        share_pct=_money("tokens") * HUNDRED_PCT / _money("pool_tokens"),
    )


def _rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with units: of the whole line's units those that are the user's."""
    # units x tokens would not fit into 128 bits; the whole pools and what is left of one do.
    tokens, pool = pl.col("tokens"), pl.col("pool_tokens")
    rest = pl.col("units") % pool * tokens
    shares = rows.with_columns(
        part=pl.col("units") // pool * tokens + rest // pool, remainder=rest % pool
    ).sort("line", "remainder", "user_id", descending=[False, True, False])
    unshared = pl.col("units") - pl.col("part").sum().over("line")
    is_rounded_up = pl.int_range(pl.len()).over("line") < unshared
    return shares.with_columns(units=pl.col("part") + is_rounded_up.cast(pl.Int128))


def _dollars(units: pl.Expr) -> pl.Expr:
    return units.cast(pl.Decimal(38, 0)) * pl.lit(SMALLEST, MONEY)


def _money(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Decimal(38, 0)).cast(MONEY)
