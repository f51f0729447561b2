"""Says on which line of a settings file something is wrong, and in which section. Pure.

The standard parser names lines only where TOML is broken; a wrong value has a line too. Not here:
what is wrong with it (error_texts.py).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

ALLOWED = "docs/operations.md#settings lists what is allowed."
"""Where each sentence about a settings file ends."""

Where = tuple[int | str, ...]
"""The way to a setting, as pydantic gives it: ("alerts", "routes", 0, "to")."""

_HEADER = re.compile(r"^\s*\[(?P<double>\[)?\s*(?P<name>[\w.-]+)\s*\]")
_KEY = re.compile(r"^\s*(?P<name>[\w.-]+)\s*=")


class Objection(NamedTuple):
    """What is wrong with something that a person wrote in the settings.

    Args:
        where: The way to it.
        text: What is wrong with it, without its subject: "must be at least 1".
        other: The way to the setting that it contradicts, where there is one.
    """

    where: Where
    text: str
    other: Where = ()


def sentence(objection: Objection, file: object, text: str) -> str:
    """Return what is wrong with a file, on which line, and where to read what is allowed.

    Args:
        objection: What is wrong.
        file: The file.
        text: Its text.
    """
    line = line_of(text, objection.where)
    other = line_of(text, objection.other) if objection.other else None
    place = f"{file}, line {line}" if line else f"{file}"
    also = f" The other one is on line {other}." if other and other != line else ""
    stop = "" if objection.text.endswith("?") else "."
    return f"{place}: {named(objection.where, text)} {objection.text}{stop}{also} {ALLOWED}"


def line_of(text: str, where: Sequence[str | int]) -> int | None:
    """Return the number of the line that a setting is on, or its section's; None if not found.

    Args:
        text: The settings file.
        where: The way to the setting.
    """
    best: tuple[int, int] | None = None
    for number, path in _paths(text):
        is_on_the_way = path == tuple(where[: len(path)])
        is_list = isinstance(path[-1], int) and path[:-1] == tuple(where)
        if (is_on_the_way or is_list) and (best is None or len(path) > best[0]):
            best = (len(path), number)
    return best[1] if best else None


def _paths(text: str) -> Iterator[tuple[int, Where]]:
    """Yield the number of each line with a header or a setting, and the way to it."""
    seen: Counter[str] = Counter()
    section: Where = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header["name"]
            position = (seen[name],) if header["double"] else ()
            seen[name] += 1
            section = (*name.split("."), *position)
            yield number, section
        elif key := _KEY.match(line):
            yield number, (*section, *key["name"].split("."))


def named(where: Where, text: str) -> str:
    """Return what people call a setting: `[reading] trailing_days`, `[[teams]] users (entry 2)`.

    Args:
        where: The way to it.
        text: The settings file, which shows whether a section is one of several.
    """
    if len(where) <= 1:
        return f"[{where[0]}]" if _is_section(where, text) else str(*where)
    head, rest, is_list = _split(where, text)
    section = ".".join(map(str, head))
    entry = f" (entry {rest[-1] + 1})" if rest and isinstance(rest[-1], int) else ""
    setting = ".".join(one for one in rest if isinstance(one, str))
    return (
        " ".join(filter(None, (f"[[{section}]]" if is_list else f"[{section}]", setting))) + entry
    )


def _is_section(where: Where, text: str) -> bool:
    return any(
        header["name"] == ".".join(map(str, where))
        for header in map(_HEADER.match, text.splitlines())
        if header
    )


def _split(where: Where, text: str) -> tuple[Where, Where, bool]:
    """Return the section of a setting, the rest of the way, and whether it is one of several."""
    number = next((i for i, one in enumerate(where) if isinstance(one, int)), None)
    if number is not None:
        head, rest = where[:number], where[number + 1 :]
        if (rest[:1] and isinstance(rest[0], str)) or _is_section(head, text) or number == 1:
            return head, rest, True
    return where[:1], where[1:], False
