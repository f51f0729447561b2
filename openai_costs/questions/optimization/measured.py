"""What the rules are applied to: the newest settled days of each connection, added up. Pure."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from openai_costs.kernel.days import ONE_DAY
from openai_costs.questions.coverage import of_costs
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.usage.billable import billed_tier, known_sum

PERIOD_DAYS: Final = 30
GROUP: Final = ["connection", "day", "api_key_id", "model", "service_tier"]
COUNTS: Final = [
    "input_tokens",
    "input_uncached_tokens",
    "input_cached_tokens",
    "output_tokens",
]
_LINE: Final = [
    *("connection", "provider", "project_id", "api_key_id", "line_item", "model", "usage_type"),
    *("service_tier", "modality", "is_long_context", "quantity_unit", "host", "region"),
]


def periods(coverage: pl.DataFrame) -> pl.DataFrame:
    """Return the settled days of each connection's period: connection, day.

    Args:
        coverage: mart.coverage.
    """
    settled = of_costs(coverage).filter(state="settled")
    since = pl.col("day").max().over("connection") - ONE_DAY * (PERIOD_DAYS - 1)
    return settled.filter(pl.col("day") >= since).select("connection", "day")


def tokens(usage: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens of generations without audio: one row per day, key, model and tier.

    Audio has prices of its own, and a row does not say which of its tokens the cache read.

    Args:
        usage: core.usage rows of whole days.
        days: `periods`.
    """
    audio = pl.sum_horizontal("input_audio_tokens", "output_audio_tokens")
    of_text = usage.filter(pl.col("endpoint") == "completions", audio == 0)
    named = of_text.with_columns(service_tier=billed_tier(), model=canonical_model())
    return (
        named.join(days, on=["connection", "day"], how="semi")
        .group_by(GROUP)
        .agg(known_sum(column) for column in COUNTS)
    )


def lines(ledger: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what was billed in the period: one row per project, key, label and unit.

    A line without a quantity adds dollars and no tokens, so that a saving is rather too small.

    Args:
        ledger: core.spend rows of whole days.
        days: `periods`.
    """
    named = ledger.with_columns(model=canonical_model())
    return _added(named.join(days, on=["connection", "day"], how="semi"))


def paid(checked: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what each model was billed and would have been at list price, where both are known.

    Args:
        checked: mart.price_check.
        days: `periods`.
    """
    known = checked.filter(pl.col("expected_usd") > 0)
    return (
        known.join(days, on=["connection", "day"], how="semi")
        .group_by("connection", "model")
        .agg(pl.col("billed_usd", "expected_usd").sum())
    )


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return `lines` of several batches as those of all of them."""
    return _added(pl.concat(parts))


def _added(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(_LINE).agg(pl.col("billed_usd", "quantity").sum())
