"""mart.gateway_bypass: the keys whose spend the gateway does not account for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.formatting import counted, dollars, dollars_of
from openai_costs.kernel.money import MONEY, unless_tiny
from openai_costs.questions.causes import (
    NONE,
    added_up,
    as_json,
    cause,
    child_words,
    from_json,
    in_words,
)
from openai_costs.questions.gateway_bypass.key_days import KEY_DAY, key_models, with_shortfall
from openai_costs.questions.gateway_bypass.key_lists import with_allowance
from openai_costs.questions.gateway_coverage import coverage_by_token, owned
from openai_costs.questions.gateway_routes import Routes
from openai_costs.settings import Gateway
from openai_costs.tables.mart.gateway_bypass import GatewayBypass

MOST_MODELS = 3
DESCRIBED = (
    *("key_name", "owner", "owner_id", "owner_type", "project_name"),
    *("first_seen_day", "last_used_at", "new_since_day", "reason"),
)
"""The columns that follow the lists of keys, projects and tokens, whatever the day they are of."""
LATE_USE = timedelta(days=8)
"""How late a provider may say that a key was used: younger days are no other by that alone."""
_WHY = {
    "unregistered": "no gateway token names the key",
    "service_account": "the key belongs to a service account, and no gateway token names it",
    "deleted_key": "no gateway token named the key, which has been deleted since",
    "archived_project": "no gateway token named the key, whose project has been archived since",
    "unmetered": "the gateway metered {metered}. {at_risk} may not have gone through it: {models}",
    "without_key": "it names no key, so it cannot have come through the gateway",
}


@dataclass(frozen=True)
class Activity:
    """What keys did on some days, and what is known of them.

    Args:
        ledger: core.spend.
        usage: core.usage.
        meter: core.gateway_spend.
        reconciliation: mart.cost_reconciliation.
        tokens: core.gateway_tokens.
        keys: core.api_keys.
        projects: core.projects.
    """

    ledger: pl.DataFrame
    usage: pl.DataFrame
    meter: pl.DataFrame
    reconciliation: pl.DataFrame
    tokens: pl.DataFrame
    keys: pl.DataFrame
    projects: pl.DataFrame


def bypass(activity: Activity, gateway: Gateway) -> pl.DataFrame:
    """Return mart.gateway_bypass for the days of the activity."""
    routes = Routes(activity.tokens, gateway.upstreams, gateway.models)
    metered = owned(activity.meter, activity.keys, routes)
    covered = coverage_by_token(key_models(activity.ledger, activity.usage), routes, metered)
    by_model = with_shortfall(covered, activity.reconciliation)
    days = _described(_added_up(by_model), activity.keys, activity.projects)
    listed = days.with_columns(reason=_reason(gateway)).filter(pl.col("reason").is_not_null())
    at_risk = _with_risk(listed, by_model)
    allowed = with_allowance(at_risk, gateway.allowed)
    sentences = [_because(row) for row in allowed.iter_rows(named=True)]
    return (
        allowed.with_columns(because=pl.Series(sentences, dtype=pl.String))
        .select(list(GatewayBypass.types()))
        .sort(KEY_DAY)
    )


def described_otherwise(
    stored: pl.DataFrame, tokens: pl.DataFrame, keys: pl.DataFrame, projects: pl.DataFrame
) -> pl.DataFrame:
    """Return the stored rows that the lists of keys, projects and tokens describe otherwise now.

    A key that a token names now has no reason any more. What settings declare and what was metered
    is not asked: the one is asked of all days, and days of the other are made again when it is
    read. The rows of covered keys are compared by their names.

    Args:
        stored: `KEY_DAY` and `DESCRIBED` of mart.gateway_bypass.
        tokens: core.gateway_tokens.
        keys: core.api_keys.
        projects: core.projects.
    """
    is_unmetered = pl.col("reason") == "unmetered"
    rows = stored.select(*KEY_DAY, "reason", model=pl.lit(None, pl.String))
    covered = coverage_by_token(rows, Routes(tokens)).with_columns(
        is_covered=is_unmetered | pl.col("level").is_not_null()
    )
    reason = pl.when(~pl.col("is_covered")).then(_why_unregistered()).when(is_unmetered)
    now = _described(covered, keys, projects).with_columns(reason=reason.then("reason"))
    is_old = pl.col("day") < pl.col("day").max() - LATE_USE
    one, other = (
        rows.with_columns(last_used_at=pl.when(is_old).then("last_used_at"))
        for rows in (stored, now)
    )
    return one.join(other, on=[*KEY_DAY, *DESCRIBED], how="anti", nulls_equal=True)


def _added_up(by_model: pl.DataFrame) -> pl.DataFrame:
    """Return one row per key and day, with its capture_rate."""
    amounts = ("metered_usd", "unmetered_usd", "unmetered_tokens")
    known = [
        pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name)
        for name in amounts
    ]
    has_tokens = pl.col("tokens").is_not_null().any()
    summed = by_model.group_by("provider", *KEY_DAY).agg(
        pl.col("billed_usd").sum(),
        *known,
        pl.col("confidence").first(),
        pl.col("unlisted_since").max(),
        tokens=pl.when(has_tokens).then(pl.col("tokens").sum()),
        is_covered=pl.col("level").is_not_null().all(),
    )
    rate = pl.col("metered_usd") / unless_tiny(pl.col("billed_usd"))
    return summed.with_columns(capture_rate=rate.cast(MONEY))


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
    is_archived = (pl.col("status") == "archived").alias("is_archived")
    named = projects.select("connection", is_archived, project_id="id", project_name="name")
    # A key is often older than our first reading of the directory.
    made = pl.min_horizontal(pl.col("created_at").dt.date(), "first_seen_day")
    since = pl.coalesce("unlisted_since", made)
    end = pl.col("day").cast(pl.Datetime("us")) + pl.duration(seconds=86_399)
    is_later = pl.col("last_used_at") > end
    return (
        days.join(known, on=["connection", "api_key_id"], how="left")
        .join(named, on=["connection", "project_id"], how="left")
        .with_columns(
            new_since_day=pl.when(~pl.col("is_covered")).then(since),
            last_used_at=pl.when(is_later).then(end).otherwise("last_used_at"),
        )
    )


def _reason(gateway: Gateway) -> pl.Expr:
    """Return why a key day is listed; null where the gateway accounts for it.

    A key whose tokens the gateway did count is not unmetered: then its price is wrong or missing,
    which mart.cost_reconciliation says.
    """
    tolerated = pl.col("billed_usd") * pl.lit(1 - gateway.capture_rate_below, MONEY)
    has_rate = pl.col("capture_rate").is_not_null()
    is_unmetered = has_rate & (pl.col("unmetered_usd") > tolerated)
    return (
        pl.when(~pl.col("is_covered"))
        .then(_why_unregistered())
        .when(is_unmetered.fill_null(False))
        .then(pl.lit("unmetered"))
    )


def _why_unregistered() -> pl.Expr:
    """Return the reason of a key that nothing covers, as the list of keys has it now."""
    gone = pl.when("is_archived").then(pl.lit("archived_project")).otherwise(pl.lit("deleted_key"))
    return (
        pl.when(pl.col("api_key_id").is_null())
        .then(pl.lit("without_key"))
        .when(~pl.col("is_there").fill_null(True))
        .then(gone)
        .when((pl.col("owner_type") == "service_account").fill_null(False))
        .then(pl.lit("service_account"))
        .otherwise(pl.lit("unregistered"))
    )


def _with_risk(listed: pl.DataFrame, by_model: pl.DataFrame) -> pl.DataFrame:
    """Add at_risk_usd, at_risk_tokens and at_risk_models to what is listed."""
    is_unmetered = pl.col("reason") == "unmetered"
    nothing = pl.lit(0, MONEY)
    billed = pl.max_horizontal(nothing, "billed_usd")
    at_risk = pl.when(is_unmetered).then("unmetered_usd").otherwise(billed)
    tokens = pl.when(is_unmetered).then("unmetered_tokens").otherwise("tokens")
    models = (
        by_model.join(listed.select(*KEY_DAY, "reason"), on=KEY_DAY, nulls_equal=True)
        .with_columns(at_risk_usd=at_risk)
        .filter(pl.col("at_risk_usd") > 0)
        .sort(*KEY_DAY, "at_risk_usd", "model", descending=[False] * len(KEY_DAY) + [True, False])
        .group_by(KEY_DAY, maintain_order=True)
        .agg("model", models_usd="at_risk_usd")
    )
    joined = listed.with_columns(at_risk_usd=at_risk, at_risk_tokens=tokens.cast(pl.Int64)).join(
        models, on=KEY_DAY, how="left", nulls_equal=True
    )
    texts = [_models(*row) for row in joined.select("model", "models_usd").iter_rows()]
    return joined.with_columns(at_risk_models=pl.Series(texts, dtype=pl.String))


def _models(models: Iterable[str | None] | None, usd: Iterable[Any] | None) -> str:
    pairs = zip(models or (), usd or (), strict=True)
    return as_json([cause("model", model or NONE, amount) for model, amount in pairs])


def _because(row: dict[str, Any]) -> str:
    who = "Spend" if row["api_key_id"] is None else f"API key {_called(row)}"
    where = f" in project {row['project_name'] or row['project_id']}" if row["project_id"] else ""
    why = _WHY[row["reason"]].format(
        metered=dollars(row["metered_usd"] or Decimal(0)),
        at_risk=dollars(row["at_risk_usd"]) + _tokens(row),
        models=in_words(
            added_up(from_json(row["at_risk_models"]), child_words), MOST_MODELS, dollars_of
        ),
    )
    allowed = f" Allowed: {row['allowed_because']}." if row["is_allowed"] else ""
    billed = dollars(row["billed_usd"])
    return f"{who}{where} was billed {billed} on {row['day']}: {why}.{allowed}"


def _tokens(row: dict[str, Any]) -> str:
    count = row["at_risk_tokens"]
    return f" ({counted(count, 'token')})" if count else ""


def _called(row: dict[str, Any]) -> str:
    key = str(row["api_key_id"])
    return f"{row['key_name']} ({key})" if row["key_name"] else key
