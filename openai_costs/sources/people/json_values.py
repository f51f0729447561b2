"""Parts and texts of parsed JSON and YAML, whatever a directory left out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Item = Mapping[str, Any]


def part(of: Item, name: str) -> Item:
    """Return an object within another; an empty one where it is something else."""
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def items(of: Item, name: str) -> list[Any]:
    """Return a list within an object; an empty one where it is something else."""
    found = of.get(name)
    return found if isinstance(found, list) else []


def text(of: Item, *names: str) -> str | None:
    """Return the first of some values as text; None where all are null, empty or no plain value."""
    for name in names:
        found = of.get(name)
        if isinstance(found, (str, int, float)) and str(found).strip():
            return str(found).strip()
    return None


def texts(values: list[Any], *names: str) -> Iterator[str]:
    """Yield the texts of a list whose entries are texts, or objects with the text in a field."""
    for one in values:
        found = text(one, *names) if isinstance(one, Mapping) else one
        if isinstance(found, str) and found.strip():
            yield found.strip()


def is_true(value: object) -> bool:
    """Return whether a value is true; some directories write "True"."""
    return str(value).casefold() == "true"
