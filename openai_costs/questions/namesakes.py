"""Two projects, keys or people of one name are distinguished by the end of their ids. Pure.

The rule is here once, in Python for sentences and the page, in SQL for views: `Atlas · proj_n3`.
Namesakes whose ids end alike, as the accounts of one person at two providers, have the name of the
connection instead: `Ana · claude`. Those of one connection are numbered in the order of their ids.
Nothing of an id that is an e-mail address is shown but what stands before the @.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import polars as pl

from openai_costs.kernel.redaction import ADDRESS, without_domains
from openai_costs.kernel.sql_text import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Marks = Mapping[tuple[str, str], str]
"""What follows the name of each project, API key and user that has a namesake, by kind and id."""

_TAIL: Final = 6
_DOT: Final = " \u00b7 "
_ADDRESS_IN_SQL: Final = literal(ADDRESS)


def distinguished(
    names: Mapping[str, str], connections: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what to call each id, without the same name twice.

    Args:
        names: The name by id. The empty id stands for "none", and keeps its name.
        connections: The first connection that lists an id, where one does.
    """
    marks = _marks(names, connections or {})
    return {key: f"{name}{marks.get(key, '')}" for key, name in names.items()}


def marks_of(listed: Mapping[str, pl.DataFrame]) -> Marks:
    """Return the marks of everything that has a namesake of its kind.

    Args:
        listed: connection, id and name of all that are listed, by kind: project, api_key, user.
    """
    found: dict[tuple[str, str], str] = {}
    for kind, rows in listed.items():
        named = rows.drop_nulls(["id", "name"]).sort("connection", descending=True)
        names = dict(named.select("id", "name").iter_rows())
        first = dict(named.select("id", "connection").iter_rows())
        found |= {(kind, key): mark for key, mark in _marks(names, first).items()}
    return found


def with_marks(
    rows: pl.DataFrame, name: str, kind: pl.Expr, key: pl.Expr, marks: Marks
) -> pl.DataFrame:
    """Return rows whose names distinguish namesakes; one that is null stays null.

    Args:
        rows: Any rows.
        name: The column of the name.
        kind: Of which kind it is.
        key: Its id.
        marks: The marks.
    """
    if not marks:
        return rows
    schema = dict.fromkeys(("kind", "key", "mark"), pl.String)
    known = pl.DataFrame([(*of, mark) for of, mark in marks.items()], schema, orient="row")
    asked = rows.select(kind=kind, key=key)
    found = asked.join(known, on=["kind", "key"], how="left", maintain_order="left")["mark"]
    return rows.with_columns(pl.concat_str(name, found.fill_null("")).alias(name))


def called(listed: pl.DataFrame, kind: str, marks: Marks) -> dict[str, str]:
    """Return what to call each id of a list, where that has its name.

    Args:
        listed: id and name.
        kind: Of which kind all are.
        marks: The marks.
    """
    named = listed.select("id", "name").drop_nulls().iter_rows()
    return {key: f"{name}{marks.get((kind, key), '')}" for key, name in named}


def with_tail(name: str, key: str) -> str:
    """Return a name with the end of an id."""
    return f"{name}{_DOT}{_tail(key)}"


def _marks(names: Mapping[str, str], connections: Mapping[str, str]) -> dict[str, str]:
    """Return the mark of each id that has a namesake."""
    namesakes: dict[str, list[str]] = defaultdict(list)
    for key in sorted(filter(None, names)):
        namesakes[names[key]].append(key)
    return {
        key: f"{_DOT}{mark}"
        for keys in namesakes.values()
        if len(keys) > 1
        for key, mark in zip(keys, _of_namesakes(keys, connections), strict=True)
    }


def _of_namesakes(keys: Sequence[str], connections: Mapping[str, str]) -> list[str]:
    tails = [_tail(key) for key in keys]
    places = [without_domains(connections.get(key, "")) for key in keys]
    for marks in (tails, places):
        if all(marks) and len(set(marks)) == len(marks):
            return marks
    return [str(i) for i in range(1, len(tails) + 1)]


def _tail(key: str) -> str:
    return without_domains(key)[-_TAIL:]


PEOPLE: Final = """
    SELECT connection, id, arg_min(name, place) AS name
    FROM (SELECT connection, id, name, 0 AS place FROM core.users
          UNION ALL SELECT connection, id, name, 1 FROM core.service_accounts
          UNION ALL SELECT connection, owner_id, arg_max(owner_name, last_seen_day), 2
                    FROM core.api_keys WHERE owner_name IS NOT NULL GROUP BY ALL)
    WHERE id IS NOT NULL AND name IS NOT NULL GROUP BY ALL
"""
"""SQL: the name of each user and service account, as mart.spend_by_user has it."""

NAMESAKES: Final = rf"""
    SELECT kind AS of_kind, id AS of_id,
           any_value('{_DOT}' || CASE WHEN tails = ids THEN tail WHEN places = ids THEN place
                     ELSE nth END) AS mark
    FROM (SELECT kind, id, tail, place,
                 count(DISTINCT place) OVER (PARTITION BY kind, name) AS places,
                 CAST(dense_rank() OVER (PARTITION BY kind, name ORDER BY id) AS VARCHAR) AS nth,
                 count(DISTINCT id) OVER (PARTITION BY kind, name) AS ids,
                 count(DISTINCT tail) OVER (PARTITION BY kind, name) AS tails
          FROM (SELECT kind, id, name,
                       right(regexp_replace(id, {_ADDRESS_IN_SQL}, '\1', 'g'), {_TAIL}) AS tail,
                       min(connection) OVER (PARTITION BY kind, id) AS place
                FROM (SELECT 'project' AS kind, id, name, connection FROM core.projects
                      UNION SELECT 'api_key', id, name, connection FROM core.api_keys
                      UNION SELECT 'user', id, name, connection FROM ({PEOPLE}))
                WHERE name IS NOT NULL))
    WHERE ids > 1 GROUP BY kind, id
"""  # noqa: S608 - our own words
"""SQL: of_kind (project, api_key, user), of_id and mark of everything that has a namesake."""

WITH_NAMESAKES: Final = f"WITH namesakes AS ({NAMESAKES})"
"""SQL: how a view starts that uses `label`."""


def label(kind: str, name: str, key: str, none: str = "") -> str:
    """Return SQL for what a view calls a project, key or user.

    Args:
        kind: project, api_key or user: the namesakes among which it is distinguished.
        name: The column of its name, null where none is known.
        key: The column of its id.
        none: What to call a null id; without it the label is null.
    """
    last, mark = f", '{none}'" if none else "", f"{kind}_namesake.mark"
    # Most names have no namesake: a text of its own for each row would cost more than all the rest.
    marked = f"CASE WHEN {mark} IS NULL THEN {name} ELSE {name} || {mark} END"
    return f"coalesce({marked}, {key}{last})"


def join_namesakes(kind: str, key: str) -> str:
    """Return the SQL join that `label` needs; its view starts with `WITH_NAMESAKES`."""
    alias = f"{kind}_namesake"
    return f"LEFT JOIN namesakes {alias} ON {alias}.of_kind = '{kind}' AND {alias}.of_id = {key}"
