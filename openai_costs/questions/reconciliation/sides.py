"""Both sides of the comparison at one grain, and the prices that value their tokens. Pure."""

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.credits import is_credit
from openai_costs.questions.model_names import undated_model
from openai_costs.questions.token_kinds import COLUMN_OF, KINDS, all_tokens, plain_input


def metered_pools(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the meter by day, connection, project_id, api_key_id, model and level.

    Columns: metered_usd (0 where nothing was priced), a column of tokens per usage type (null
    where not known for every row), unpriced_share.

    Args:
        rows: `owned`, with the bill's connection in `connection`.
    """
    grain = ["day", "connection", "project_id", "api_key_id", "model", "level"]
    counts = [
        pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).cast(MONEY).alias(kind)
        for kind, name in COLUMN_OF.items()
    ]
    # A gateway that does not count cache writes counts them as plain input: the bill shows them.
    without_writes = pl.when(pl.col("input_cache_write_tokens").is_null()).then(
        pl.col("input_tokens") - pl.col("input_cached_tokens")
    )
    plain = pl.coalesce("input_uncached_tokens", without_writes)
    share = pl.col("unpriced_tokens").sum().cast(MONEY) / unless_tiny(
        all_tokens().sum().cast(MONEY)
    )
    return (
        rows.with_columns(input_uncached_tokens=pl.when(plain >= 0).then(plain))
        .group_by(grain)
        .agg(
            pl.col("metered_usd").sum(),
            *counts,
            unpriced_share=share.fill_null(0).cast(MONEY),
        )
    )


# Dollars per token, where a key's own bill has no price.

_GRAIN = ["day", "connection", "model", "usage_type"]
_USED_USD = pl.col("billed_usd") - pl.col("credit_usd")


def unit_prices(lines: pl.DataFrame, list_prices: pl.DataFrame) -> pl.DataFrame:
    """Return token_usd by day, connection, model and usage type.

    What all keys of the connection together were billed for a token on that day; where none was
    billed for one, the list price.

    Args:
        lines: `billed_lines`.
        list_prices: mart.price_check.
    """
    tokens = pl.col("usage_type").is_in(KINDS)
    billed = (
        lines.filter(tokens & (pl.col("billed_tokens") > 0))
        .group_by(_GRAIN)
        .agg(token_usd=_USED_USD.sum() / pl.col("billed_tokens").sum())
    )
    listed = (
        list_prices.filter(
            tokens
            & (pl.col("quantity_unit") == "tokens")
            & pl.col("list_price_usd").is_not_null()
            & pl.col("service_tier").fill_null("standard").is_in(["standard", "default"])
        )
        .with_columns(model=undated_model())
        .group_by(_GRAIN)
        .agg(token_usd=pl.col("list_price_usd").max())
    )
    return pl.concat([billed, listed.join(billed, on=_GRAIN, how="anti")]).sort(_GRAIN)


# The bill, at the grain of a meter.

POOL = ("day", "connection", "provider", "project_id", "api_key_id", "model")


def billed_lines(ledger: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """Return the bill by pool and usage type: billed_usd, credit_usd of it, billed_tokens.

    The tokens are the bill's own; where it gives none, those of the provider's usage report for
    the same key and model, of which a line of the bill is then the price.

    Args:
        ledger: core.spend.
        usage: core.usage of the same days.
    """
    is_tokens = pl.col("quantity_unit") == "tokens"
    is_counted = is_tokens.fill_null(False).filter(~is_credit()).all()
    own = pl.when(is_counted).then(pl.col("quantity").filter(~is_credit()).sum())
    lines = (
        ledger.with_columns(model=undated_model())
        .group_by(*POOL, "usage_type")
        .agg(
            pl.col("billed_usd").sum(),
            credit_usd=pl.col("billed_usd").filter(is_credit()).sum(),
            billed_tokens=own.cast(MONEY),
            is_used=(~is_credit()).any(),
        )
        .with_columns(billed_tokens=pl.when("is_used").then("billed_tokens"))
    )
    reported = used_tokens(usage)
    on = ["day", "connection", "project_id", "api_key_id", "model", "usage_type"]
    return lines.join(reported, on=on, how="left", nulls_equal=True).select(
        *POOL,
        "usage_type",
        "billed_usd",
        "credit_usd",
        billed_tokens=pl.when("is_used").then(pl.coalesce("billed_tokens", "reported_tokens")),
    )


def used_tokens(usage: pl.DataFrame) -> pl.DataFrame:
    """Return core.usage as reported_tokens by day, connection, project, key, model, usage_type."""
    grain = ["day", "connection", "project_id", "api_key_id", "model"]
    known = [
        pl.when(pl.col(column).is_not_null().all()).then(pl.col(column).sum()).alias(kind)
        for kind, column in COLUMN_OF.items()
    ]
    return (
        usage.with_columns(model=undated_model(), input_uncached_tokens=plain_input())
        .group_by(grain)
        .agg(known)
        .unpivot(on=list(KINDS), index=grain, variable_name="usage_type")
        .drop_nulls("value")
        .select(*grain, "usage_type", reported_tokens=pl.col("value").cast(MONEY))
    )
