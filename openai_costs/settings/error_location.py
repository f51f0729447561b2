"""What is wrong with a settings file, and on which line. Pure.

The standard parser gives lines for broken TOML only; this finds the line of a wrong value too.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

_HEADER = re.compile(r"^\s*\[(?P<double>\[)?\s*(?P<name>[\w.-]+)\s*\]")
_KEY = re.compile(r"^\s*(?P<name>[\w.-]+)\s*=")


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """Return the number of the line that a setting is on, or its section's; None if not found.

    Args:
        text: The settings file.
        where: The path to the setting, as pydantic gives it: ("alerts", "routes", 0, "to").
    """
    best: tuple[int, int] | None = None
    seen: Counter[str] = Counter()
    section: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header["name"]
            position = (seen[name],) if header["double"] else ()
            seen[name] += 1
            section = (*name.split("."), *position)
            path = section
        elif key := _KEY.match(line):
            path = (*section, *key["name"].split("."))
        else:
            continue
        if path == tuple(where[: len(path)]) and (best is None or len(path) > best[0]):
            best = (len(path), number)
    return best[1] if best else None


TEXTS = {
    "missing": "is required",
    "extra_forbidden": "is not a known setting",
    "decimal_parsing": "is not a decimal number; write it as 1000.50, without a currency",
}
"""Our text for an error, by pydantic's type."""


class Objection(NamedTuple):
    """The first error in a file: the path to the setting, and what is wrong with it."""

    where: tuple[int | str, ...]
    text: str


def objection(broken: ValidationError) -> Objection:
    """Return the first objection, in our words where pydantic's are about its own model."""
    first = broken.errors(include_url=False, include_input=False)[0]
    text = TEXTS.get(first["type"], first["msg"].removeprefix("Value error, "))
    return Objection(first["loc"], text)


def first_objection(broken: ValidationError, text: str) -> str:
    """Return the first error of a file: the setting, its line, what is wrong, and what to read."""
    first = objection(broken)
    where = ".".join(map(str, first.where)) or "the file"
    if line := line_of(text, first.where):
        where += f" (line {line})"
    return f"{where}: {first.text}. docs/operations.md#settings lists what is allowed."
