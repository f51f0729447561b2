"""Who is meant by an id, a name or an address: people from the lists of all providers. Pure.

The rows of several lists are about one person where they have an id or an address in common. A name
is in common with others, and joins nothing.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from openai_costs.kernel.formatting import listed
from openai_costs.kernel.person_records import Kind, Record
from openai_costs.questions.namesakes import with_tail

IDS = ("id", "user_id", "owner_id", "person_id", "openai_user_id")
NAMES = ("name", "user_name", "owner_name")
EMAILS = ("email", "aliases")
MOST_NAMES = 3
_WORD = re.compile(r"[^\W\d_]{3,}")
"""A part of a name, or of a label that carries one."""


@dataclass
class Person:
    """Someone, by all that names them.

    Args:
        ids: Their ids at providers and in the company's directory.
        names: Their names.
        emails: Their addresses.
        connections: Where they are.
        shared: Those of their names that someone or something else has too.
        maybe: Ids of accounts that may be theirs, and are left.
        whose: What all texts of theirs have in common (kernel/known_texts.py), where they were
            forgotten before.
    """

    ids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    connections: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    maybe: set[str] = field(default_factory=set)
    whose: str | None = field(default=None, init=False, compare=False)

    def __str__(self) -> str:
        """Return whom it is, for a person: `Ada Lovelace (user-ada; connection acme)`."""
        who = listed(sorted(self.names), MOST_NAMES) or "without a name"
        ids = listed(sorted(self.ids) or sorted(self.emails), MOST_NAMES)
        where = f"; connection {', '.join(sorted(self.connections))}" if self.connections else ""
        return f"{who} ({ids}{where})"

    def texts(self) -> list[tuple[Kind, str]]:
        """Return every name, address and id; what is both is an id: the last one counts.

        Findings distinguish a name that others have too by the end of an id.
        """
        marked = {with_tail(name, one) for name in self.names for one in self.ids}
        names = self.names | marked
        kinds: Mapping[Kind, set[str]] = {"name": names, "email": self.emails, "id": self.ids}
        return [(kind, one) for kind, some in kinds.items() for one in sorted(some)]

    def words(self) -> set[str]:
        """Return the words of their names, and of their addresses before the @."""
        accounts = (one.partition("@")[0] for one in self.emails)
        return {word for one in (*self.names, *accounts) for word in _WORD.findall(one.casefold())}

    def share(self, names: Iterable[str | None]) -> None:
        """Note which of their names are among those of others."""
        others = {one.casefold() for one in names if one}
        self.shared |= {one for one in self.names if one.casefold() in others}

    def is_called(self, text: str) -> bool:
        """Return whether an id, a name or an address is theirs, in capitals or not."""
        return text.strip().casefold() in {one.casefold() for _, one in self.texts()}

    def add_records(self, records: Iterable[Record], others: Iterable["Person"]) -> None:
        """Take on the names and addresses that records have beside an id of the person.

        An address alone makes no record theirs, and one that someone else has is not taken: it may
        be handed on from one person to the next.
        """
        known = {one.casefold() for one in self.ids}
        taken = {one.casefold() for other in others for one in other.emails}
        for record in records:
            ids = {cell.text.casefold() for cell, kind in record.items() if kind == "id"}
            if not known.isdisjoint(ids):
                self._add_texts(record, taken)

    def _add_texts(self, record: Record, taken: set[str]) -> None:
        for cell, kind in record.items():
            if kind == "name":
                self.names.add(cell.text)
            elif kind == "email" and cell.text.casefold() not in taken:
                self.emails.add(cell.text)

    def drop(self, is_pseudonym: Callable[[str], bool]) -> None:
        """Leave out what stands in the place of names already."""
        for texts in (self.ids, self.names, self.emails):
            texts -= {one for one in texts if is_pseudonym(one)}

    def add(self, other: "Person") -> None:
        """Take on all that names another row of the same person."""
        for name in ("ids", "names", "emails", "connections"):
            getattr(self, name).update(getattr(other, name))


def people(frames: Iterable[pl.DataFrame]) -> list[Person]:
    """Return everyone that some tables are about.

    Args:
        frames: Any columns of IDS, NAMES, EMAILS, and `connection`.
    """
    by_text: dict[str, Person] = {}
    everyone: dict[int, Person] = {}
    for row in (one for frame in frames for one in frame.iter_rows(named=True)):
        person = _person(row)
        keys = [one.casefold() for one in (*person.ids, *person.emails)]
        for other in {id(by_text[one]): by_text[one] for one in keys if one in by_text}.values():
            person.add(other)
            everyone.pop(id(other), None)
        if keys:
            everyone[id(person)] = person
            by_text |= {one.casefold(): person for one in (*person.ids, *person.emails)}
    return list(everyone.values())


def called(everyone: Sequence[Person], text: str) -> list[Person]:
    """Return who has an id, a name or an address; an id or an address is of one alone."""
    return [one for one in everyone if one.is_called(text)]


def bare_ids(person: Person, everyone: Iterable[Person]) -> set[str]:
    """Return ids that carry a part of someone's name, of accounts without a name or an address.

    GitHub gives the login of an account as its name: that is the id again, and no name.
    """
    words = person.words()
    bare = (one for one in everyone if one is not person and not (one.names - one.ids | one.emails))
    return {text for one in bare for text in one.ids if _carries(text, words)}


def labelled(person: Person, keys: Iterable[tuple[str, str | None]]) -> Person:
    """Return the ids and names of someone's keys that carry a part of their name.

    Args:
        person: Whose keys.
        keys: The id and the name of each.
    """
    words, found = person.words(), Person()
    for key_id, name in keys:
        found.ids |= {key_id} if _carries(key_id, words) else set()
        found.names |= {name} if name and _carries(name, words) else set()
    return found


def _carries(label: str, words: set[str]) -> bool:
    return not words.isdisjoint(_WORD.findall(label.casefold()))


def _person(row: Mapping[str, object]) -> Person:
    values: dict[str, set[str]] = defaultdict(set)
    for kind, columns in (("ids", IDS), ("names", NAMES), ("emails", EMAILS)):
        for column in columns:
            given = str(row.get(column) or "")
            parts = given.split(",") if kind == "emails" else [given]
            values[kind] |= {part.strip() for part in parts if part.strip()}
    where = {str(row["connection"])} if row.get("connection") else set()
    addresses = {one for one in set().union(*values.values()) if "@" in one}
    accounts = values["ids"] | values["emails"]  # an alias may be the name of an account
    return Person(accounts - addresses, values["names"] - addresses, addresses, where)
