"""The explorer's table as rows, for programs: the same questions as the page's address. Pure.

Dollars are exact; tokens and requests are those of the usage report. Not here: how it is served
(served.py), what the page's script adds up itself (script/query.js).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.outputs.report.dimensions import DIMENSIONS
from openai_costs.outputs.report.facts import TOKEN_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_costs.outputs.report.dimensions import Members
    from openai_costs.outputs.report.explorer_data import Cube

_BY_ID: Final = {one.id: one for one in DIMENSIONS}
_GRAINS: Final = {"day": "1d", "week": "1w", "month": "1mo"}
_SHOWN_ONLY: Final = ("unit", "chart", "sort")
"""Keys of the page's address that change what is drawn, and no row."""
_MILLION: Final = 1_000_000


class Query(NamedTuple):
    """What is asked.

    Args:
        groups: The dimensions to group by, one or two.
        first: The first day; None for the first of all.
        last: The last day; None for the last of all.
        grain: day, week or month for a row per period; empty for one row over all days.
        filters: The ids by dimension, as the page's address has them.
    """

    groups: tuple[str, ...]
    first: date | None
    last: date | None
    grain: str
    filters: Mapping[str, tuple[str, ...]]


class QueryError(Exception):
    """A key or value that is not understood, as a sentence."""


def query_of(parameters: Iterable[tuple[str, str]]) -> Query:
    """Return the question of an address: its keys and values.

    Args:
        parameters: Keys and values; ids of a dimension are joined by commas.

    Raises:
        QueryError: A key or a value is not known.
    """
    given = {key: value for key, value in parameters if value}
    compared = given.pop("compare", "none")
    unknown = sorted(set(given) - {"by", "then", "from", "to", "grain", *_SHOWN_ONLY, *_BY_ID})
    if unknown:
        raise QueryError(f"{unknown[0]} is not a key. Keys: by, then, from, to, grain, {_names()}.")
    if compared != "none":
        raise QueryError(
            f"compare={compared} is of the page alone. Request the other days with from and to."
        )
    groups = tuple(given[key] for key in ("by", "then") if key in given) or ("team",)
    for name in groups:
        if name not in _BY_ID:
            raise QueryError(f"{name} is not a dimension. Dimensions: {_names()}.")
    if given.get("grain", "day") not in _GRAINS:
        raise QueryError(f"{given['grain']} is not a grain. Grains: day, week, month.")
    first, last = _day(given, "from"), _day(given, "to")
    if first and last and first > last:  # as the page takes them
        first, last = last, first
    return Query(
        tuple(dict.fromkeys(groups)),
        first,
        last,
        given.get("grain", ""),
        {key: tuple(given[key].split(",")) for key in _BY_ID if key in given},
    )


def _names() -> str:
    return ", ".join(_BY_ID)


def _day(given: Mapping[str, str], key: str) -> date | None:
    if key not in given:
        return None
    try:
        return date.fromisoformat(given[key])
    except ValueError:
        raise QueryError(f"{key}={given[key]} is not a day: write it as 2026-10-31.") from None


def breakdown(cube: Cube, query: Query) -> pl.DataFrame:
    """Return a row per group, the most dollars first, and per period where a grain is asked for.

    Args:
        cube: What is added up.
        query: The question.

    Returns:
        The period if any; id and name of each group; billed_usd; tokens, requests,
        usd_per_million_tokens, cache_hit_pct and batch_pct, null where nothing is known.
    """
    spend, usage = (_grouped(each, cube.members, query) for each in cube.facts)
    keys = [*(["period"] if query.grain else []), *query.groups]
    usd, tokens = pl.col("billed_usd"), pl.col("tokens")
    is_token, kind = pl.col("usage_type").is_in(TOKEN_TYPES), pl.col("usage_type")
    dollars = spend.group_by(keys).agg(usd.sum(), of_tokens=usd.filter(is_token).sum())
    counts = usage.group_by(keys).agg(
        tokens.sum(),
        pl.col("requests").sum(),
        cacheable=pl.col("cacheable").sum(),
        cached=tokens.filter(kind == "cached_input").sum(),
        batch=tokens.filter(pl.col("service_tier") == "batch").sum(),
    )
    both = dollars.join(counts, on=keys, how="full", coalesce=True)
    rows = both.with_columns(usd.fill_null(0)).select(*keys, usd, *_measures())
    return _named(rows, cube.members, query).sort(*keys[:-1], -usd, keys[-1])


def _grouped(facts: pl.DataFrame, members: Mapping[str, Members], query: Query) -> pl.DataFrame:
    """Return the facts in view, with the page's ids of the groups, and the period if any."""
    day = pl.col("day")
    if query.first:
        facts = facts.filter(day >= query.first)
    if query.last:
        facts = facts.filter(day <= query.last)
    for name, ids in query.filters.items():
        of = members[name]
        keys = [key for key, id_ in zip(of.keys, of.ids, strict=True) if id_ in ids]
        facts = facts.filter(pl.col(_BY_ID[name].column).is_in(keys, nulls_equal=True))
    groups = {name: _page_id(members[name], _BY_ID[name].column) for name in query.groups}
    period = {"period": day.dt.truncate(_GRAINS[query.grain])} if query.grain else {}
    return facts.with_columns(**groups, **period)


def _page_id(of: Members, column: str) -> pl.Expr:
    ids = dict(zip(of.keys[1:], of.ids[1:], strict=True))
    return pl.col(column).replace_strict(ids, default=of.ids[0], return_dtype=pl.String)


def _measures() -> Iterable[pl.Expr]:
    for name in ("tokens", "requests"):
        yield pl.when(pl.col(name) > 0).then(name)
    tokens = pl.when(pl.col("tokens") > 0).then(pl.col("tokens").cast(pl.Float64))
    cacheable = pl.when(pl.col("cacheable") > 0).then("cacheable")
    dollars = pl.when(pl.col("of_tokens") != 0).then(pl.col("of_tokens").cast(pl.Float64))
    yield (dollars * _MILLION / tokens).round(6).alias("usd_per_million_tokens")
    yield (100 * pl.col("cached") / cacheable).round(2).alias("cache_hit_pct")
    yield (100 * pl.col("batch") / tokens).round(2).alias("batch_pct")


def _named(rows: pl.DataFrame, members: Mapping[str, Members], query: Query) -> pl.DataFrame:
    for name in query.groups:
        of = members[name]
        called = dict(zip(of.ids, of.names, strict=True))
        text = pl.col(name).replace_strict(called, return_dtype=pl.String).alias(f"{name}_name")
        rows = rows.with_columns(text)
    first = ["period"] if query.grain else []
    groups = [text for name in query.groups for text in (name, f"{name}_name")]
    return rows.select(*first, *groups, pl.exclude(*first, *groups))
