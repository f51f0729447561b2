"""The meter, with each token's OpenAI key in place of the token. Pure."""

from collections.abc import Mapping

import polars as pl

from openai_costs.money import MONEY, unless_tiny
from openai_costs.reconciliation.model_names import undated
from openai_costs.upstreams import is_openai

TOKENS = {
    "input_uncached_tokens": "input",
    "input_cached_tokens": "cached_input",
    "input_cache_write_tokens": "cache_write",
    "output_tokens": "output",
}


def owned(meter: pl.DataFrame, tokens: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the meter's OpenAI rows with the bill they belong to.

    Adds upstream_connection, project_id, api_key_id and level: `key` where the token's OpenAI key
    is known, `project` where only its project is, `unmapped` where neither is.

    Args:
        meter: core.gateway_spend.
        tokens: core.gateway_tokens.
        keys: core.api_keys.
    """
    known = keys.select(
        openai_api_key_id="id", key_connection="connection", key_project_id="project_id"
    ).unique("openai_api_key_id", keep="none")
    mapped = tokens.select(
        "connection", "token_id", "upstream_connection", "openai_api_key_id", "openai_project_id"
    ).join(known, on="openai_api_key_id", how="left")
    has_key, has_project = (
        pl.col(f"openai_{one}_id").is_not_null() for one in ("api_key", "project")
    )
    return (
        meter.filter(is_openai())
        .join(mapped, on=["connection", "token_id"], how="left", nulls_equal=True)
        .with_columns(
            upstream_connection=pl.coalesce("upstream_connection", "key_connection"),
            project_id=pl.coalesce("key_project_id", "openai_project_id"),
            api_key_id="openai_api_key_id",
            level=pl.when(has_key)
            .then(pl.lit("key"))
            .when(has_project)
            .then(pl.lit("project"))
            .otherwise(pl.lit("unmapped")),
        )
        .drop("openai_api_key_id", "openai_project_id", "key_connection", "key_project_id")
    )


def metered_pools(rows: pl.DataFrame, models: Mapping[str, str]) -> pl.DataFrame:
    """Return the meter by day, connection, project_id, api_key_id, model and level.

    Columns: metered_usd (0 where nothing was priced), a column of tokens per usage type (null
    where not known for every row), unpriced_share.

    Args:
        rows: `owned`, with the bill's connection in `connection`.
        models: The gateway's own name of a model, and the provider's.
    """
    grain = ["day", "connection", "project_id", "api_key_id", "model", "level"]
    counts = [
        pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).cast(MONEY).alias(kind)
        for name, kind in TOKENS.items()
    ]
    every = pl.sum_horizontal("input_tokens", "output_tokens")
    # A gateway that knows of no cache writes takes them for plain input: then the bill says so.
    without_writes = pl.when(pl.col("input_cache_write_tokens").is_null()).then(
        pl.col("input_tokens") - pl.col("input_cached_tokens")
    )
    plain = pl.coalesce("input_uncached_tokens", without_writes)
    share = pl.col("unpriced_tokens").sum().cast(MONEY) / unless_tiny(every.sum().cast(MONEY))
    return (
        rows.with_columns(
            model=undated(models), input_uncached_tokens=pl.when(plain >= 0).then(plain)
        )
        .group_by(grain)
        .agg(
            pl.col("metered_usd").sum(),
            *counts,
            unpriced_share=share.fill_null(0).cast(MONEY),
        )
    )
