"""Whose costs a read has: the organization of the key, and ids that no other has. Pure."""

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.anthropic.costs.endpoints import ORGANIZATION_PART
from openai_costs.sources.anthropic.page_shape import decoded


class _Place(msgspec.Struct):
    workspace_id: str | None = None
    api_key_id: str | None = None


class _Owned(msgspec.Struct):
    """The ids of a row of the analytics API, or of the results of a day of the older report."""

    group: _Place = msgspec.field(default_factory=_Place)
    results: list[_Place] = msgspec.field(default_factory=list)


class _Organization(msgspec.Struct):
    id: str
    name: str | None = None


def accounts(bodies: Mapping[str, bytes]) -> set[str]:
    """Return the organization that the bodies of a read name; none where it was not asked for."""
    with suppress(KeyError, *UNREADABLE):
        return {msgspec.json.decode(bodies[ORGANIZATION_PART], type=_Organization).id}
    return set()


def owned_ids(bodies: Mapping[str, bytes]) -> set[str]:
    """Return the ids in a read that one organization has and no other: workspaces and API keys.

    A user's id is none: one person may be in several organizations.
    """
    places: list[_Place] = []
    with suppress(KeyError, PageRefused):  # what is wrong with a page is said when it is cleaned
        for one in decoded(bodies["ledger"], _Owned, "").data:
            places += [one.group, *one.results]
    return {each for one in places for each in (one.workspace_id, one.api_key_id) if each}
