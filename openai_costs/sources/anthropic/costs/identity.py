"""Whose costs a read has: the organization of the key, and ids that no other has. Pure."""

from contextlib import suppress

import msgspec

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.anthropic.costs.endpoints import ORGANIZATION_PART
from openai_costs.sources.anthropic.page_shape import decoded
from openai_costs.storage.archive import DayRead, KeptRead


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


def accounts(read: DayRead | KeptRead) -> set[str]:
    """Return the organization that a read names; none where it was not asked for."""
    with suppress(KeyError, *UNREADABLE):
        return {msgspec.json.decode(read.bodies[ORGANIZATION_PART], type=_Organization).id}
    return set()


def owned_ids(read: DayRead | KeptRead) -> set[str]:
    """Return the ids in a read that one organization has and no other: workspaces and API keys.

    A user's id is none: one person may be in several organizations.
    """
    places: list[_Place] = []
    with suppress(KeyError, PageRefused):  # what is wrong with a page is said when it is cleaned
        for one in decoded(read.bodies["ledger"], _Owned, "").data:
            places += [one.group, *one.results]
    return {each for one in places for each in (one.workspace_id, one.api_key_id) if each}
