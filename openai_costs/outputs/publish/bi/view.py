"""What a view of the schema `bi` is, and the columns that several of them share."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from openai_costs.kernel.redaction import ADDRESS
from openai_costs.kernel.sql_text import literal
from openai_costs.tables.contract import Contract

_ADDRESS: Final = literal(ADDRESS)


@dataclass(frozen=True)
class View:
    """A view of the schema `bi`.

    Args:
        name: Its name.
        about: What one row is.
        sql: The SELECT behind it.
        columns: What each column holds, with its unit.
        answers: The question to come to it with; `bi.start_here` lists them.
    """

    name: str
    about: str
    sql: str
    columns: dict[str, str]
    answers: str


NONE: Final = "(none)"
"""What every view calls a missing team, project, key, user, model, ...: the one word for it."""


def or_none(*columns: str) -> str:
    """Return SQL for the first column that has a value, or `NONE`."""
    return f"coalesce({', '.join(columns)}, '{NONE}')"


SHARED = {
    "day": "The UTC day the usage was billed on. [UTC day]",
    "month": "First day of the day's calendar month. [UTC day]",
    "connection": "The connection (organization or account) in openai_costs.toml.",
    "provider": "The provider that billed.",
    "project_id": "The project's id; null if the provider named no project.",
    "project": "The project's last known name, or the id where no name is known, or "
    "(none). Projects with the same name are distinguished by the end of their ids.",
    "api_key_id": "The API key's id; null for spend without a key.",
    "api_key": "The key's last known name, or the id where no name is known, or (none). Keys "
    "with the same name are distinguished by the end of their ids.",
    "user_id": "The id of the user or service account; null if none is known.",
    "user_label": "The user's last known name, or the id where no name is known, or (none). Users "
    "with the same name are distinguished by the end of their ids.",
    "model": "The model; (none) if none is named.",
    "usage_type": "What was used: input, cached_input, output, ...; (none) if not recognized.",
    "team": "The team of these dollars: of the API key, the user or the project, as [[teams]] "
    "defines it; (none) if none applies.",
    "billed_usd": "Dollars billed, credits and taxes of the bill included; rounded to a double. "
    "[USD]",
    "state": "settled, provisional (may still change) or missing (never read).",
    "is_connected": "Whether the connection is in openai_costs.toml now; false: it is no longer "
    "connected, and its stored days stay. Filter by it for the connections of today.",
    "status": "active, archived, expired, vanished (no longer listed), not_listed (never listed).",
    "created_at": "When it was created; null if unknown. [UTC timestamp]",
    "first_seen_day": "First UTC day it was listed on or had spend. [UTC day]",
    "last_seen_day": "Newest UTC day it was listed on or had spend. [UTC day]",
    "is_current": "Whether the newest complete list contains it.",
    "last_used_at": "When it was last used. [UTC timestamp]",
}


def shared(*names: str) -> dict[str, str]:
    """Return the texts of some shared columns."""
    return {name: SHARED[name] for name in names}


def with_is_connected(view: View) -> View:
    """Return a view of rows by connection whose last column is whether that is there now."""
    connected = "SELECT connection FROM mart.coverage WHERE is_connected"
    mark = f"connection IN ({connected}) AS is_connected"
    return replace(
        view,
        sql=f"SELECT *, {mark} FROM ({view.sql})",  # noqa: S608 - our own words
        columns=view.columns | shared("is_connected"),
    )


def mirrored(
    name: str,
    table: type[Contract],
    answers: str,
    *,
    without: Collection[str] = (),
    labels: Mapping[str, str | None] | None = None,
) -> View:
    """Return a view of a mart as it is: exact amounts as doubles, its texts as comments.

    The name of a key or a person may be an e-mail address; only what precedes the @ is shown.

    Args:
        name: The view's name.
        table: The mart.
        answers: The question to come to it with.
        without: Columns to leave out.
        labels: Columns that are never null: the column that stands in (an id for a name) or None.
            Where that is null too, they are `NONE`.
    """
    named = labels or {}
    described = [one for one in table.describe() if one[0] not in without]
    selected = (_selected(column, kind, named) for column, kind, *_ in described)
    counted = table.counted()
    where = f" WHERE {counted}" if counted else ""
    return View(
        name=name,
        about=" ".join(table.about().split()),
        sql=f"SELECT {', '.join(selected)} FROM {table.full_name()}{where}",  # noqa: S608 - our own names
        columns={
            column: _comment(text, unit, named.get(column, ""))
            for column, _, unit, text, _ in described
        },
        answers=answers,
    )


def _comment(text: str, unit: str, stand_in: str | None) -> str:
    if stand_in != "":
        text = re.sub(r"; null [^;]*\.$", ".", text)
        text = f"{text} Where there is none: {f'{stand_in}, or ' if stand_in else ''}{NONE}."
    return f"{text} [{unit}]" if unit else text


def _selected(column: str, kind: pl.DataType, labels: Mapping[str, str | None]) -> str:
    if kind.is_decimal():
        return f"CAST({column} AS DOUBLE) AS {column}"
    if kind == pl.String:
        shown = column
        if column in labels:
            shown = or_none(*filter(None, (column, labels[column])))
        return rf"regexp_replace({shown}, {_ADDRESS}, '\1', 'g') AS {column}"
    return column
