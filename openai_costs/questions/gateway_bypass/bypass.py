"""mart.gateway_bypass: the keys whose spend the gateway does not account for. Pure."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.gateway import coverage_by_token
from openai_costs.questions.gateway_bypass.key_days import KEY_DAY, key_days, with_meter
from openai_costs.questions.gateway_bypass.key_lists import with_allowance
from openai_costs.settings import Gateway
from openai_costs.tables.mart.gateway_bypass import GatewayBypass

_CENT = Decimal("0.01")
_WHY = {
    "unregistered": "no gateway token names it",
    "service_account": "it belongs to a service account and no gateway token names it",
    "deleted_key": "no gateway token named it, and the key is gone since",
    "unmetered": "it is registered, but the gateway metered only {metered}",
    "without_key": "this spend names no key, so it cannot have come through the gateway",
}


@dataclass(frozen=True)
class Activity:
    """What keys did on some days, and what is known of them.

    Args:
        ledger: core.spend.
        usage: core.usage.
        meter: core.gateway_spend.
        tokens: core.gateway_tokens.
        keys: core.api_keys.
        projects: core.projects.
        meter_days: day, is_settled: the days of the meter that were read.
    """

    ledger: pl.DataFrame
    usage: pl.DataFrame
    meter: pl.DataFrame
    tokens: pl.DataFrame
    keys: pl.DataFrame
    projects: pl.DataFrame
    meter_days: pl.DataFrame


def bypass(activity: Activity, gateway: Gateway) -> pl.DataFrame:
    """Return mart.gateway_bypass for the days of the activity."""
    days = coverage_by_token(
        key_days(activity.ledger, activity.usage), activity.tokens, gateway.upstreams
    )
    metered = with_meter(days, activity.meter, activity.tokens, activity.meter_days)
    known = _described(metered, activity.keys, activity.projects)
    found = known.with_columns(reason=_reason(gateway)).filter(pl.col("reason").is_not_null())
    at_risk = pl.max_horizontal(
        pl.lit(0, MONEY), pl.col("billed_usd") - pl.col("metered_usd").fill_null(0)
    )
    told = with_allowance(found.with_columns(at_risk_usd=at_risk), gateway.allowed)
    sentences = [_because(row) for row in told.iter_rows(named=True)]
    return (
        told.with_columns(because=pl.Series(sentences, dtype=pl.String))
        .select(list(GatewayBypass.types()))
        .sort(KEY_DAY)
    )


def _described(days: pl.DataFrame, keys: pl.DataFrame, projects: pl.DataFrame) -> pl.DataFrame:
    """Add what the directory says of each key and project."""
    known = keys.select(
        "connection",
        "owner_type",
        "owner_id",
        "first_seen_day",
        "last_used_at",
        "created_at",
        api_key_id="id",
        key_name="name",
        owner="owner_name",
        is_there=pl.col("is_current") | (pl.col("status") == "not_listed"),
    )
    named = projects.select("connection", project_id="id", project_name="name")
    # A key is often older than our first look at the directory.
    made = pl.min_horizontal(pl.col("created_at").dt.date(), "first_seen_day")
    since = pl.coalesce("unlisted_since", made)
    return (
        days.join(known, on=["connection", "api_key_id"], how="left")
        .join(named, on=["connection", "project_id"], how="left")
        .with_columns(new_since_day=pl.when(pl.col("level").is_null()).then(since))
    )


def _reason(gateway: Gateway) -> pl.Expr:
    """Return why a key day is listed; null where the gateway accounts for it.

    A key whose tokens the gateway did count is not unmetered: then its price is wrong or missing,
    which mart.cost_reconciliation says. Where usage was not read, what the gateway has no price for
    may be all that is missing.
    """
    limit = pl.lit(gateway.capture_rate_below, MONEY)
    has_few_tokens = (pl.col("token_rate") < limit).fill_null(~pl.col("has_unpriced"))
    is_low = (pl.col("capture_rate") < limit) & has_few_tokens
    is_unregistered = pl.col("level").is_null()
    return (
        pl.when(is_unregistered & pl.col("api_key_id").is_null())
        .then(pl.lit("without_key"))
        .when(is_unregistered & ~pl.col("is_there").fill_null(True))
        .then(pl.lit("deleted_key"))
        .when(is_unregistered & (pl.col("owner_type") == "service_account").fill_null(False))
        .then(pl.lit("service_account"))
        .when(is_unregistered)
        .then(pl.lit("unregistered"))
        .when(is_low.fill_null(False))
        .then(pl.lit("unmetered"))
    )


def _because(row: dict[str, Any]) -> str:
    who = "Spend without a key" if row["api_key_id"] is None else f"Key {_called(row)}"
    where = f" in project {row['project_name'] or row['project_id']}" if row["project_id"] else ""
    why = _WHY[row["reason"]].format(metered=_dollars(row["metered_usd"]))
    allowed = f" Allowed: {row['allowed_because']}." if row["is_allowed"] else ""
    spent = _dollars(row["billed_usd"])
    return f"{who}{where} was billed {spent} on {row['day']}: {why}.{allowed}"


def _called(row: dict[str, Any]) -> str:
    key = str(row["api_key_id"])
    return f"{row['key_name']!r} ({key})" if row["key_name"] else key


def _dollars(usd: Decimal | None) -> str:
    return f"{(usd or Decimal(0)).quantize(_CENT, ROUND_HALF_EVEN):,} USD"
