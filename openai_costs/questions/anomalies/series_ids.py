"""What series are called: by the detector, within a connection, in tables and in settings. Pure.

Within a connection a series_id is `key:key_1` or `org`. Across connections it also names the
connection: `key:acme/key_1`, `org:acme/`, `provider:*/openai`.
"""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from openai_costs.questions.series import ID, LEVEL_SEPARATOR
from openai_costs.tables.candidate import EVERY_CONNECTION

WHOLE = "org"
PROVIDER = "provider"
COLUMNS = {
    "project": "project_id",
    "user": "user_id",
    "key": "api_key_id",
    "model": "model",
    "usage_type": "usage_type",
}
"""The column of the ledger for each level below the organization."""
SERIES_KINDS = {WHOLE: "organization", "key": "api_key"}
"""The words of tables and settings for a level, where they differ from the detector's."""


WORDS = {"api_key": "API key"}
"""How people write a series_kind, where replacing its underscores is not enough."""


class SeriesId(NamedTuple):
    """The parts of a series_id that names its connection."""

    level: str
    connection: str
    name: str

    @property
    def within_connection(self) -> str:
        """The series_id without the connection, as the detector knows it."""
        return f"{self.level}{LEVEL_SEPARATOR}{self.name}"


def id_of(level: str, column: str) -> pl.Expr:
    """Return the series_id, within a connection, of a column's values at a level."""
    return pl.concat_str(pl.lit(level + LEVEL_SEPARATOR), column)


def full_id(connection: str, column: str = ID) -> pl.Expr:
    """Return the series_id of a column with its connection in it."""
    parts = pl.col(column).str.splitn(LEVEL_SEPARATOR, 2).struct
    rest = parts.field("field_1").fill_null("")
    return pl.concat_str(parts.field("field_0"), pl.lit(f":{connection}/"), rest)


def id_in(connection: str, level: str, name: str) -> str:
    """Return the series_id, with its connection in it, of a name at a level."""
    return f"{level}{LEVEL_SEPARATOR}{connection}/{name}"


def provider_id(provider: str) -> str:
    """Return the series_id of all connections of a provider."""
    return id_in(EVERY_CONNECTION, PROVIDER, provider)


def parsed(series_id: str) -> SeriesId:
    """Return the parts of a series_id that names its connection."""
    level, _, rest = series_id.partition(LEVEL_SEPARATOR)
    connection, _, name = rest.partition("/")
    return SeriesId(level, connection, name)


def kind_of(level: str) -> str:
    """Return the series_kind that tables and settings use for a level."""
    return SERIES_KINDS.get(level, level)


def level_called(kind: str) -> str:
    """Return the level for a series_kind of tables and settings."""
    levels: Mapping[str, str] = {name: level for level, name in SERIES_KINDS.items()}
    return levels.get(kind, kind)


def series_words(kind: str) -> str:
    """Return how people write a series_kind or a dimension: `API key`, `usage type`."""
    return WORDS.get(kind, kind.replace("_", " "))
