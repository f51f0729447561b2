"""One frame for every table and chart: dollars per dimension, connection, day and member. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

from openai_costs.report.names import shown_names


class Cut(NamedTuple):
    """A dimension and where it comes from."""

    id: str
    title: str
    table: str
    key: str
    name: str
    nobody: str


CUTS: Final = (
    Cut("project", "Project", "spend", "project_id", "project_name", "(no project)"),
    Cut("user", "User", "by_user", "user_id", "user_name", "(no user)"),
    Cut("team", "Team", "by_user", "team", "team", "(no team)"),
    Cut("key", "API key", "spend", "api_key_id", "api_key_name", "(no key)"),
    Cut("model", "Model", "spend", "model", "model", "(no model)"),
    Cut("usage_type", "Usage type", "spend", "usage_type", "usage_type", "(no usage type)"),
)


def cells(spend: pl.DataFrame, by_user: pl.DataFrame) -> pl.DataFrame:
    """Return dimension, connection, day, member (its id, "" for none), billed_usd (exact).

    Args:
        spend: mart.spend.
        by_user: mart.spend_by_user.
    """
    tables = {"spend": spend, "by_user": by_user}
    return pl.concat(
        tables[cut.table]
        .group_by(
            pl.lit(cut.id).alias("dimension"),
            "connection",
            "day",
            pl.col(cut.key).fill_null("").alias("member"),
        )
        .agg(pl.col("billed_usd").sum())
        for cut in CUTS
    )


def member_names(spend: pl.DataFrame, by_user: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return what to call each member, by dimension and id."""
    tables = {"spend": spend, "by_user": by_user}
    return {cut.id: shown_names(_newest(tables[cut.table], cut), cut.nobody) for cut in CUTS}


def _newest(table: pl.DataFrame, cut: Cut) -> dict[str, str | None]:
    """The newest name of each id; a renamed project goes by what it is called today."""
    key, name = pl.col(cut.key).fill_null(""), pl.col(cut.name)
    newest = (
        table.select("day", key.alias("key"), name.alias("name"))
        .sort("key", "day", "name")
        .group_by("key", maintain_order=True)
        .agg(pl.col("name").drop_nulls().last())
    )
    return dict(newest.iter_rows())
