"""What each API key did on a day, on the bill and on the meter. Pure."""

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.gateway import is_openai
from openai_costs.questions.token_kinds import all_tokens

KEY_DAY = ("day", "connection", "project_id", "api_key_id")


def key_days(ledger: pl.DataFrame, usage: pl.DataFrame) -> pl.DataFrame:
    """Return every key active on a day: provider, billed_usd (0 without a line), tokens.

    Args:
        ledger: core.spend.
        usage: core.usage.
    """
    grain = ["provider", *KEY_DAY]
    billed = ledger.group_by(grain).agg(pl.col("billed_usd").sum())
    counts = usage.filter(
        pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null()
    )
    used = counts.group_by(grain).agg(tokens=all_tokens().sum().cast(pl.Int64))
    joined = billed.join(used, on=grain, how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col("billed_usd").fill_null(0)).filter(
        (pl.col("billed_usd") != 0) | (pl.col("tokens").fill_null(0) > 0)
    )


def with_meter(
    days: pl.DataFrame, meter: pl.DataFrame, tokens: pl.DataFrame, meter_days: pl.DataFrame
) -> pl.DataFrame:
    """Return registered key days with what the gateway metered: metered_usd, capture_rate.

    A key whose project alone is known is judged by the capture rate of all such keys of the
    project together. Both are null for a day the meter was not completely read for, and for what
    settings declare and no token was ever mapped to: it may be metered under any token.

    Args:
        days: `key_days`, with what covers them.
        meter: core.gateway_spend.
        tokens: core.gateway_tokens.
        meter_days: day, is_settled.
    """
    is_key = pl.col("level") == "key"
    pooled = days.with_columns(
        ref=pl.when(is_key).then("api_key_id").when(pl.col("level") == "project").then("project_id")
    )
    pool = ["day", "level", "ref"]
    seen = _seen(meter, _owners(tokens))
    complete = meter_days.filter("is_settled").select("day", meter_is_complete=pl.lit(True))
    found = pooled.join(seen, on=pool, how="left").join(complete, on="day", how="left")
    is_judged = (pl.col("ref").is_not_null() & pl.col("meter_is_complete")).fill_null(False)
    billed = pl.col("billed_usd").sum().over(pool)
    used = pl.col("tokens").sum().over(pool)
    usd = pl.col("seen_usd").fill_null(0)
    is_alone = is_key & (pl.len().over(pool) == 1)
    return found.with_columns(
        has_unpriced=pl.col("has_unpriced").fill_null(False),
        capture_rate=pl.when(is_judged).then(usd / unless_tiny(billed)).cast(MONEY),
        token_rate=pl.when(is_judged & pl.col("tokens").is_not_null())
        .then(pl.col("seen_tokens").fill_null(0).cast(MONEY) / unless_tiny(used.cast(MONEY)))
        .cast(MONEY),
    ).with_columns(
        metered_usd=pl.when(is_alone & is_judged)
        .then(usd)
        .otherwise(pl.col("billed_usd") * pl.col("capture_rate"))
        .cast(MONEY)
    )


def _owners(tokens: pl.DataFrame) -> pl.DataFrame:
    """Return each token with the key or project it is known to spend with: level, ref."""
    has_key = pl.col("openai_api_key_id").is_not_null()
    ref = pl.coalesce("openai_api_key_id", "openai_project_id")
    return tokens.select(
        "connection",
        "token_id",
        ref=ref,
        level=pl.when(has_key).then(pl.lit("key")).otherwise(pl.lit("project")),
    ).filter(pl.col("ref").is_not_null())


def _seen(meter: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return what the gateway metered by day, level and the key or project it was for."""
    return (
        meter.filter(is_openai())
        .join(owners, on=["connection", "token_id"])
        .group_by("day", "level", "ref")
        .agg(
            seen_usd=pl.col("metered_usd").sum(),
            seen_tokens=all_tokens().sum(),
            has_unpriced=pl.col("is_unpriced").any(),
        )
    )
