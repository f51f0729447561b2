"""What a view of the schema `bi` is, and the columns that several of them share."""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from openai_costs.kernel.redaction import ADDRESS
from openai_costs.tables.contract import Contract


@dataclass(frozen=True)
class View:
    """A view of the schema `bi`.

    Args:
        name: Its name.
        about: What one row is.
        sql: The SELECT behind it.
        columns: What each column holds, with its unit.
    """

    name: str
    about: str
    sql: str
    columns: dict[str, str]


SHARED = {
    "day": "The UTC day the usage was billed on. [UTC day]",
    "month": "First day of the day's calendar month. [UTC day]",
    "connection": "The connection (organization or account) in openai_costs.toml.",
    "provider": "The provider that billed.",
    "project_id": "The project's id; null if the provider named no project.",
    "project": "The project's last known name, or the id where no name is known, or (no "
    "project). Projects with the same name are distinguished by the end of their ids.",
    "api_key_id": "The API key's id; null for spend without a key.",
    "api_key": "The key's last known name, or the id where no name is known, or (no key). Keys "
    "with the same name are distinguished by the end of their ids.",
    "user_id": "The id of the user or service account; null if none is known.",
    "model": "The model; null if none is named.",
    "usage_type": "What was used: input, cached_input, output, ...",
    "team": "The team of these dollars: of the API key, the user or the project, as [[teams]] "
    "defines it; null if none applies.",
    "billed_usd": "Dollars billed, before credits and taxes; rounded to a double. [USD]",
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


def mirrored(name: str, table: type[Contract], *, without: Collection[str] = ()) -> View:
    """Return a view of a mart as it is: exact amounts as doubles, its texts as comments.

    The name of a key or a person may be an e-mail address; only what precedes the @ is shown.

    Args:
        name: The view's name.
        table: The mart.
        without: Columns to leave out.
    """
    described = [one for one in table.describe() if one[0] not in without]
    selected = (_selected(column, kind) for column, kind, *_ in described)
    return View(
        name=name,
        about=" ".join(table.about().split()),
        sql=f"SELECT {', '.join(selected)} FROM {table.full_name()}",  # noqa: S608 - our own names
        columns={
            column: f"{text} [{unit}]" if unit else text for column, _, unit, text, _ in described
        },
    )


def _selected(column: str, kind: pl.DataType) -> str:
    if kind.is_decimal():
        return f"CAST({column} AS DOUBLE) AS {column}"
    if kind == pl.String:
        address = ADDRESS.replace("'", "''")
        return rf"regexp_replace({column}, '{address}', '\1', 'g') AS {column}"
    return column
