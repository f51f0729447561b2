"""A person as a directory lists one: ids, addresses, status, days. Pure."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from openai_costs.kernel.redaction import ADDRESS, has_address, redacted

LEFT = frozenset({"left", "inactive", "terminated", "suspended", "deprovisioned", "archived"})
STAYING = frozenset(
    {"", "active", "true", "yes", "1", "enabled", "staged", "provisioned", "hired", "pending"}
    | {"recovery", "password expired", "locked out", "password reset"}
    | {"on leave", "leave", "leave of absence", "parental leave", "sabbatical", "paid leave"}
)
"""Words of current employees; among them the states of Okta and Workday's leaves."""
AWAY = (
    LEFT
    | {"false", "no", "0", "disabled", "deleted", "offboarded", "blocked"}
    | {
        *("retired", "resigned", "departed", "dismissed", "separated", "deceased", "former"),
    }
)

_WHOLE_ADDRESS = re.compile(ADDRESS)


class Person(NamedTuple):
    """A person that a directory lists.

    Args:
        place: The file and the place in it.
        person_id: The directory's id; an address where it has none.
        name: Their name.
        email: Their main address.
        aliases: Other addresses.
        team: Their team.
        cost_center: Their cost center.
        has_left: Whether they have left.
        left_day: Since when.
        openai_user_id: Their id at OpenAI, where the directory names it.
        remarks: What could not be used about them.
    """

    place: str
    person_id: str
    name: str | None = None
    email: str | None = None
    aliases: tuple[str, ...] = ()
    team: str | None = None
    cost_center: str | None = None
    has_left: bool = False
    left_day: dt.date | None = None
    openai_user_id: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, the main one first."""
        return (self.email, *self.aliases) if self.email else self.aliases


class SetAside(NamedTuple):
    """A row that is not a usable person.

    Args:
        place: The file and the place in it.
        why: What is wrong with it.
        addresses: The addresses in it: no one is judged by a row that could not be used.
    """

    place: str
    why: str
    addresses: tuple[str, ...] = ()

    def as_person(self) -> Person | None:
        """Return a person with the row's addresses and nothing else; None without any."""
        if not self.addresses:
            return None
        first, *others = self.addresses
        return Person(self.place, first, email=first, aliases=tuple(others))


class Group(NamedTuple):
    """A team that lists its members, or an entry that is not a person at all.

    Args:
        team: The team's name.
        members: Their ids.
    """

    team: str
    members: tuple[str, ...] = ()


Row = Person | SetAside | Group


class Status(NamedTuple):
    """Whether a person has left, and since when.

    Args:
        has_left: Whether they have.
        left_day: Since when.
        remarks: Words and days that are unknown: such a person counts as active.
    """

    has_left: bool
    left_day: dt.date | None
    remarks: tuple[str, ...]


def status_of(word: str | None, left_day: str | None = None) -> Status:
    """Return the status that a directory's words mean."""
    folded = re.sub(r"[\s_-]+", " ", (word or "").strip().casefold())
    remarks = []
    if folded not in STAYING and folded not in AWAY:
        known = ", ".join(sorted(LEFT))
        remarks.append(f"the status {redacted(word or '')!r} is unknown; use active, {known}")
    day = None
    if left_day and (day := _day(left_day)) is None:
        remarks.append(f"{redacted(left_day)!r} is not a day; write days as 2026-03-10")
    return Status(folded in AWAY, day, tuple(remarks))


def addresses_in(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Return every address in some texts, each once."""
    found = (match[0] for text in texts for match in _WHOLE_ADDRESS.finditer(text or ""))
    return tuple(dict.fromkeys(found))


def listed_addresses(text: str | None) -> tuple[str, ...]:
    """Return the addresses in a list with commas, semicolons, blanks or lines between them."""
    return tuple(one for one in re.split(r"[,;\s]+", text or "") if one)


def person(base: Person, others: Sequence[str | None] = ()) -> Person:
    """Return a person with a main address wherever one is known, and the other addresses once.

    An id that is an address is one of theirs too.

    Args:
        base: The person as listed.
        others: Further addresses.
    """
    known = [base.email, *base.aliases, *others]
    if has_address(base.person_id):
        known.append(base.person_id)
    first, *rest = dict.fromkeys(one.strip() for one in known if one and one.strip()) or (None,)
    return base._replace(email=first, aliases=tuple(rest))


def full_name(*names: str | None) -> str | None:
    """Return the first name of those given that is not empty."""
    return next((name.strip() for name in names if name and name.strip()), None)


def joined_name(first: str | None, last: str | None) -> str:
    """Return given and family name as one."""
    return f"{first or ''} {last or ''}".strip()


def _day(text: str) -> dt.date | None:
    try:
        return dt.datetime.fromisoformat(text.replace("/", "-")).date()
    except ValueError:
        return None
