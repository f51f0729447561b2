"""What the objects of a JSON page say of people: each object once, by its cells. Pure.

Not here: which cells are of one person (person_records.py), what stands in their place
(json_texts.py).
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from openai_costs.kernel.person_records import FIELDS, PERSONAL, Cell, Record, records

_TEXT = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(
    rf'"(?P<field>{"|".join(sorted(FIELDS))})"\s*:\s*(?P<text>{_TEXT})'
    rf'|(?P<inner>"user"\s*:\s*)\{{|{_TEXT}|[{{}}]'.encode(),
    re.DOTALL,
)
"""A cell, the beginning of an object that says more of whom the one around it is about, any other
text, and where objects begin and end."""

_IS_ABOUT_PEOPLE = re.compile(rf'"(?:{"|".join(sorted(PERSONAL))})"\s*:'.encode())

Cells = tuple[Cell, ...]


class _Object(NamedTuple):
    places: list[int]
    cells: list[Cell]
    is_inner: bool = False

    def may_be_of(self, around: "_Object") -> bool:
        """Return whether it names no one else than the object around it."""
        return self.is_inner and set(_ids(self.cells)) <= set(_ids(around.cells))


def people_in(content: bytes) -> Iterator[Record]:
    """Yield what the objects of a page say of a person each; nothing of what is not JSON."""
    for cells in places_of_cells(content):
        yield from records(cells)


def places_of_cells(content: bytes) -> Mapping[Cells, list[int]]:
    """Return the cells that objects of a page have, and the numbers of the objects with each.

    Objects are numbered by where they begin, from 1.
    """
    found: defaultdict[Cells, list[int]] = defaultdict(list)
    if is_json(content) and _IS_ABOUT_PEOPLE.search(content):
        for one in _objects(content):
            if one.cells:
                found[tuple(one.cells)] += one.places
    return found


def is_json(content: bytes) -> bool:
    """Return whether a page, a file or a line is read as JSON."""
    return content.lstrip()[:1] in (b"{", b"[", b'"')


def text_of(literal: bytes) -> str | None:
    """Return what a text in JSON says; None where it is not text after all."""
    try:
        value = json.loads(literal, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _objects(content: bytes) -> Iterator[_Object]:
    """Yield the objects of a page as they end; one that is inner is yielded with that around it."""
    number, around, said = 0, [_Object([], [])], cache(text_of)
    for match in _PART.finditer(content):
        if match["text"]:
            if text := said(match["text"]):
                around[-1].cells.append(Cell(match["field"].decode(), text))
        elif match[0].endswith(b"{"):
            number += 1
            around.append(_Object([number], [], match["inner"] is not None))
        elif match[0] == b"}" and around[1:]:
            one = around.pop()
            if one.may_be_of(around[-1]):
                around[-1].places.extend(one.places)
                around[-1].cells.extend(one.cells)
            else:
                yield one


def _ids(cells: Iterable[Cell]) -> Iterator[str]:
    return (one.text for one in cells if one.field == "id")
