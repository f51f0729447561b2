"""Which lines of the bill are credits and refunds. Pure."""

import polars as pl


def is_credit() -> pl.Expr:
    """Return whether a line of the bill is a credit or a refund: no gateway meters those.

    A negative amount with a negative quantity corrects usage, and is not a credit.
    """
    return (pl.col("billed_usd") < 0) & (pl.col("quantity").fill_null(0) >= 0)


def is_charged() -> pl.Expr:
    """Return whether a row of mart.spend or mart.spend_attribution is what was charged.

    These have no quantities: a row below zero is credits, refunds, or a correction of more than was
    used.
    """
    return pl.col("billed_usd") >= 0
