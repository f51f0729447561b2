"""What a budget counts, and what its spend can be split by: SQL for the marts. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.money import MONEY
from openai_costs.kernel.sql_text import literal
from openai_costs.settings import Budget
from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

COLUMNS = {
    "provider": "provider",
    "connection": "connection",
    "project": "project_id",
    "team": "team",
    "user": "user_id",
    "api_key": "api_key_id",
    "model": "model",
}
NAMES = {"project": "project_name", "user": "user_name", "api_key": "api_key_name"}
"""Where the last known name of a scope is, if it has one besides its id."""
OF_PEOPLE = ("team", "user")
"""Scopes that mart.spend does not have: it has no users."""

DAILY = pl.Schema(
    {"day": pl.Date(), "name": pl.String(), "billed_usd": MONEY, "charged_usd": MONEY}
)
"""What a budget counts: dollars per day, those of `is_charged`, and the name of its scope then."""

OF_BUDGETS = pl.Schema({"budget": pl.String(), **DAILY})
"""What each of several budgets counts."""

CHARGED = "sum(billed_usd) FILTER (billed_usd >= 0)"
"""SQL for the dollars of `is_charged`, of which forecasts learn."""

PARTS = pl.Schema(
    {"who": pl.String(), "who_name": pl.String(), "what": pl.String()}
    | dict.fromkeys(("now_usd", "before_usd"), MONEY)
)
"""What the spend of some days consists of, and what that cost on the days compared with."""


KEY_NAMES = pl.Schema({"who": pl.String(), "who_name": pl.String()})
"""What mart.spend calls API keys: mart.spend_attribution has their ids alone."""


class Split(NamedTuple):
    """The dimensions by which the spend of a scope is split.

    Args:
        who: `api_key` or `user`; None where the scope is one itself.
        what: `model` or `usage_type`.
    """

    who: str | None
    what: str = "model"


SPLITS = {
    "team": Split("user"),
    "api_key": Split(None),
    "model": Split("api_key", "usage_type"),
}


def split_of(budget: Budget) -> Split:
    """Return how a budget's spend is split: by key and model, unless its scope is one of these."""
    return SPLITS.get(budget.scope, Split("api_key"))


def table_of(budget: Budget) -> type[Contract]:
    """Return the mart that has a budget's scope."""
    return SpendAttribution if budget.scope in OF_PEOPLE else Spend


class Asked(NamedTuple):
    """What is asked for a budget.

    Args:
        budget: The budget.
        days: The days.
        connections: The connections that it may count.
    """

    budget: Budget
    days: DayRange
    connections: Sequence[str]


def daily_question(asked: Sequence[Asked]) -> str:
    """Return SQL against the `table_of` all these budgets for `OF_BUDGETS`.

    The table is read once, and added up by the ids of the budgets before each takes its part.
    """
    ids = defaultdict[str, set[str]](set)
    for one in asked:
        if one.budget.scope not in ("all", "connection"):
            ids[COLUMNS[one.budget.scope]].update(one.budget.counted)
    names = {name for one in asked if (name := _name_of(one.budget))}
    first, last = min(one.days.first for one in asked), max(one.days.last for one in asked)
    kept = [_only(column, some) for column, some in ids.items()]
    named = [f"max({_no_address(name)}) AS {name}" for name in names]
    parts = " UNION ALL ".join(_daily(*one) for one in asked)
    return (
        "SELECT * FROM (WITH spent AS MATERIALIZED ("  # noqa: S608 - our own names
        f"SELECT {', '.join(['day', 'connection', *kept, *named])}, sum(billed_usd) AS billed_usd, "
        f"{CHARGED} AS charged_usd "
        f"FROM stored WHERE day BETWEEN DATE '{first}' AND DATE '{last}' GROUP BY ALL) {parts}) "
        "ORDER BY budget, day"
    )


def _only(column: str, ids: Iterable[str]) -> str:
    """Return SQL for a column of ids; those that no budget counts are added up as one."""
    counted = ", ".join(map(literal, sorted(ids)))
    return f"CASE WHEN {column} IN ({counted}) THEN {column} END AS {column}"


def _daily(budget: Budget, days: DayRange, connections: Sequence[str]) -> str:
    named = _name_of(budget)
    name = f"max({named})" if named else "CAST(NULL AS VARCHAR)"
    return (
        f"SELECT {literal(budget.name)} AS budget, day, {name} AS name, "  # noqa: S608 - our own names
        "CAST(sum(billed_usd) AS DECIMAL(38, 18)) AS billed_usd, "
        "CAST(sum(charged_usd) AS DECIMAL(38, 18)) AS charged_usd "
        f"FROM spent WHERE day BETWEEN DATE '{days.first}' AND DATE '{days.last}'"
        f"{_of_scope(budget, connections)} GROUP BY day"
    )


def _name_of(budget: Budget) -> str | None:
    """Return the column of the name of a budget's scope; None where it has no name or several."""
    return NAMES.get(budget.scope) if len(budget.counted) == 1 else None


def parts_question(
    budget: Budget, now: Sequence[date], before: Sequence[date], connections: Sequence[str]
) -> str:
    """Return SQL for the columns of PARTS; before_usd is 0 without days to compare with."""
    who, what = split_of(budget)
    column = COLUMNS[who] if who else "NULL"
    name = NAMES[who] if who and f"{who}_name" in table_of(budget).types() else "NULL"
    rows = f"{_among([*now, *before])}{_of_scope(budget, connections)}"
    return (
        f"SELECT CAST({column} AS VARCHAR) AS who, "  # noqa: S608 - our own names
        f"max({_no_address(name)}), {what} AS what, {_sum(now)}, {_sum(before)} "
        f"FROM stored WHERE {rows} "
        "GROUP BY 1, 3 ORDER BY 1, 3"
    )


def key_names_question(
    keys: Sequence[str], connections: Sequence[str], days: Sequence[date]
) -> str:
    """Return SQL against mart.spend for the columns of KEY_NAMES, of some keys on some days."""
    of_connections = f"connection IN ({', '.join(map(literal, connections))})"
    return (
        f"SELECT api_key_id, max({_no_address(NAMES['api_key'])}) "  # noqa: S608 - our own names
        f"FROM stored WHERE {_among(days)} AND {of_connections} "
        f"AND api_key_id IN ({', '.join(map(literal, keys))}) GROUP BY 1 ORDER BY 1"
    )


def _among(days: Sequence[date]) -> str:
    listed = ", ".join(f"DATE '{day}'" for day in days)
    return f"day IN ({listed})" if days else "false"


def _sum(days: Sequence[date]) -> str:
    return f"CAST(coalesce(sum(billed_usd) FILTER ({_among(days)}), 0) AS DECIMAL(38, 18))"


def _no_address(name: str) -> str:
    """Return SQL for a name, null where it is an e-mail address."""
    text = f"CAST({name} AS VARCHAR)"
    return f"CASE WHEN {text} NOT LIKE '%@%' THEN {text} END"


def _of_scope(budget: Budget, connections: Sequence[str]) -> str:
    """Return what a row must have: a connection that is no longer connected is none of these."""
    kept = f" AND connection IN ({', '.join(map(literal, connections))})" if connections else ""
    if budget.connection != "*":
        kept += f" AND connection = {literal(budget.connection)}"
    if budget.counted:
        kept += f" AND {COLUMNS[budget.scope]} IN ({', '.join(map(literal, budget.counted))})"
    return kept
