"""What dbt's sources file says of the published tables, for dbt projects that build on them. Pure.

Not here: where the tables and views come from (reference.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

DATABASE = "openai_costs"
"""What a dbt profile calls the attached file."""


class Described(NamedTuple):
    """A table or view.

    Args:
        schema: core, mart or bi.
        name: Its name.
        about: What one row is.
        columns: What each column holds, by its name.
        required: The columns that are never null.
    """

    schema: str
    name: str
    about: str
    columns: Mapping[str, str]
    required: frozenset[str]


def sources(described: Iterable[Described]) -> dict[str, Any]:
    """Return the content of a dbt sources file: a source for each schema."""
    by_schema: dict[str, list[Described]] = {}
    for one in described:
        by_schema.setdefault(one.schema, []).append(one)
    return {
        "version": 2,
        "sources": [
            {
                "name": f"{DATABASE}_{schema}",
                "database": DATABASE,
                "schema": schema,
                "tables": [_table(one) for one in tables],
            }
            for schema, tables in by_schema.items()
        ],
    }


def _table(one: Described) -> dict[str, Any]:
    return {"name": one.name, "description": one.about, "columns": list(_columns(one))}


def _columns(one: Described) -> Iterator[dict[str, Any]]:
    for name, text in one.columns.items():
        tests = {"data_tests": ["not_null"]} if name in one.required else {}
        yield {"name": name, "description": text} | tests
