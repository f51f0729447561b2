"""Which person of the directory an address belongs to: explicit rules, the strictest first. Pure.

Always without surrounding blanks and case. Only where settings say so: a domain that is equivalent
to another, and a `+tag` before the @ that does not count. An address that two people claim matches
neither; a person who left gives way to one who is active.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import polars as pl

from openai_costs.settings import Directory

Form = Callable[[str], str]


@dataclass(frozen=True)
class Match:
    """The person that an address or id belongs to, and the rule that matched."""

    person_id: str
    rule: str


class Matcher:
    """Finds the person behind an address or an OpenAI user id."""

    def __init__(self, engineers: pl.DataFrame, rules: Directory) -> None:
        here = frozenset(engineers.filter(status="active")["person_id"])
        people = engineers.select("person_id", "email", "aliases", "openai_user_id").rows()
        main = [(email, who) for who, email, _, _ in people]
        others = [(one, who) for who, _, aliases, _ in people for one in (aliases or "").split(",")]
        ids = [(user_id, who) for who, _, _, user_id in people]
        self._ids = _index(ids, str, here)
        self._steps: list[tuple[str, Form, dict[str, AbstractSet[str]]]] = [
            ("email", folded, _index(main, folded, here)),
            ("alias", folded, _index(others, folded, here)),
        ]
        for rule, form in _declared(rules):
            self._steps.append((rule, form, _index([*main, *others], form, here)))

    def find(self, email: str | None, user_id: str) -> Match | None:
        """Return the match; None for no person, and for more than one.

        An account without an address is looked for by its id: a login that is a person's alias.
        """
        found = [(rule, who) for rule, who in self._claims(email, user_id) if len(who) == 1]
        return Match(next(iter(found[0][1])), found[0][0]) if found else None

    def is_shared(self, email: str | None, user_id: str) -> bool:
        """Return whether several people of the directory claim an account, so that none has it."""
        return self.find(email, user_id) is None and any(self._claims(email, user_id))

    def _claims(self, email: str | None, user_id: str) -> Iterator[tuple[str, AbstractSet[str]]]:
        """Yield each rule by which someone claims an account, and who does."""
        if who := self._ids.get(user_id):
            yield "openai_user_id", who
        name = email if email and email.strip() else user_id
        for rule, form, index in self._steps:
            if who := index.get(form(name)):
                yield rule, who


def folded(address: str) -> str:
    """Return an address as it is compared: no blanks around it, no case, accents one way."""
    return unicodedata.normalize("NFC", address.strip().casefold())


def _declared(rules: Directory) -> Iterable[tuple[str, Form]]:
    """Yield the rules that settings switch on; the last one applies all of them."""
    domains = {folded(one): folded(other) for one, other in rules.domain_aliases.items()}

    def same_domain(address: str) -> str:
        name, at, domain = folded(address).rpartition("@")
        return f"{name}{at}{domains.get(domain, domain)}"

    def without_tag(address: str) -> str:
        name, at, domain = same_domain(address).rpartition("@")
        return f"{name.partition('+')[0]}{at}{domain}"

    if domains:
        yield "domain", same_domain
    if rules.ignore_plus_tags:
        yield "plus_tag", without_tag


def _index(
    addresses: Sequence[tuple[str | None, str]], form: Form, here: AbstractSet[str]
) -> dict[str, AbstractSet[str]]:
    """Return who claims each address; people who left give way to those who are active."""
    claims: dict[str, set[str]] = {}
    for address, who in addresses:
        if address and address.strip():
            claims.setdefault(form(address), set()).add(who)
    return {address: who & here or who for address, who in claims.items()}
