"""How far the gateway is known, and what of the bill its tokens cover.

Findings about days after the last reading of the gateway would be guesses.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from openai_costs.kernel.days import DayRange, is_settled
from openai_costs.questions.coverage import of_settled_days
from openai_costs.questions.gateway_routes import DECLARED, Routes
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway, Upstream
from openai_costs.settings.gateway import days_in_use
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import UNLISTED, GatewayTokens
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.upstreams import UPSTREAMS

# For which days the meter was read.

GRACE = timedelta(hours=1)
"""Gateways write what they metered in batches, some seconds late; an hour is enough."""


def meter_days(batches: Iterable[Batch]) -> pl.DataFrame:
    """Return the days of stored batches of core.gateway_spend: day, is_settled.

    A day from which rows were set aside is not settled: what they hold may be what is missing.
    """
    read = []
    for batch in batches:
        partial = set(batch.frame.filter("is_partial")["day"])
        read += [
            (key.day, is_settled(key.day, read_at, GRACE) and key.day not in partial)
            for key, read_at in batch.read_at.items()
        ]
    schema = {"day": pl.Date, "is_settled": pl.Boolean}
    return pl.DataFrame(read, schema=schema, orient="row").sort("day")


LOOKBACK = timedelta(days=30)
"""Questions about the gateway make findings of this many days."""


def since_lookback(_lake: Lake, facts: Facts) -> date:
    """Return the first day that findings about the gateway are made of."""
    return facts.today - LOOKBACK


def judged_lately(lake: Lake, facts: Facts, table: type[Contract], until: date) -> pl.DataFrame:
    """Return the rows of a daily table that can be judged: recent, settled, and up to `until`.

    Args:
        lake: The tables.
        facts: The settings and the current instant.
        table: The table of a question about the gateway.
        until: The last day for which the gateway is known.
    """
    first, last = since_lookback(lake, facts), min(facts.today, until)
    if not facts.settings.gateway.is_there or last < first:
        return table.no_rows()
    return of_settled_days(lake.read(table, DayRange(first, last)), lake.read(Coverage))


def registry_until(lake: Lake, facts: Facts) -> date:
    """Return the day of the newest registry: after it every new key would look like a bypass.

    Without a gateway in the settings every day is judged, and no finding results. The same holds
    where the settings are the only registry.
    """
    return registry_until_of(lake, facts.settings.gateway)


def registry_until_of(lake: Lake, gateway: Gateway) -> date:
    """Return the same for the gateway of some settings.

    A registry from which rows were set aside is not whole, and a token that only the meter names
    was in none.
    """
    if not gateway.has_registry:
        return date.max
    listed = lake.read(GatewayTokens).filter(
        pl.col("connection") == gateway.name,
        pl.col("status") != UNLISTED,
        ~pl.col("is_partial"),
    )
    return max(listed["last_seen_day"], default=date.min)


def judged_days(lake: Lake, gateway: Gateway, asked: DayRange) -> DayRange | None:
    """Return the days whose keys may be judged; None where no registry was ever read whole.

    Args:
        lake: Where tables are.
        gateway: Its settings.
        asked: The days of a run.
    """
    is_known = not gateway.has_registry or registry_until_of(lake, gateway) > date.min
    return days_in_use(gateway, asked) if is_known else None


def meter_until(lake: Lake, facts: Facts) -> date:
    """Return the newest day that the meter was completely read for and the registry is known.

    Without a meter in the settings every day is judged: earlier findings from one are closed.
    """
    gateway = facts.settings.gateway
    known = registry_until(lake, facts)
    if not gateway.has_meter:
        return known
    reads = {key.day: at for key, at in lake.reads(GatewaySpend).items() if key[0] == gateway.name}
    for day in sorted(reads, reverse=True):
        if day <= known and is_settled(day, reads[day], GRACE):
            rows = lake.read(GatewaySpend, [day]).filter(connection=gateway.name)
            if not rows["is_partial"].any():
                return day
    return date.min


# Which rows of a meter are OpenAI's, and which keys the settings declare.


def is_openai() -> pl.Expr:
    """Return whether a row of the meter went to OpenAI; a row without a provider is assumed to."""
    return pl.col("upstream_provider").is_in(UPSTREAMS["openai"]).fill_null(True)


def is_declared_key(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare a row's api_key_id to be one of the gateway's."""
    keys = [one.api_key_id for one in upstreams if one.api_key_id]
    return pl.col("api_key_id").is_in(keys).fill_null(False)


def is_declared_project(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare all keys of a row's project_id to be the gateway's."""
    projects = [one.project_id for one in upstreams if one.project_id and not one.api_key_id]
    return pl.col("project_id").is_in(projects).fill_null(False)


# What a gateway token covers.

CONFIDENCE_ORDER = {"high": 3, "medium": 2, "low": 1, "none": 0}


def coverage_by_token(rows: pl.DataFrame, routes: Routes) -> pl.DataFrame:
    """Return rows with `level`, `confidence` and `unlisted_since`: what covers them on their day.

    level: `key` where a token names the key, or settings declare it and a token may use it;
    `gateway` where settings leave tokens several keys for the model, which are compared together;
    `project` where only its project is named or declared; `unmapped` where settings declare either
    and leave open what was metered for it; null where nothing covers it. unlisted_since: the day
    after the last token that named the key was listed.

    Args:
        rows: day, project_id, api_key_id and model (its undated name), and more.
        routes: What settings and the registry say together.
    """
    names_project = pl.col("openai_api_key_id").is_null() & (pl.col("mapping") != DECLARED)
    of_projects = _named(routes.tokens.filter(names_project), "project_id")
    found = (
        rows.join(_named(routes.tokens, "api_key_id"), on="api_key_id", how="left")
        .join(of_projects, on="project_id", how="left")
        .join(_declared(rows, routes, "api_key_id"), on=["model", "api_key_id"], **_NULLS_LEFT)
        .join(_declared(rows, routes, "project_id"), on=["model", "project_id"], **_NULLS_LEFT)
    )
    level = _level(routes)
    since = pl.when(level.is_null()).then(pl.col("api_key_id_until") + pl.duration(days=1))
    made = found.with_columns(
        level=level, confidence=_confidence(routes, level), unlisted_since=since
    )
    return made.select(*rows.columns, "level", "confidence", "unlisted_since")


_NULLS_LEFT: Any = {"how": "left", "nulls_equal": True}


def _declared(rows: pl.DataFrame, routes: Routes, column: str) -> pl.DataFrame:
    """Return the level of each model and declared key or project: model, id, declared_<id>."""
    name = f"declared_{column}"
    levels = [
        (model, ref, level)
        for model in rows["model"].unique()
        for ref, level in routes.levels(model).items()
    ]
    schema = dict.fromkeys(("model", column, name), pl.String)
    return pl.DataFrame(levels, schema=schema, orient="row")


def _level(routes: Routes) -> pl.Expr:
    has_key = pl.col("api_key_id").is_not_null()
    declares_key = is_declared_key(routes.upstreams)
    declares_project = is_declared_project(routes.upstreams) & has_key
    may_use_key = is_declared_key(routes.answering) | (
        declares_key & pl.col("api_key_id_until").is_not_null()
    )
    is_open = (pl.col("declared_project_id") == "unmapped").fill_null(False)
    may_use_project = is_declared_project(routes.answering) & ~is_open
    return (
        pl.when(pl.col("declared_api_key_id") != "key")
        .then("declared_api_key_id")
        .when(_is_listed("api_key_id") | may_use_key)
        .then(pl.lit("key"))
        .when((_is_listed("project_id") | may_use_project) & has_key)
        .then(pl.lit("project"))
        .when(declares_key | declares_project)
        .then(pl.lit("unmapped"))
    )


def _confidence(routes: Routes, level: pl.Expr) -> pl.Expr:
    """Return how surely a row is the gateway's: a token names it, or settings declare it."""
    return (
        pl.when(_is_listed("api_key_id"))
        .then("api_key_id_confidence")
        .when(is_declared_key(routes.upstreams))
        .then(pl.lit("medium"))
        .when(level.is_not_null())
        .then(pl.lit("low"))
        .otherwise(pl.lit("none"))
    )


def _named(tokens: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return how long, and how surely, keys or projects are named by tokens."""
    surest = pl.col("confidence").sort_by(
        pl.col("confidence").replace_strict(CONFIDENCE_ORDER, return_dtype=pl.Int64)
    )
    return (
        tokens.filter(pl.col(f"openai_{column}").is_not_null())
        .group_by(pl.col(f"openai_{column}").alias(column))
        .agg(
            pl.col("last_seen_day").max().alias(f"{column}_until"),
            pl.col("is_current").any().alias(f"{column}_is_current"),
            surest.last().alias(f"{column}_confidence"),
        )
    )


def _is_listed(column: str) -> pl.Expr:
    """Return whether a token was still listed on the day; a first listing is not a beginning."""
    listed = pl.col(f"{column}_is_current") | (pl.col("day") <= pl.col(f"{column}_until"))
    return listed.fill_null(False)
