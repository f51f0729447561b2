"""Rows of several directories as core.engineers: each person once. Pure.

Within a file the same id, as it is written, or main address is the same person, who is active if
one of the rows is: someone who came back has two. Across files the same main address or OpenAI user
id is the same person, and so is an alias that is a main address elsewhere and that no other row of
its file has. The first file wins, but a person who left according to one directory has left.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TypeVar

import polars as pl

from openai_costs.sources.people.people import Person
from openai_costs.tables.core.engineers import Engineers

Pairs = Iterable[tuple[int, int]]
T = TypeVar("T")


@dataclass
class Merged:
    """People, each once.

    Args:
        people: The people, in the order of their first row.
        overlaps: How many rows were of a person whom an earlier row lists.
    """

    people: list[Person] = field(default_factory=list)
    overlaps: int = 0


def merged(rows: Iterable[Person]) -> Merged:
    """Return the people of some rows, each once."""
    every = list(rows)
    in_files = [_of_one_file(group) for group in _groups(every, _same_in_file(every))]
    people = [_of_several(group) for group in _groups(in_files, _same_across(in_files))]
    return Merged(list(_with_own_ids(people)), len(every) - len(people))


def engineers(people: Iterable[Person]) -> pl.DataFrame:
    """Return core.engineers of people with an id each."""
    rows = [_laid_out(one) for one in people]
    return pl.DataFrame(rows, schema=Engineers.types(), orient="row").sort("person_id")


def _groups(rows: Sequence[Person], pairs: Pairs) -> list[list[Person]]:
    """Return the rows of each person, in order; a pair is of one person."""
    parent = list(range(len(rows)))

    def root(n: int) -> int:
        while parent[n] != n:
            n = parent[n]
        return n

    for one, other in pairs:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    groups: dict[int, list[Person]] = {}
    for n, row in enumerate(rows):
        groups.setdefault(root(n), []).append(row)
    return list(groups.values())


def _same_in_file(rows: Sequence[Person]) -> Pairs:
    yield from _alike(rows, lambda row: f"{_file(row)} {_as_compared(row.person_id)}")
    yield from _alike(rows, lambda row: f"{_file(row)} {_folded(row.email)}" if row.email else None)


def _same_across(people: Sequence[Person]) -> Pairs:
    yield from _alike(people, lambda one: one.openai_user_id)
    yield from _alike(people, lambda one: _folded(one.email) if one.email else None)
    main = {_folded(one.email): n for n, one in enumerate(people) if one.email}
    claims = Counter((_file(one), _folded(alias)) for one in people for alias in one.addresses)
    for n, one in enumerate(people):
        for alias in map(_folded, one.aliases):
            other = main.get(alias, n)
            if claims[_file(one), alias] == 1 and _file(people[other]) != _file(one):
                yield n, other


def _alike(rows: Sequence[Person], key: Callable[[Person], str | None]) -> Pairs:
    """Yield each row with the first one that has the same key."""
    first: dict[str, int] = {}
    for n, row in enumerate(rows):
        if found := key(row):
            yield first.setdefault(found, n), n


def _of_one_file(rows: Sequence[Person]) -> Person:
    """Return the person of some rows of one file: active if one of the rows is."""
    in_order = sorted(rows, key=_is_gone)
    active = [row for row in in_order if not _is_gone(row)]
    return _of_several(in_order)._replace(
        has_left=not active and in_order[0].has_left,
        left_day=None if active else _first(row.left_day for row in in_order),
    )


def _of_several(rows: Sequence[Person]) -> Person:
    addresses = dict.fromkeys(one for row in rows for one in row.addresses)
    main, *others = addresses or (None,)
    return rows[0]._replace(
        place="; ".join(row.place for row in rows),
        name=_first(row.name for row in rows),
        email=main,
        aliases=tuple(others),
        team=_first(row.team for row in rows),
        cost_center=_first(row.cost_center for row in rows),
        has_left=any(row.has_left for row in rows),
        left_day=_first(row.left_day for row in rows),
        openai_user_id=_first(row.openai_user_id for row in rows),
    )


def _with_own_ids(people: Iterable[Person]) -> Iterator[Person]:
    """Yield people with an id of their own that is not an address.

    Two directories may use one id for two people: the later one's carries the name of its file.
    """
    taken: set[str] = set()
    for one in people:
        own = _opaque(one.person_id)
        if own in taken:
            own = f"{PurePath(_file(one)).stem}:{own}"
        wanted, number = own, 2
        while own in taken:
            own, number = f"{wanted}-{number}", number + 1
        taken.add(own)
        yield one._replace(person_id=own)


def _opaque(person_id: str) -> str:
    """Return an id that may be shown, which an address may not."""
    if "@" not in person_id:
        return person_id
    return f"person-{hashlib.sha256(person_id.casefold().encode()).hexdigest()[:16]}"


def _as_compared(person_id: str) -> str:
    """Return an id as it is compared: many directories give ids that differ in case alone."""
    return _folded(person_id) if "@" in person_id else person_id


def _file(row: Person) -> str:
    return row.place.partition(", ")[0]


def _folded(address: str | None) -> str:
    return (address or "").strip().casefold()


def _is_gone(row: Person) -> bool:
    return row.has_left or row.left_day is not None


def _first(values: Iterable[T | None]) -> T | None:
    return next((one for one in values if one), None)


def _laid_out(one: Person) -> tuple[object, ...]:
    return (
        one.person_id,
        one.name or None,
        one.email or None,
        ",".join(one.aliases) or None,
        one.openai_user_id or None,
        one.team or None,
        one.cost_center or None,
        "left" if _is_gone(one) else "active",
        one.left_day,
        True,
        one.place,
    )
