"""What the explorer's script reads: members of dimensions, facts, days, flags, budgets. Pure.

A page that would be too large keeps its finest dimensions together, and says so. Not here: what is
counted (facts.py), how columns are packed (columns.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.coarse_facts import DROPPED_FIRST, MOST_ROWS
from openai_costs.outputs.report.columns import packed
from openai_costs.outputs.report.dimensions import DIMENSIONS, members
from openai_costs.outputs.report.facts import COUNTS, TOKEN_TYPES, spend_facts, usage_facts
from openai_costs.outputs.report.finding_rows import scopes_of
from openai_costs.outputs.report.flags import flags
from openai_costs.outputs.report.forecasts import forecasts
from openai_costs.questions.budgets.running import running
from openai_costs.questions.spend.names import owners

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from openai_costs.outputs.report.dimensions import Dimension, Members
    from openai_costs.outputs.report.page_days import Calendar
    from openai_costs.outputs.report.page_tables import Tables
    from openai_costs.outputs.report.scope import Scope

TOGETHER: Final = "(not kept apart on this page)"

Facts = tuple[pl.DataFrame, pl.DataFrame]
"""Dollars, and tokens and requests."""


def page_facts(tables: Tables) -> tuple[Facts, tuple[Dimension, ...]]:
    """Return the facts that fit into the page, and the dimensions that are kept together for it."""
    if tables.coarse is not None:
        dollars, together = tables.coarse.facts(), tables.coarse.together
        return reduced((dollars, _usage_facts(tables)), MOST_ROWS, together)
    return reduced(facts_of(tables), MOST_ROWS)


def facts_of(tables: Tables) -> Facts:
    """Return the facts at the finest grain."""
    return spend_facts(tables.lines, tables.ledger), _usage_facts(tables)


def _usage_facts(tables: Tables) -> pl.DataFrame:
    return usage_facts(tables.usage, owners(tables.directory), tables.names.teams)


def reduced(
    facts: Facts, most: int, together: Collection[str] = ()
) -> tuple[Facts, tuple[Dimension, ...]]:
    """Return facts that fit into the page, and the dimensions that are kept together for it.

    Args:
        facts: From `facts_of`.
        most: How many rows there may be in both.
        together: The ids of dimensions that are kept together in any case.
    """
    dropped: list[Dimension] = []
    for name in DROPPED_FIRST:
        if name not in together and sum(each.height for each in facts) <= most:
            break
        dimension = next(one for one in DIMENSIONS if one.id == name)
        dropped.append(dimension)
        facts = (_together(facts[0], dimension.column), _together(facts[1], dimension.column))
    dollars, counts = facts
    return (dollars.cast({pl.Enum: pl.String}), counts), tuple(dropped)


def _together(facts: pl.DataFrame, column: str) -> pl.DataFrame:
    if facts[column].null_count() == facts.height:
        return facts
    measures = [name for name in ("billed_usd", *COUNTS) if name in facts.columns]
    rest = [name for name in facts.columns if name not in {column, *measures}]
    summed = facts.group_by(rest).agg(pl.col(name).sum() for name in measures)
    nothing = pl.lit(None, facts.schema[column]).alias(column)
    return summed.with_columns(nothing).select(facts.columns)


def members_of(
    tables: Tables, facts: Iterable[pl.DataFrame], together: Sequence[Dimension] = ()
) -> dict[str, Members]:
    """Return the members of each dimension, by its id, with the names of marts and directory.

    Args:
        tables: The page's tables.
        facts: Dollars, and tokens and requests.
        together: The dimensions that are kept together: all their members are one.
    """
    names, listed = _names(tables), _connections(tables)
    keys = {
        one.id: pl.concat([each[one.column] for each in facts]).unique().to_list()
        for one in DIMENSIONS
    }
    made = {
        one.id: members(one, keys[one.id], names.get(one.id), listed.get(one.id))
        for one in DIMENSIONS
    }
    return made | {one.id: made[one.id]._replace(names=(TOGETHER,)) for one in together}


def _lists(tables: Tables) -> dict[str, tuple[pl.DataFrame, ...]]:
    return {
        "project": (tables.projects,),
        "user": (tables.users, tables.service_accounts),
        "api_key": (tables.api_keys,),
    }


def _connections(tables: Tables) -> dict[str, dict[str, str]]:
    """Return the first connection that lists each project, person and key."""
    return {
        kind: dict(
            pl.concat([each.select("id", "connection") for each in lists])
            .drop_nulls()
            .group_by("id")
            .agg(pl.col("connection").min())
            .iter_rows()
        )
        for kind, lists in _lists(tables).items()
    }


def _names(tables: Tables) -> dict[str, dict[str, str]]:
    listed = _lists(tables)
    known = {
        kind: dict(
            pl.concat([each.select("id", "name") for each in lists]).drop_nulls().iter_rows()
        )
        for kind, lists in listed.items()
    }
    called = tables.names.called
    return {kind: known[kind] | dict(called.get(kind, {})) for kind in known}


class Cube(NamedTuple):
    """Dollars, and tokens and requests, in as many rows as the page may have, and all members."""

    facts: Facts
    members: Mapping[str, Members]


def explorer_data(tables: Tables, cube: Cube, scope: Scope, days: Calendar) -> dict[str, Any]:
    """Return what the script reads, as JSON has it.

    Args:
        tables: The page's tables.
        cube: What is added up.
        scope: The connections of today, with the page's days, at least one.
        days: The state of each day, of every connection.
    """
    (spend, usage), named = cube
    first = scope.days[0]
    return {
        "first": str(first),
        "states": scope.states,
        "read": dict(zip(map(without_domains, days.connections), days.comparable, strict=True)),
        "dimensions": [_dimension(one, named[one.id]) for one in DIMENSIONS],
        "spend": packed(spend, named, first, ["billed_usd"]),
        "usage": packed(usage, named, first, COUNTS),
        "tokenTypes": TOKEN_TYPES,
        "flags": flags(tables.anomalies, tables.findings),
        "budgets": _budgets(tables.budget_status, scope.settled_through),
        "forecasts": forecasts(tables.forecast, named),
    }


def _dimension(one: Dimension, of: Members) -> dict[str, Any]:
    why = one.why if of.names[0] == one.none else ""
    return {"id": one.id, "title": one.title, "why": why, "ids": of.ids, "names": of.names}


def _budgets(status: pl.DataFrame, through: date | None) -> list[dict[str, Any]]:
    """Return the running budgets that one filter describes: their limit is a line of the chart."""
    scopes = scopes_of(status)
    return [
        {
            "name": row["budget"],
            "filter": scopes[row["budget"]],
            "first": str(row["period_start"]),
            "last": str(row["period_end"]),
            "limit": float(row["limit_usd"]),
        }
        for row in running(status, through).iter_rows(named=True)
        if row["budget"] in scopes
    ]
