"""Reading the question: the parameters of the directory's lists, and the page they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from openai_costs.sample.api.query import choice, collected, limit
from openai_costs.sample.api.refusals import bad_request
from openai_costs.sample.faults.corrupted import Answer, Turns

if TYPE_CHECKING:
    from openai_costs.sample.api.buckets import Json
    from openai_costs.sample.api.directory_lists import DirectoryList
    from openai_costs.sample.api.query import Items

Access = Literal["active", "inactive", "any"]
_DEFAULT_LIMIT: Final = 20
_LARGEST_LIMIT: Final = 100
_PAGING: Final = frozenset({"limit", "after"})


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One valid question to a list.

    Attributes:
        after: the last id of the page before.
        limit: how many things a page may hold.
        include_archived: whether archived projects are wanted too.
        access: which keys are wanted, by their owners' access; None is not the same as any.
        emails: the only users wanted; none means all.
        is_newest_first: the order, by when things were made.
    """

    after: str | None
    limit: int
    include_archived: bool
    access: Access | None
    emails: frozenset[str]
    is_newest_first: bool


def parse_list_query(items: Items, asked: DirectoryList) -> ListQuery:
    """The question in decoded query `items`; raises a 400 if it is bad."""
    lists = asked.parameters & {"emails"}
    scalars = (asked.parameters | _PAGING) - lists
    values = collected(items, lists=lists, scalars=scalars)
    archived = choice(values, "include_archived", ("true", "false"), "false")
    access = choice(values, "owner_project_access", ("active", "inactive", "any"), None)
    return ListQuery(
        after=values["after"][0] if "after" in values else None,
        limit=limit(values, default=_DEFAULT_LIMIT, largest=_LARGEST_LIMIT, of="things"),
        include_archived=archived == "true",
        access=cast("Access | None", access),
        emails=frozenset(values.get("emails", ())),
        is_newest_first=choice(values, "order", ("asc", "desc"), "asc") == "desc",
    )


def list_answer(things: list[Json], query: ListQuery) -> Answer:
    """One page of a list that is in order, oldest first."""
    ordered = things[::-1] if query.is_newest_first else things
    first = _behind(ordered, query.after)
    shown = ordered[first : first + query.limit]
    last: str | None = shown[-1]["id"] if shown else None
    body = {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": last,
        "has_more": len(ordered) > first + query.limit,
    }
    return Answer(body, list(shown), "id", Turns("last_id", query.after or last, last))


def _behind(things: list[Json], after: str | None) -> int:
    """Where the page after an id begins."""
    if after is None:
        return 0
    for place, thing in enumerate(things, start=1):
        if thing["id"] == after:
            return place
    raise bad_request(f"There is nothing with the id '{after}' in this list.", "after")
