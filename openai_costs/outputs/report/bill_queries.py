"""What the page asks about the rows of the bill, of which there may be millions. Pure.

Not here: who answers (page_bill.py), dollars by all dimensions (facts.py, coarse_facts.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.outputs.report.dimensions import last_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OF_SPEND: Final = ("model", "usage_type")
"""The columns of mart.spend by which the page's sentences tell dollars apart."""
BY_METHOD: Final = ("attribution",)
"""The same of mart.spend_attribution."""

_TEAM: Final = ("connection", "api_key_id", "user_id", "project_id", "team")


class Names(NamedTuple):
    """What the bill says of ids.

    Args:
        called: What each id was last called, by the id of its dimension.
        teams: connection, api_key_id, user_id, project_id, team: each combination once.
    """

    called: Mapping[str, Mapping[str, str]]
    teams: pl.DataFrame


def dollars(rows: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """Return dollars by connection, day and some columns, credits apart from charges."""
    key, usd = ("connection", "day", *columns), pl.col("billed_usd")
    return rows.group_by(*key, is_credit=usd < 0).agg(usd.sum()).select(*key, usd)


def of_spend(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Return queries about what mart.spend calls projects and keys."""
    return [_names(rows, "project"), _names(rows, "api_key")]


def of_attribution(rows: pl.LazyFrame) -> list[pl.LazyFrame]:
    """Return queries about what mart.spend_attribution calls projects and people, and the teams."""
    return [_names(rows, "project"), _names(rows, "user"), rows.select(_TEAM).unique()]


def _names(rows: pl.LazyFrame, dimension: str) -> pl.LazyFrame:
    """Return every name of every id, with the last day on which the id had it."""
    key, name = f"{dimension}_id", f"{dimension}_name"
    named = rows.select("day", key, name).drop_nulls()
    return named.group_by(key, name).agg(pl.col("day").max())


def names_of(spend: Iterable[pl.DataFrame], attribution: Iterable[pl.DataFrame]) -> Names:
    """Return what the answers to the queries of `of_spend` and `of_attribution` say of ids."""
    (of_bill, keys), (projects, users, teams) = spend, attribution
    called = {
        "project": last_names((of_bill, projects), "project_id", "project_name"),
        "user": last_names((users,), "user_id", "user_name"),
        "api_key": last_names((keys,), "api_key_id", "api_key_name"),
    }
    return Names(called, teams)
