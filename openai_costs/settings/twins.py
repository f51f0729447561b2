"""Refuses two connections that settings alone show to read the same organization.

Their costs would be counted twice. What only the pages show: sources/accounts.py.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import httpx

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.connection import Connection
from openai_costs.settings.error_location import line_of
from openai_costs.settings.secrets import SecretPlace


class _Sameness(NamedTuple):
    """Something that two connections may not have in common.

    Args:
        of: Returns it; None where a connection has none.
        shown: Returns what the sentence shows of it in brackets, behind a connection's name.
        what: What two connections have then.
    """

    of: Callable[[Connection], Hashable]
    shown: Callable[[Connection], str]
    what: str


def refuse_same_payer(
    connections: Sequence[Connection], keys: Mapping[SecretPlace, str], file: object, text: str
) -> None:
    """Refuse two connections with one organization, or with one key and one address.

    Args:
        connections: Those of the settings.
        keys: The key that each variable holds now; other places are compared, and not read.
        file: The settings file, for the sentence.
        text: Its text, for the lines.

    Raises:
        SettingsError: Names both connections and their lines; holds no key.
    """
    for sameness in _samenesses(keys):
        seen: dict[Hashable, int] = {}
        for place, one in enumerate(connections):
            mark = None if one.is_sample else sameness.of(one)
            if mark is None or (first := seen.setdefault(mark, place)) == place:
                continue
            both = " and ".join(
                _named(connections[each], each, sameness, text) for each in (first, place)
            )
            raise SettingsError(
                f"{file}: connections {both} have {sameness.what}: their costs would be counted "
                "twice. Remove one of them. For a new key, keep the connection and change its key."
            )


def _samenesses(keys: Mapping[SecretPlace, str]) -> Iterator[_Sameness]:
    def organization(one: Connection) -> Hashable:
        return (one.provider, folded(one.organization_id)) if one.organization_id else None

    def variable(one: Connection) -> Hashable:
        return (one.provider, one.key_place, _address(one)) if one.has_key else None

    def key(one: Connection) -> Hashable:
        held = keys.get(one.key_place)
        return (one.provider, held, _address(one)) if held and one.has_key else None

    yield _Sameness(organization, lambda one: str(one.organization_id), "the same organization_id")
    same_key = "the same key and the same address"
    yield _Sameness(variable, lambda one: str(one.key_place), same_key)
    yield _Sameness(key, lambda one: str(one.key_place), same_key)

    def source(one: Connection, *, has_key: bool) -> Hashable:
        return one.source_mark if one.has_key is has_key else None

    files, proxy = partial(source, has_key=False), partial(source, has_key=True)
    yield _Sameness(files, lambda one: str(one.source_mark), "the same files or profile")
    yield _Sameness(proxy, lambda one: one.base_url, "the same base_url")


def folded(organization: str) -> str:
    """Return an organization to compare: of two that differ in case alone, GitHub knows one."""
    return organization.casefold()


def _address(one: Connection) -> str:
    """Return an address as it is connected to: host in lower case, no default port."""
    return str(httpx.URL(one.base_url)).rstrip("/")


def _named(one: Connection, place: int, sameness: _Sameness, text: str) -> str:
    line = line_of(text, ("connections", place))
    return f"{one.name} ({f'line {line}, ' if line else ''}{sameness.shown(one)})"
