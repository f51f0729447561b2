"""Says what is wrong with a settings file, and on which line. Pure.

The standard parser names lines only where TOML is broken; a wrong value has a line too.
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
        where: The way to the setting, as pydantic gives it: ("alerts", "routes", 0, "to").
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


OUR_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a setting that is known here",
    "decimal_parsing": "is no decimal number; write it like 1000.50, without a currency",
}
"""What pydantic calls otherwise, by its type of error."""


class Objection(NamedTuple):
    """The first thing that is wrong with what a person wrote: the way to it, and why."""

    where: tuple[int | str, ...]
    text: str


def objection(broken: ValidationError) -> Objection:
    """Return the first objection in our words, where pydantic's are about its own model."""
    first = broken.errors(include_url=False, include_input=False)[0]
    text = OUR_WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    return Objection(first["loc"], text)


def sentence(found: Objection, text: str) -> str:
    """Return what is wrong with a file, where, on which line, and what to read."""
    where = ".".join(map(str, found.where)) or "the file"
    if line := line_of(text, found.where):
        where += f" (line {line})"
    return f"{where}: {found.text}. See docs/operations.md#settings for what is allowed."
