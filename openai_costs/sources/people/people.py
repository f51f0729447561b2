"""A person as a directory writes one, and many of them as core.engineers. Pure."""

import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.tables.core.engineers import Engineers

LEFT = frozenset({"left", "inactive", "terminated", "suspended", "deprovisioned", "archived"})
STAYING = frozenset({"", "active", "true", "yes", "enabled", "staged", "provisioned"})
AWAY = frozenset({"false", "no", "disabled", "deleted", "offboarded"}) | LEFT


class Person(NamedTuple):
    """Somebody a directory lists.

    Args:
        place: Where they stand.
        person_id: The directory's id; an address where it has none.
        name: Their name.
        email: Their main address.
        aliases: Other addresses.
        team: Their team.
        cost_center: Their cost centre.
        has_left: Whether they are gone.
        left_day: Since when.
        openai_user_id: Their id at OpenAI, where the directory names it.
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


def engineers(people: Iterable[Person]) -> pl.DataFrame:
    """Return core.engineers.

    Raises:
        FileRefused: Two people have the same id.
    """
    known: dict[str, Person] = {}
    for one in (one._replace(person_id=_id_of(one.person_id)) for one in people):
        if one.person_id in known:
            why = f"the person stands at {known[one.person_id].place} already"
            raise FileRefused(one.place, why, "Give every person once, with aliases.")
        known[one.person_id] = one
    rows = [_laid_out(one) for one in known.values()]
    return pl.DataFrame(rows, schema=Engineers.types(), orient="row").sort("person_id")


def _id_of(said: str) -> str:
    """Return an id to hand around, which an address is not."""
    if "@" not in said:
        return said
    return f"person-{hashlib.sha256(said.casefold().encode()).hexdigest()[:16]}"


def has_left(place: str, status: str) -> bool:
    """Return whether a status says that somebody is gone.

    Raises:
        FileRefused: The status is a word we do not know.
    """
    said = status.strip().casefold()
    if said in STAYING or said in AWAY:
        return said in AWAY
    remedy = f"Use one of: active, {', '.join(sorted(LEFT))}."
    raise FileRefused(place, f"the status {status!r} is unknown", remedy)


def day(place: str, text: str | None) -> dt.date | None:
    """Return the day a text names; None for none.

    Raises:
        FileRefused: It is no day.
    """
    if not text:
        return None
    try:
        return dt.datetime.fromisoformat(text.replace("/", "-")).date()
    except ValueError:
        raise FileRefused(place, f"{text!r} is no day", "Write days as 2026-03-10.") from None


def addresses(text: str | None) -> tuple[str, ...]:
    """Return the addresses in a list with commas, semicolons, blanks or lines between them."""
    return tuple(re.split(r"[,;\s]+", text or ""))


def _laid_out(one: Person) -> tuple[object, ...]:
    aliases = ",".join(dict.fromkeys(alias.strip() for alias in one.aliases if alias.strip()))
    is_gone = one.has_left or one.left_day is not None
    return (
        one.person_id,
        one.name or None,
        one.email or None,
        aliases or None,
        one.openai_user_id or None,
        one.team or None,
        one.cost_center or None,
        "left" if is_gone else "active",
        one.left_day,
        True,
        one.place,
    )
