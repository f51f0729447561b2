"""On what the two sides can be matched: a key, a project, or nothing. Pure.

A token whose OpenAI key is known matches that key. Where the gateway knows a project only, all keys
of that project which no token names are matched together. What settings declare to be the
gateway's and no token was ever mapped to is `unmapped`. Everything else has no gateway token.
"""

from collections.abc import Sequence

import polars as pl

from openai_costs.questions.gateway import is_declared_key, is_declared_project
from openai_costs.settings import Upstream


def levelled(
    lines: pl.DataFrame, tokens: pl.DataFrame, upstreams: Sequence[Upstream] = ()
) -> pl.DataFrame:
    """Return bill lines with `level`: key, project, unmapped, or null where no token covers them.

    Lines on the level `project` have no api_key_id left, and are added up.

    Args:
        lines: `billed_lines`.
        tokens: core.gateway_tokens.
        upstreams: The keys and projects that settings declare.
    """
    keys = _listed_until(tokens, "openai_api_key_id").rename({"id": "api_key_id"})
    by_project = tokens.filter(pl.col("openai_api_key_id").is_null())
    projects = _listed_until(by_project, "openai_project_id").rename(
        {"id": "project_id", "until": "project_until", "is_current": "is_current_project"}
    )
    found = lines.join(keys, on="api_key_id", how="left").join(
        projects, on="project_id", how="left"
    )
    has_key = pl.col("api_key_id").is_not_null()
    declared_key = is_declared_key(upstreams) & has_key
    declared_project = is_declared_project(upstreams) & has_key
    was_mapped, was_mapped_project = (
        pl.col(one).is_not_null() for one in ("until", "project_until")
    )
    by_key = _is_listed("until", "is_current") | (declared_key & was_mapped)
    in_project = _is_listed("project_until", "is_current_project")
    level = (
        pl.when(by_key)
        .then(pl.lit("key"))
        .when((in_project & has_key) | (declared_project & was_mapped_project))
        .then(pl.lit("project"))
        .when(declared_key | declared_project)
        .then(pl.lit("unmapped"))
    )
    return _added_up(found.with_columns(level=level), [*lines.columns, "level"])


def _listed_until(tokens: pl.DataFrame, column: str) -> pl.DataFrame:
    return (
        tokens.filter(pl.col(column).is_not_null())
        .group_by(id=pl.col(column))
        .agg(until=pl.col("last_seen_day").max(), is_current=pl.col("is_current").any())
    )


def _is_listed(until: str, is_current: str) -> pl.Expr:
    """Return whether a token was still listed on the day; a first listing is no beginning."""
    return (pl.col(is_current) | (pl.col("day") <= pl.col(until))).fill_null(False)


def _added_up(lines: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    without_key = pl.when(pl.col("level").ne_missing("project")).then(pl.col("api_key_id"))
    sums = ("billed_usd", "billed_tokens")
    grain = [name for name in columns if name not in sums]
    tokens = pl.col("billed_tokens")
    return (
        lines.with_columns(api_key_id=without_key)
        .group_by(grain)
        .agg(
            pl.col("billed_usd").sum(),
            billed_tokens=pl.when(tokens.is_not_null().all()).then(tokens.sum()),
        )
        .select(columns)
    )
