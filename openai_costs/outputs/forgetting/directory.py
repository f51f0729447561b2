"""Finds the person that an id, a name or an address of the command line means, in a home."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.formatting import listed
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.kernel.redaction import has_address
from openai_costs.outputs.forgetting.byte_scan import scan
from openai_costs.outputs.forgetting.people import Person, bare_ids, called, labelled, people
from openai_costs.storage.forgotten import pseudonyms_of
from openai_costs.storage.lake import Lake
from openai_costs.storage.newly_named import people_of_pages
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend_attribution import SpendAttribution

MOST_PEOPLE = 8
LISTS: Mapping[Any, tuple[str, ...]] = {
    Users: ("connection", "id", "name", "email"),
    ServiceAccounts: ("connection", "id", "name"),
    Engineers: ("person_id", "name", "email", "aliases", "openai_user_id"),
    Seats: ("connection", "user_id", "name", "email", "person_id"),
    ApiKeys: ("connection", "owner_id", "owner_name"),
    Invites: ("connection", "email"),
    GatewayTokens: ("connection", "owner_id"),
    SpendAttribution: ("connection", "user_id", "user_name"),
}
"""The tables that name people, and the columns that do."""

KEYS: Mapping[Any, tuple[str, str]] = {
    ApiKeys: ("id", "name"),
    GatewayTokens: ("token_id", "name"),
}
"""The tables of keys, whose ids and names often carry the name of their owner."""


def person_called(home: UPath, text: str, key: SecretStr | None = None) -> Person:
    """Return the person with an id, a name or an address.

    Raises:
        SettingsError: There is no such person, or several; the sentence lists them.
    """
    lake, forgotten = Lake(home).uncounted(), pseudonyms_of(home)
    everyone = people(_frames(lake))
    candidates = called(everyone, text)
    if len(candidates) > 1:
        raise SettingsError(
            f"{text!r} is the name of {len(candidates)} people: "
            f"{listed(list(map(str, candidates)), MOST_PEOPLE, separator='; ')}. Nothing was "
            "changed. Name one by id or address."
        )
    if not candidates and text in _signatures(lake):
        return Person(names={text})
    person = candidates[0] if candidates else _unlisted(home, text, key)
    others = [one for one in everyone if one is not person]
    if forgotten is not None:
        others = list(_without_rest(person, others, forgotten))
    person.add_records(people_of_pages(home), others)
    accounts = list(person.ids)
    if forgotten is not None:
        person.drop(forgotten.gave)
    if not person.texts():
        raise SettingsError(
            f"{text!r} is someone who was forgotten, and nothing in {home} names them. Nothing "
            "was changed."
        )
    for other in others:
        person.share(other.names)
    person.share(lake.read(Projects)["name"])
    for table, columns in KEYS.items():
        is_theirs = pl.col("owner_id").is_in(accounts).fill_null(value=False)
        keys = lake.read(table)
        person.add(labelled(person, keys.filter(is_theirs).select(columns).rows()))
        person.share(keys.filter(~is_theirs)["name"])
    signed = {one for one in _signatures(lake) if set(one.casefold().split()) <= person.words()}
    person.maybe = bare_ids(person, others) | (signed - person.names)
    return person


def _without_rest(
    person: Person, others: Iterable[Person], forgotten: Pseudonyms
) -> Iterator[Person]:
    """Yield the others without the rest of a person who was forgotten before.

    What a later list named anew stands beside the pseudonym of an id or an address.
    """
    known = set(filter(None, map(forgotten.whose, (*person.ids, *person.emails))))
    person.whose = min(known, default=None)
    for other in others:
        if known.isdisjoint(map(forgotten.whose, (*other.ids, *other.emails))):
            yield other
        else:
            person.add(other)


def _frames(lake: Lake) -> Iterator[pl.DataFrame]:
    for table, columns in LISTS.items():
        if table is SpendAttribution:
            schema = table.no_rows().select(columns).schema
            question = f"SELECT DISTINCT {', '.join(columns)} FROM stored"  # noqa: S608 - our own names
            yield lake.ask(table, question, schema)
        else:
            yield lake.read(table).select(columns)


def _signatures(lake: Lake) -> set[str]:
    """Return who muted or takes care of a finding, as they signed."""
    findings = lake.read(Findings)
    return {*findings["muted_by"].drop_nulls(), *findings["acknowledged_by"].drop_nulls()}


def _unlisted(home: UPath, text: str, key: SecretStr | None) -> Person:
    """Return someone whom no table lists: known already, or named in pages alone."""
    before = pseudonyms_of(home)
    is_known = before is not None and before.knows(text)
    person = Person(emails={text}) if has_address(text) else Person(ids={text})
    is_in_pages = has_address(text) and bool(scan(home, [text], key).places)
    if not (is_known or is_in_pages):
        raise SettingsError(
            f"There is no one with the id, name or address {text!r} in {home}. Nothing was changed."
        )
    return person
