"""Which OpenAI keys the gateway's registry accounts for, since when and how surely. Pure."""

from collections.abc import Sequence

import polars as pl

from openai_costs.questions.gateway import is_declared_key, is_declared_project
from openai_costs.settings import Upstream

CONFIDENCE_ORDER = {"high": 3, "medium": 2, "low": 1, "none": 0}


def with_registration(
    key_days: pl.DataFrame, tokens: pl.DataFrame, upstreams: Sequence[Upstream] = ()
) -> pl.DataFrame:
    """Return key days with `level`, `confidence` and `unlisted_since`.

    level: `key` where a token names the key, or settings declare it as one of the gateway's;
    `project` where only its project is named or declared; null where neither is. unlisted_since:
    the day after a token that named the key was last listed.

    Args:
        key_days: day, project_id and api_key_id, and more.
        tokens: core.gateway_tokens.
        upstreams: The keys and projects that settings declare, whichever token they answer for.
    """
    by_key = _newest(tokens, "openai_api_key_id", "key")
    has_no_key = pl.col("openai_api_key_id").is_null()
    by_project = _newest(tokens.filter(has_no_key), "openai_project_id", "project")
    found = key_days.join(by_key, left_on="api_key_id", right_on="key_ref", how="left").join(
        by_project, left_on="project_id", right_on="project_ref", how="left"
    )
    has_key = pl.col("api_key_id").is_not_null()
    is_named = _was_listed("key")
    is_by_key = is_named | is_declared_key(upstreams)
    is_by_project = (_was_listed("project") | is_declared_project(upstreams)) & has_key
    level = pl.when(is_by_key).then(pl.lit("key")).when(is_by_project).then(pl.lit("project"))
    confidence = (
        pl.when(is_named)
        .then("key_confidence")
        .when(is_by_key)
        .then(pl.lit("medium"))
        .when(is_by_project)
        .then(pl.lit("low"))
        .otherwise(pl.lit("none"))
    )
    since = pl.when(level.is_null()).then(pl.col("key_until") + pl.duration(days=1))
    made = found.with_columns(level=level, confidence=confidence, unlisted_since=since)
    return made.select(*key_days.columns, "level", "confidence", "unlisted_since")


def _newest(tokens: pl.DataFrame, column: str, what: str) -> pl.DataFrame:
    """Return how long, and how surely, something is named by tokens."""
    surest = pl.col("confidence").sort_by(
        pl.col("confidence").replace_strict(CONFIDENCE_ORDER, return_dtype=pl.Int64)
    )
    return (
        tokens.filter(pl.col(column).is_not_null())
        .group_by(pl.col(column).alias(f"{what}_ref"))
        .agg(
            pl.col("last_seen_day").max().alias(f"{what}_until"),
            pl.col("is_current").any().alias(f"{what}_is_current"),
            surest.last().alias(f"{what}_confidence"),
        )
    )


def _was_listed(what: str) -> pl.Expr:
    """Return whether a token was still listed on the day; a first listing is no beginning."""
    listed = pl.col(f"{what}_is_current") | (pl.col("day") <= pl.col(f"{what}_until"))
    return listed.fill_null(False)
