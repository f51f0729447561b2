"""mart.gateway_capture: how much of each provider's bill the gateway metered, on each day. Pure.

Sums over all keys and tokens, so nothing has to be known about which token uses which key.
"""

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.credits import is_credit
from openai_costs.questions.gateway import is_openai
from openai_costs.questions.token_kinds import KINDS, all_tokens
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.upstreams import HOST_OF

OPENAI = "openai"
"""Compared on every day; another provider on the days on which the gateway metered it."""
_DAY = ["day", "provider"]


def capture(
    ledger: pl.DataFrame,
    meter: pl.DataFrame,
    bill_days: tuple[pl.DataFrame, pl.DataFrame],
    meter_days: pl.DataFrame,
    gateway: str,
) -> pl.DataFrame:
    """Return mart.gateway_capture.

    Args:
        ledger: core.spend.
        meter: core.gateway_spend of the same days.
        bill_days: connection, day, is_settled: the days of every bill that were read, and those
            of OpenAI's alone, which may have no line on a day.
        meter_days: day, is_settled: the days of the meter that were read.
        gateway: The gateway's name.
    """
    of_all, of_openai = bill_days
    billed, metered = _billed(ledger, of_all), _metered(meter)
    empty = of_openai.group_by("day").agg(is_read=pl.col("is_settled").all())
    complete = meter_days.select("day", meter_is_settled="is_settled")
    is_compared = pl.col("metered_usd").is_not_null() | (pl.col("provider") == OPENAI)
    is_read = pl.coalesce("bill_is_settled", pl.when(provider=OPENAI).then("is_read"))
    is_settled = pl.all_horizontal(
        one.fill_null(value=False) for one in (is_read, pl.col("meter_is_settled"))
    )
    return (
        billed.join(metered, on=_DAY, how="full", coalesce=True)
        .filter(is_compared)
        .join(complete, on="day", how="left")
        .join(empty, on="day", how="left")
        .with_columns(
            pl.col("billed_usd", "metered_usd").fill_null(0),
            connection=pl.lit(gateway),
            is_settled=is_settled,
        )
        .with_columns(
            capture_rate=_rate("metered_usd", "billed_usd"),
            token_capture_rate=_rate("metered_tokens", "billed_tokens"),
        )
        .select(list(GatewayCapture.types()))
        .sort(GatewayCapture.Config.unique)
    )


def _billed(ledger: pl.DataFrame, bill_days: pl.DataFrame) -> pl.DataFrame:
    """Return each bill by day: billed_usd, billed_tokens, bill_is_settled.

    A bill is the host's: what a reseller or a cloud invoices is not a bill of the model's maker.
    """
    is_tokens = pl.col("usage_type").is_in(KINDS)
    is_counted = pl.col("quantity_unit") == "tokens"
    tokens = pl.when(is_counted).then("quantity").filter(is_tokens)
    states = bill_days.select("connection", "day", bill_is_settled="is_settled")
    return (
        ledger.filter(~is_credit())
        .with_columns(provider="host")
        .join(states, on=["connection", "day"], how="left")
        .group_by(_DAY)
        .agg(
            pl.col("billed_usd").sum(),
            pl.col("bill_is_settled").fill_null(value=False).all(),
            billed_tokens=pl.when(tokens.is_not_null().all()).then(tokens.sum()).cast(MONEY),
        )
    )


def _metered(meter: pl.DataFrame) -> pl.DataFrame:
    """Return the meter by day and by whose bill it fronts: metered_usd, metered_tokens."""
    host = pl.col("upstream_provider").replace(dict(HOST_OF))
    provider = pl.when(is_openai()).then(pl.lit(OPENAI)).otherwise(host)
    return (
        meter.with_columns(provider=provider)
        .group_by(_DAY)
        .agg(pl.col("metered_usd").sum(), metered_tokens=all_tokens().sum().cast(MONEY))
    )


def _rate(part: str, whole: str) -> pl.Expr:
    return (pl.col(part) / unless_tiny(pl.col(whole))).cast(MONEY)
