"""The dimensions of the explorer, and what their members are called. Pure.

A dimension is what dollars can be filtered and grouped by. Its id is its key in the page's address,
its column the one of the facts. Not here: the facts (facts.py), how they are packed (columns.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.kernel.redaction import without_domains
from openai_costs.questions.namesakes import distinguished

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

_LONGEST_NAME: Final = 80


class Dimension(NamedTuple):
    """A dimension.

    Args:
        id: Its key in the address.
        title: What a person calls it.
        column: Its column in the facts.
        none: What dollars without it are called.
        why: Why dollars have none.
    """

    id: str
    title: str
    column: str
    none: str
    why: str


DIMENSIONS: Final = (
    Dimension("provider", "Provider", "provider", "(no provider)", ""),
    Dimension("connection", "Connection", "connection", "(no connection)", ""),
    Dimension(
        "team",
        "Team",
        "team",
        "(no team)",
        "No key, user or project of these dollars is in [[teams]] of openai_costs.toml.",
    ),
    Dimension(
        "project",
        "Project",
        "project_id",
        "(no project)",
        "The bill names no project for these dollars.",
    ),
    Dimension(
        "user",
        "User",
        "user_id",
        "(no user)",
        "The bill names no user, the key has no known owner, and no token usage says who it was.",
    ),
    Dimension(
        "api_key",
        "API key",
        "api_key_id",
        "(no API key)",
        "The bill names no API key: spend in the vendor's own console, or capacity that was bought "
        "in advance.",
    ),
    Dimension(
        "model",
        "Model",
        "model",
        "(no model)",
        "The line of the bill names no model: tools, storage, capacity, or a credit.",
    ),
    Dimension(
        "usage_type",
        "Usage type",
        "usage_type",
        "(no usage type)",
        "The line of the bill was not recognized, or is a credit. Requests have no usage type.",
    ),
    Dimension(
        "service_tier",
        "Service tier",
        "service_tier",
        "(no tier)",
        "The line of the bill names no service tier.",
    ),
)
NONE: Final = "~none"
"""The id in the address of none of a dimension's members."""
COLUMNS: Final = tuple(one.column for one in DIMENSIONS)


class Members(NamedTuple):
    """The members of a dimension: the ids of the tables, those of the page, and their names.

    The first member, at position 0, is none of them: `NONE` in the address.

    Args:
        keys: The id in the tables, by position; None at position 0.
        ids: The id in the address: an e-mail address keeps only what stands before the @.
        names: What it is called, without the same name twice.
    """

    keys: tuple[str | None, ...]
    ids: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def positions(self) -> dict[str, int]:
        """The position of each id of the tables."""
        return {key: i for i, key in enumerate(self.keys) if key is not None}


def members(
    dimension: Dimension,
    keys: Iterable[str | None],
    names: dict[str, str] | None = None,
    connections: dict[str, str] | None = None,
) -> Members:
    """Return the members of a dimension, sorted by id.

    Args:
        dimension: The dimension.
        keys: Ids, in any order and number.
        names: What they were last called, where it is known.
        connections: The first connection that lists each, where one does.
    """
    known = names or {}
    ordered = sorted({key for key in keys if key})
    plain = {key: _short(without_domains(known.get(key, key))) for key in ordered}
    called = distinguished(plain, connections)
    return Members(
        (None, *ordered),
        (NONE, *_addresses(ordered)),
        (dimension.none, *(called[key] for key in ordered)),
    )


def last_names(tables: Sequence[pl.DataFrame], key: str, name: str) -> dict[str, str]:
    """Return what each id was last called, by tables with a day, an id and a name.

    Args:
        tables: Those that know best come last.
        key: The column of the id.
        name: The column of the name.
    """
    known: dict[str, str] = {}
    for table in tables:
        named = table.select("day", key, name).drop_nulls().unique().sort("day", key, name)
        known |= dict(named.select(key, name).iter_rows())
    return known


def _addresses(keys: Sequence[str]) -> list[str]:
    """Return the ids as the page's address has them, each of them once, and none as `NONE`."""
    shown = {NONE: None}
    for number, key in enumerate(keys):
        plain = without_domains(key)
        shown[f"{plain}~{number}" if plain in shown else plain] = None
    return list(shown)[1:]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"
