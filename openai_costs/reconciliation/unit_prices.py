"""Dollars a token, where a key's own bill does not tell. Pure."""

import polars as pl

from openai_costs.reconciliation.gaps import KINDS
from openai_costs.reconciliation.model_names import undated

_GRAIN = ["day", "connection", "model", "usage_type"]


def unit_prices(lines: pl.DataFrame, list_prices: pl.DataFrame) -> pl.DataFrame:
    """Return token_usd by day, connection, model and usage type.

    What all keys of the connection together were billed for a token on that day; where nobody was
    billed for one, the list price.

    Args:
        lines: `billed_lines`.
        list_prices: mart.price_check.
    """
    tokens = pl.col("usage_type").is_in(KINDS)
    billed = (
        lines.filter(tokens & (pl.col("billed_tokens") > 0))
        .group_by(_GRAIN)
        .agg(token_usd=pl.col("billed_usd").sum() / pl.col("billed_tokens").sum())
    )
    listed = (
        list_prices.filter(
            tokens
            & (pl.col("quantity_unit") == "tokens")
            & pl.col("list_price_usd").is_not_null()
            & pl.col("service_tier").fill_null("standard").is_in(["standard", "default"])
        )
        .with_columns(model=undated())
        .group_by(_GRAIN)
        .agg(token_usd=pl.col("list_price_usd").max())
    )
    return pl.concat([billed, listed.join(billed, on=_GRAIN, how="anti")]).sort(_GRAIN)
