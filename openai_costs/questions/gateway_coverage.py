"""What of the bill the gateway's tokens cover, day by day: by its lists and by its meter. Pure.

Lists of tokens are read once a day at best, and the meter is complete: a request on it is evidence
that its key went through the gateway on that day, whatever the lists say of it.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from openai_costs.questions.gateway import is_openai
from openai_costs.questions.gateway_routes import DECLARED, Routes, counts_until
from openai_costs.questions.model_names import undated_model
from openai_costs.settings import Upstream

CONFIDENCE_ORDER = {"high": 3, "medium": 2, "low": 1, "none": 0}
_ROUTE = dict.fromkeys(("level", "upstream_connection", "project_id", "api_key_id"), pl.String)
_NULLS_LEFT: Any = {"how": "left", "nulls_equal": True}


# On which bill the gateway's requests are.


def owned(meter: pl.DataFrame, keys: pl.DataFrame, routes: Routes) -> pl.DataFrame:
    """Return the meter's OpenAI rows, models by their undated names, with the bill they are on.

    Adds upstream_connection, project_id, api_key_id and level, as `Routes` gives them.

    Args:
        meter: core.gateway_spend.
        keys: core.api_keys.
        routes: What settings and the registry say together.
    """
    is_of_a_day = pl.col("token_id").is_in(routes.reassigned)
    named = meter.filter(is_openai()).with_columns(
        model=undated_model(routes.own_names), route_day=pl.when(is_of_a_day).then("day")
    )
    named = named.with_columns(has_nameless=(~routes.is_listed()).any().over("day", "model"))
    asked = named.select("token_id", "model", "route_day", "has_nameless").unique()
    routed = [
        routes.of(*one, has_nameless=has_nameless) for *one, has_nameless in asked.iter_rows()
    ]
    found = asked.hstack(pl.DataFrame(routed, schema=_ROUTE, orient="row"))
    known = keys.select(
        api_key_id="id", key_connection="connection", key_project_id="project_id"
    ).unique("api_key_id", keep="none")
    return (
        named.join(found, on=asked.columns, **_NULLS_LEFT)
        .join(known, on="api_key_id", how="left")
        .with_columns(
            upstream_connection=pl.coalesce("upstream_connection", "key_connection"),
            project_id=pl.coalesce("key_project_id", "project_id"),
        )
        .drop("key_connection", "key_project_id", "route_day", "has_nameless")
    )


# Which lines of the bill are the gateway's.


def is_declared_key(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare a row's api_key_id to be one of the gateway's."""
    keys = [one.api_key_id for one in upstreams if one.api_key_id]
    return pl.col("api_key_id").is_in(keys).fill_null(False)


def is_declared_project(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare all keys of a row's project_id to be the gateway's."""
    projects = [one.project_id for one in upstreams if one.project_id and not one.api_key_id]
    return pl.col("project_id").is_in(projects).fill_null(False)


def coverage_by_token(
    rows: pl.DataFrame, routes: Routes, metered: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return rows with `level`, `confidence` and `unlisted_since`: what covers them on their day.

    level: `key` where a token names the key or was metered with it, or settings declare it and a
    token may use it; `gateway` where settings leave tokens several keys for the model, which are
    compared together; `project` where only its project is named or declared; `unmapped` where
    settings declare either and leave open what was metered for it; null where nothing covers it.
    unlisted_since: the day after the last token that named the key counted.

    Args:
        rows: day, project_id, api_key_id and model (its undated name), and more.
        routes: What settings and the registry say together.
        metered: `owned`, of the days of the rows; None to go by the lists of tokens alone.
    """
    names_project = pl.col("openai_api_key_id").is_null() & (pl.col("mapping") != DECLARED)
    of_projects = routes.tokens.filter(names_project)
    found = (
        rows.join(_nameless(metered, routes), on=["day", "model"], **_NULLS_LEFT)
        .with_columns(pl.col("has_nameless").fill_null(False))
        .join(_named(rows, routes.tokens, "api_key_id"), on=["day", "api_key_id"], how="left")
        .join(_named(rows, of_projects, "project_id"), on=["day", "project_id"], how="left")
        .join(_used(metered, "key", "api_key_id"), on=["day", "api_key_id"], how="left")
        .join(_used(metered, "project", "project_id"), on=["day", "project_id"], how="left")
        .pipe(_with_declared, routes, "api_key_id")
        .pipe(_with_declared, routes, "project_id")
    )
    level = _level(routes)
    since = pl.when(level.is_null()).then(pl.col("api_key_id_until") + pl.duration(days=1))
    made = found.with_columns(
        level=level, confidence=_confidence(routes, level), unlisted_since=since
    )
    return made.select(*rows.columns, "level", "confidence", "unlisted_since")


def _nameless(metered: pl.DataFrame | None, routes: Routes) -> pl.DataFrame:
    """Return the days and models with requests of no listed token: day, model, has_nameless."""
    schema = {"day": pl.Date, "token_id": pl.String, "model": pl.String}
    requests = pl.DataFrame(schema=schema) if metered is None else metered
    nameless = requests.filter(~routes.is_listed()).select("day", "model").unique()
    return nameless.with_columns(has_nameless=pl.lit(value=True))


def _with_declared(rows: pl.DataFrame, routes: Routes, column: str) -> pl.DataFrame:
    """Return rows with the level at which their declared key or project is: declared_<id>."""
    asked = rows.select("model", "has_nameless").unique()
    levels = [
        (model, has_nameless, ref, level)
        for model, has_nameless in asked.iter_rows()
        for ref, level in routes.levels(model, has_nameless=has_nameless).items()
    ]
    on = ["model", "has_nameless", column]
    types = (pl.String, pl.Boolean, pl.String, pl.String)
    schema = dict(zip((*on, f"declared_{column}"), types, strict=True))
    return rows.join(pl.DataFrame(levels, schema=schema, orient="row"), on=on, **_NULLS_LEFT)


def _level(routes: Routes) -> pl.Expr:
    has_key = pl.col("api_key_id").is_not_null()
    declares_key = is_declared_key(routes.upstreams)
    declares_project = is_declared_project(routes.upstreams) & has_key
    may_use_key = is_declared_key(routes.answering) | (
        declares_key & pl.col("api_key_id_confidence").is_not_null()
    )
    is_open = (pl.col("declared_project_id") == "unmapped").fill_null(False)
    may_use_project = is_declared_project(routes.answering) & ~is_open
    return (
        pl.when(pl.col("declared_api_key_id") != "key")
        .then("declared_api_key_id")
        .when(_is_known("api_key_id") | may_use_key)
        .then(pl.lit("key"))
        .when((_is_known("project_id") | may_use_project) & has_key)
        .then(pl.lit("project"))
        .when(declares_key | declares_project)
        .then(pl.lit("unmapped"))
    )


def _confidence(routes: Routes, level: pl.Expr) -> pl.Expr:
    """Return how surely a row is the gateway's: a token names it, or settings declare it."""
    named = pl.when(_is_known("api_key_id")).then("api_key_id_confidence")
    declared = pl.when(is_declared_key(routes.upstreams)).then(pl.lit("medium"))
    covered = pl.when(level.is_not_null()).then(pl.lit("low")).otherwise(pl.lit("none"))
    return pl.coalesce(named, declared, covered)


def _named(rows: pl.DataFrame, tokens: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the days on which rows have keys or projects that tokens name, at any time.

    Adds to day and id: is_listed, whether a token that names it counts on the day; confidence, of
    those that do, or else of all; until, when the last one before the day ended.
    """
    order = pl.col("confidence").replace_strict(CONFIDENCE_ORDER, return_dtype=pl.Int64)
    counts = pl.col("first").le(pl.col("day")).fill_null(True) & pl.col("last").ge(
        pl.col("day")
    ).fill_null(True)
    named = tokens.select(
        "confidence",
        pl.col(f"openai_{column}").alias(column),
        first="counts_from_day",
        last=counts_until(),
    )
    return (
        rows.select("day", column)
        .unique()
        .join(named, on=column)
        .with_columns(is_listed=counts)
        .sort("is_listed", order)
        .group_by("day", column, maintain_order=True)
        .agg(
            pl.col("is_listed").any().alias(f"{column}_is_listed"),
            pl.col("confidence").last().alias(f"{column}_confidence"),
            pl.col("last").filter(pl.col("last") < pl.col("day")).max().alias(f"{column}_until"),
        )
    )


def _used(metered: pl.DataFrame | None, level: str, column: str) -> pl.DataFrame:
    """Return the days and ids of one level that the meter has requests of: <id>_is_used."""
    if metered is None:
        used = pl.DataFrame(schema={"day": pl.Date, column: pl.String})
    else:
        used = metered.filter(pl.col("level") == level).select("day", column).unique()
    return used.with_columns(pl.lit(value=True).alias(f"{column}_is_used"))


def _is_known(column: str) -> pl.Expr:
    """Return whether the gateway is known to have used a key or project on the day.

    A first listing is not a beginning.
    """
    known = pl.any_horizontal(f"{column}_is_listed", f"{column}_is_used")
    return known.fill_null(False)
