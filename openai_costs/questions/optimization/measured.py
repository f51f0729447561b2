"""What the rules are applied to: the newest settled days of each bill, added up. Pure.

A bill is what one host invoices to one connection. Tokens are the usage report's where there is
one, and the quantities on the bill where there is none.
"""

from collections.abc import Iterable
from typing import Final

import polars as pl

from openai_costs.kernel.days import ONE_DAY
from openai_costs.questions.coverage import of_costs
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.optimization.list_cost import Mix
from openai_costs.questions.prices.price_lists import ANTHROPIC, AWS, OPENAI
from openai_costs.questions.usage.billable import STANDARD, billed_tier, known_sum
from openai_costs.tables.core.spend import USAGE

PERIOD_DAYS: Final = 30
BILL: Final = ["connection", "host"]
GROUP: Final = [
    *(*BILL, "day", "project_id", "api_key_id"),
    *("model", "region", "service_tier"),
]
REPORTED: Final = (OPENAI, ANTHROPIC)
"""Whose usage report has tokens by key and day; on the other bills each line has its quantity."""
GENERATIONS: Final = ("completions", "messages")
"""Endpoints whose tokens are of requests to a model that answers in text."""
KINDS: Final = list(Mix._fields)
_SAME: Final = {"cache_write_5m": "cache_write"}
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
    """Return the tokens of a usage report: `GROUP` and `KINDS`, null where a row does not say.

    Audio has prices of its own, and a row does not say which of its tokens the cache read: rows
    with audio are left out.

    Args:
        usage: core.usage rows of whole days.
        days: `periods`.
    """
    audio = pl.sum_horizontal("input_audio_tokens", "output_audio_tokens")
    of_text = usage.filter(pl.col("endpoint").is_in(GENERATIONS), audio == 0)
    hour = pl.col("input_cache_write_1h_tokens").fill_null(0)
    # What was neither uncached nor read was written.
    written = (
        pl.col("input_tokens") - pl.col("input_uncached_tokens") - pl.col("input_cached_tokens")
    )
    named = of_text.with_columns(
        service_tier=billed_tier(),
        model=canonical_model(),
        host="provider",
        region=pl.lit(None, pl.String),
        input="input_uncached_tokens",
        cached_input="input_cached_tokens",
        cache_write=written - hour,
        output="output_tokens",
        cache_write_1h=hour,
    )
    return _counted(named.join(days, on=["connection", "day"], how="semi"))


def billed_tokens(ledger: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the tokens that bills without a usage report have on their lines, as `tokens` does.

    Args:
        ledger: core.spend rows of whole days.
        days: `periods`.
    """
    rows = ledger.filter(~pl.col("host").is_in(REPORTED), charge_category=USAGE)
    named = _usual_text(_named(rows.join(days, on=["connection", "day"], how="semi")))
    known = pl.when(pl.col("quantity_unit") == "tokens").then("quantity")
    kinds = {
        kind: pl.when(pl.col("usage_type") == kind).then(known).otherwise(0).cast(pl.Int64)
        for kind in KINDS
    }
    return _counted(named.with_columns(**kinds))


def usual(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the text tokens billed at the standard tier and in the usual context.

    Args:
        lines: `lines`.
    """
    return _usual_text(lines).filter(
        pl.col("quantity_unit") == "tokens", pl.col("service_tier") == STANDARD
    )


def lines(ledger: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what was billed in the period: one row per project, key, label and unit.

    A line without a quantity adds dollars and no tokens, so that a saving is rather too small.

    Args:
        ledger: core.spend rows of whole days.
        days: `periods`.
    """
    return _added(_named(ledger).join(days, on=["connection", "day"], how="semi"))


def paid(checked: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return what each model was billed and would have been at list price, where both are known.

    Args:
        checked: mart.price_check.
        days: `periods`.
    """
    known = checked.filter(pl.col("expected_usd") > 0)
    return (
        known.join(days, on=["connection", "day"], how="semi")
        .group_by(*BILL, "model")
        .agg(pl.col("billed_usd", "expected_usd").sum())
    )


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return `lines` of several batches as those of all of them."""
    return _added(pl.concat(parts))


def _named(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return lines with a model and a kind in one word, and a region only where it has a price.

    Only usage counts tokens: a discount repeats the quantity of the usage that it is for.
    """
    is_usage = pl.col("charge_category") == USAGE
    kind = pl.col("usage_type").replace(_SAME)
    region = pl.when(pl.col("host") == AWS).then("region")
    quantity = pl.when(is_usage).then("quantity")
    return ledger.with_columns(
        model=canonical_model(), usage_type=kind, region=region, quantity=quantity
    )


def _usual_text(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.with_columns(pl.col("service_tier").fill_null(STANDARD)).filter(
        pl.col("usage_type").is_in(KINDS),
        ~pl.col("is_long_context").fill_null(value=False),
        pl.col("modality").fill_null("text") == "text",
        pl.col("model").is_not_null(),
    )


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(GROUP).agg(known_sum(kind) for kind in KINDS)


def _added(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(_LINE).agg(pl.col("billed_usd", "quantity").sum())
