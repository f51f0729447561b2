"""The bill, cut so that it can be laid beside a meter. Pure."""

import polars as pl

from openai_costs.money import MONEY
from openai_costs.reconciliation.model_names import undated

POOL = ("day", "connection", "provider", "project_id", "api_key_id", "model")
_TOKENS = {
    "input": "input_uncached_tokens",
    "cached_input": "input_cached_tokens",
    "cache_write": "input_cache_write_tokens",
    "output": "output_tokens",
}
_ONLY_INPUT = ("embeddings", "moderations")
"""Endpoints whose input is all there is: no cache, no output."""


def billed_lines(ledger: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """Return the bill by pool and usage type: billed_usd, billed_tokens.

    The tokens are the bill's own; where it gives none, those of the provider's usage report for
    the same key and model, of which a line of the bill is then the price.

    Args:
        ledger: core.spend.
        usage: core.usage of the same days.
    """
    is_tokens = pl.col("quantity_unit") == "tokens"
    own = pl.when(is_tokens.fill_null(False).all()).then(pl.col("quantity").sum())
    lines = (
        ledger.with_columns(model=undated())
        .group_by(*POOL, "usage_type")
        .agg(billed_usd=pl.col("billed_usd").sum(), billed_tokens=own.cast(MONEY))
    )
    reported = used_tokens(usage)
    on = ["day", "connection", "project_id", "api_key_id", "model", "usage_type"]
    return lines.join(reported, on=on, how="left", nulls_equal=True).select(
        *POOL,
        "usage_type",
        "billed_usd",
        billed_tokens=pl.coalesce("billed_tokens", "reported_tokens"),
    )


def used_tokens(usage: pl.DataFrame) -> pl.DataFrame:
    """Return core.usage as reported_tokens by day, connection, project, key, model, usage_type."""
    grain = ["day", "connection", "project_id", "api_key_id", "model"]
    plain = pl.when(pl.col("endpoint").is_in(_ONLY_INPUT)).then("input_tokens")
    known = [
        pl.when(pl.col(column).is_not_null().all()).then(pl.col(column).sum()).alias(kind)
        for kind, column in _TOKENS.items()
    ]
    return (
        usage.with_columns(
            model=undated(), input_uncached_tokens=pl.coalesce(plain, "input_uncached_tokens")
        )
        .group_by(grain)
        .agg(known)
        .unpivot(on=list(_TOKENS), index=grain, variable_name="usage_type")
        .drop_nulls("value")
        .select(*grain, "usage_type", reported_tokens=pl.col("value").cast(MONEY))
    )
