"""mart.gateway_capture: how much of each provider's bill the gateway metered, on each day. Pure.

Sums over all keys and tokens, so nothing has to be known about which token uses which key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.credits import is_credit
from openai_costs.questions.gateway import is_openai
from openai_costs.questions.provider_scope import OPENAI
from openai_costs.questions.token_kinds import KINDS, all_tokens
from openai_costs.settings.connection import Connection
from openai_costs.sources.registry import hosts_of
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.upstreams import HOST_OF

BILL = ("connection", "day", "host")
"""The columns of core.spend that say whose bill has lines of a day."""
_DAY = ["day", "provider"]


@dataclass(frozen=True)
class Reads:
    """Which days of bills and of the meter were read.

    Args:
        bill_days: connection, day, is_settled: the days of every bill that were read.
        meter_days: day, is_settled: those of the meter.
        connections: The connections of the settings, without those that are counted as others.
    """

    bill_days: pl.DataFrame
    meter_days: pl.DataFrame
    connections: Sequence[Connection]


def capture(ledger: pl.DataFrame, meter: pl.DataFrame, reads: Reads, gateway: str) -> pl.DataFrame:
    """Return mart.gateway_capture: OpenAI on every day, others on those with metered requests.

    Args:
        ledger: core.spend.
        meter: core.gateway_spend of the same days.
        reads: The days that were read.
        gateway: The gateway's name.
    """
    is_compared = pl.col("metered_usd").is_not_null() | (pl.col("provider") == OPENAI)
    both = _billed(ledger).join(_metered(meter), on=_DAY, how="full", coalesce=True)
    return (
        with_states(both.filter(is_compared), ledger.select(BILL), reads)
        .with_columns(pl.col("billed_usd", "metered_usd").fill_null(0), connection=pl.lit(gateway))
        .with_columns(
            capture_rate=_rate("metered_usd", "billed_usd"),
            token_capture_rate=_rate("metered_tokens", "billed_tokens"),
        )
        .select(list(GatewayCapture.types()))
        .sort(GatewayCapture.Config.unique)
    )


def with_states(rows: pl.DataFrame, lines: pl.DataFrame, reads: Reads) -> pl.DataFrame:
    """Return rows of days and providers with `is_settled`: all bills and the meter have settled.

    The bills are those with a line of the day, and those of all connections that the provider
    invoices: one that was not read makes a day look metered as more than it was billed.

    Args:
        rows: day, provider, and more.
        lines: `BILL` of core.spend.
        reads: The days that were read.
    """
    named = [(one.name, host) for one in reads.connections for host in hosts_of(one)]
    connections = pl.DataFrame(
        named, {"connection": pl.String, "provider": pl.String}, orient="row"
    )
    bills = pl.concat(
        [
            lines.select("connection", "day", provider="host"),
            rows.select(_DAY).join(connections, on="provider").select("connection", *_DAY),
        ]
    ).unique()
    states = bills.join(reads.bill_days, on=["connection", "day"], how="left")
    of_bills = states.group_by(_DAY).agg(
        bill_is_settled=pl.col("is_settled").fill_null(value=False).all()
    )
    of_meter = reads.meter_days.select("day", meter_is_settled="is_settled")
    both = pl.all_horizontal(pl.col("bill_is_settled", "meter_is_settled").fill_null(value=False))
    return (
        rows.join(of_bills, on=_DAY, how="left")
        .join(of_meter, on="day", how="left")
        .with_columns(is_settled=both)
        .drop("bill_is_settled", "meter_is_settled")
    )


def _billed(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return each bill by day: billed_usd, billed_tokens.

    A bill is the host's: what a reseller or a cloud invoices is not a bill of the model's maker.
    """
    is_tokens = pl.col("usage_type").is_in(KINDS)
    is_counted = pl.col("quantity_unit") == "tokens"
    tokens = pl.when(is_counted).then("quantity").filter(is_tokens)
    return (
        ledger.filter(~is_credit())
        .with_columns(provider="host")
        .group_by(_DAY)
        .agg(
            pl.col("billed_usd").sum(),
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
