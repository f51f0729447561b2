"""Puts pseudonyms into a page, a file or a line, and keeps every other byte. Pure.

What is JSON is read for its texts and for which of them stand together in an object; a text that is
JSON itself is read the same way. All else is a text for each line.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from openai_costs.kernel.json_people import is_json, places_of_cells, text_of
from openai_costs.kernel.person_records import Cell
from openai_costs.kernel.pseudonyms import Pseudonyms

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)
_IS_KEY = re.compile(rb"\s*:")
_PLAIN_KEY = re.compile(r"[A-Za-z]*(?:_[A-Za-z]+)*")
"""A key that describes: one that is an address, or an id with a number in it, names."""

CHOICES = frozenset(("role", "type", "object", "kind", "status", "state", "access", "scope"))
"""What has a choice of words: "admin" is a role there, and no one's name."""


class _Literal(NamedTuple):
    """A text in JSON.

    Args:
        start: Where it begins.
        end: Where it ends.
        value: What it says; None where it is not text after all.
        holder: The number of the object that it stands in.
        key: What it is the value of; empty for a key.
        is_fixed: Whether it is a key, or a choice of words, that names no one.
    """

    start: int
    end: int
    value: str | None
    holder: int
    key: str
    is_fixed: bool


def with_pseudonyms(content: bytes, people: Pseudonyms) -> bytes:
    """Return a page, a file or a line with pseudonyms.

    What is not text is returned as it is.
    """
    if is_json(content):
        return _json(content, people)
    try:
        lines = content.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return content
    return "".join(people.text(one, people.named([one])) for one in lines).encode()


def _json(content: bytes, people: Pseudonyms) -> bytes:
    beside = _named(content, people) if people.share_names else {}
    theirs = _theirs(content, people)
    parts, end = list[bytes](), 0
    for one in _literals(content):
        if one.value and not one.is_fixed:
            own = theirs.get(one.holder, {}).get(Cell(one.key, one.value))
            after = own or _after(one.value, people, beside.get(one.holder, frozenset()))
            if after != one.value:
                parts += [content[end : one.start], json.dumps(after, ensure_ascii=False).encode()]
                end = one.end
    return b"".join([*parts, content[end:]]) if parts else content


def _theirs(content: bytes, people: Pseudonyms) -> dict[int, dict[Cell, str]]:
    """Return what stands in the place of cells about a forgotten person, by the object's number."""
    found: dict[int, dict[Cell, str]] = {}
    for cells, places in places_of_cells(content).items():
        if new := people.of_cells(cells):
            found |= dict.fromkeys(places, new)
    return found


def _named(content: bytes, people: Pseudonyms) -> dict[int, frozenset[str]]:
    """Return who is named in each object, by its number; those that name no one are left out."""
    named: dict[int, frozenset[str]] = {}
    for one in _literals(content):
        if one.value and (who := people.named([one.value])):
            named[one.holder] = named.get(one.holder, frozenset()) | who
    return named


def _after(value: str, people: Pseudonyms, beside: frozenset[str]) -> str:
    if value.lstrip()[:1] in ("{", "[") and '"' in value:
        return with_pseudonyms(value.encode(errors="replace"), people).decode()
    return people.text(value, beside)


def _literals(content: bytes) -> Iterator[_Literal]:
    holders, objects, key = [0], 0, ""
    values: dict[bytes, str | None] = {}
    for match in _TOKEN.finditer(content):
        if match[0] == b"{":
            objects += 1
            holders.append(objects)
        elif match[0] == b"}":
            holders = holders[:-1] or [0]
        else:
            if match[0] not in values:
                values[match[0]] = text_of(match[0])
            value = values[match[0]]
            is_key = _IS_KEY.match(content, match.end()) is not None
            is_fixed = bool(_PLAIN_KEY.fullmatch(value or "")) if is_key else key in CHOICES
            of = "" if is_key else key
            yield _Literal(match.start(), match.end(), value, holders[-1], of, is_fixed)
            key = (value or "") if is_key else key
