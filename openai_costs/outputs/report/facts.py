"""The facts of the explorer: dollars, and tokens and requests, by day and every dimension. Pure.

Dollars are those of mart.spend_attribution, tokens and requests those of core.usage. The two stand
apart, because the bill and the usage report name different things; what both name has one spelling.
Not here: how they are packed into the page (columns.py).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from openai_costs.outputs.report.dimensions import COLUMNS
from openai_costs.outputs.report.tiers import CELL, with_tiers
from openai_costs.questions.model_names import canonical_model
from openai_costs.questions.token_kinds import NO_TOKENS, ONLY_INPUT, plain_input
from openai_costs.questions.usage.billable import billed_tier

GRAIN: Final = ("day", *COLUMNS)
TOKEN_TYPES: Final = (
    "input",
    "cached_input",
    "cache_write",
    "cache_write_5m",
    "cache_write_1h",
    "output",
)
"""The usage types that are tokens of requests to a model."""

COUNTS: Final = ("tokens", "cacheable", "requests")

OF_LEDGER: Final = ("user_id", "service_tier", *CELL, "billed_usd")

OF_ATTRIBUTION: Final = (*(name for name in GRAIN if name != "service_tier"), "billed_usd")

_OF_TEAM: Final = (("api_key_id", "user_id", "project_id"), ("user_id",), ("project_id",))


def spend_facts(attribution: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return dollars at the finest grain: the columns of `GRAIN`, texts as Enum, and billed_usd.

    Args:
        attribution: The columns `OF_ATTRIBUTION` of mart.spend_attribution.
        ledger: The columns `OF_LEDGER` of core.spend of the same days.
    """
    rows, lines = _coded(attribution.select(OF_ATTRIBUTION), ledger.select(OF_LEDGER))
    return _summed(with_tiers(rows, lines), "billed_usd")


def usage_facts(usage: pl.DataFrame, owners: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return tokens and requests at the finest grain: `GRAIN` and the columns of `COUNTS`.

    Tokens have a usage type, requests have none. A count that is not known has no row. Cacheable
    tokens are input tokens of which it is known how many were read from a cache.

    Args:
        usage: core.usage.
        owners: connection, api_key_id, owner_id, for usage that has a key and no user.
        teams: connection, api_key_id, user_id, project_id, team: each combination once.
    """
    rows = usage.join(owners, on=["connection", "api_key_id"], how="left").with_columns(
        user_id=pl.coalesce("user_id", "owner_id"),
        model=canonical_model(),
        service_tier=billed_tier(),
    )
    named = _with_team(rows, teams)
    requests = named.with_columns(
        usage_type=pl.lit(None, pl.String),
        tokens=pl.lit(None, pl.Int64),
        cacheable=pl.lit(None, pl.Int64),
        requests=pl.col("num_model_requests"),
    )
    parts = [requests, *(_of_kind(named, kind) for kind in TOKEN_TYPES)]
    columns = [*GRAIN, *COUNTS]
    return _summed(pl.concat([part.select(columns) for part in parts]), *COUNTS)


def _of_kind(rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    elsewhere = NO_TOKENS if kind == "input" else (*ONLY_INPUT, *NO_TOKENS)
    is_cacheable = pl.col("input_cached_tokens").is_not_null() & pl.lit(kind != "output")
    counted = rows.filter(~pl.col("endpoint").is_in(elsewhere)).with_columns(tokens=_counted(kind))
    return counted.with_columns(
        usage_type=pl.lit(kind),
        cacheable=pl.when(is_cacheable).then("tokens"),
        requests=pl.lit(None, pl.Int64),
    )


def _counted(kind: str) -> pl.Expr:
    """Return how many tokens of a kind; timed writes to the cache are kinds of their own."""
    timed = [f"input_{kind}_tokens" for kind in ("cache_write_5m", "cache_write_1h")]
    rest = pl.col("input_cache_write_tokens") - pl.sum_horizontal(timed, ignore_nulls=True)
    # Where the vendor names only the cached part, the rest of all input is plain or written to it.
    rest_of_input = pl.col("input_tokens") - pl.sum_horizontal(
        "input_cached_tokens", "input_cache_write_tokens", ignore_nulls=True
    )
    others = {
        "input": pl.coalesce(plain_input(), rest_of_input),
        "cached_input": pl.col("input_cached_tokens"),
        "cache_write": rest,
        "output": pl.col("output_tokens"),
    }
    return others.get(kind, pl.col(f"input_{kind}_tokens"))


def _with_team(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the team that dollars of the same key, user and project have."""
    teams = []
    for i, columns in enumerate(_OF_TEAM):
        key, name = ["connection", *columns], f"team_{i}"
        of = known.group_by(key).agg(
            pl.when(pl.col("team").n_unique() == 1).then(pl.col("team").first()).alias(name)
        )
        rows = rows.join(of, on=key, how="left", nulls_equal=len(columns) > 1)
        teams.append(name)
    return rows.with_columns(team=pl.coalesce(teams))


def _coded(*tables: pl.DataFrame) -> list[pl.DataFrame]:
    """Return tables whose texts are numbers in the order of the texts, which all tables share."""
    texts = {name for each in tables for name, kind in each.schema.items() if kind == pl.String}
    known = {
        name: pl.concat([each[name] for each in tables if name in each.columns]).unique()
        for name in texts
    }
    kinds = {name: pl.Enum(values.drop_nulls().sort()) for name, values in known.items()}
    return [
        each.cast({name: kind for name, kind in kinds.items() if name in each.columns})
        for each in tables
    ]


def _summed(rows: pl.DataFrame, *measures: str) -> pl.DataFrame:
    """Return the sums at the grain; what adds up to nothing is left out."""
    summed = rows.group_by(GRAIN).agg(pl.col(name).sum() for name in measures)
    is_something = pl.any_horizontal(pl.col(name) != 0 for name in measures)
    return summed.filter(is_something)
