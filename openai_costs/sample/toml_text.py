"""Tables as the text of a TOML file. Pure."""

import json
from collections.abc import Iterable, Mapping


def tables(name: str, rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Return each table under the same name."""
    return [table(name, one) for one in rows]


def table(name: str, values: Mapping[str, object]) -> str:
    """Return a table with its name, such as `[seats]` or `[[teams]]`."""
    lines = (f"{key} = {_value(value)}\n" for key, value in values.items())
    return f"{name}\n{''.join(lines)}"


def _value(value: object) -> str:
    """Return a value as TOML: texts and lists as JSON writes them, days and numbers as they are."""
    if isinstance(value, (str, list, tuple)):
        return json.dumps(value)
    return str(value)
