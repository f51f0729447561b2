"""The room that knows people and things: the lists of the directory, and single things by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from openai_costs.sample.auth import MANAGEMENT_SCOPE
from openai_costs.sample.directory_lists import (
    DIRECTORY_LISTS,
    PROJECT_SPEND_LIMIT,
    SPEND_LIMIT,
)
from openai_costs.sample.directory_query import list_answer, parse_list_query
from openai_costs.sample.directory_things import spend_limit, things
from openai_costs.sample.faults import DIRECTORY
from openai_costs.sample.query import collected
from openai_costs.sample.refusals import not_found
from openai_costs.sample.spoiled_pages import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from openai_costs.sample.buckets import Json
    from openai_costs.sample.cast import Cast
    from openai_costs.sample.directory_lists import DirectoryList
    from openai_costs.sample.front_desk import FrontDesk
    from openai_costs.sample.organisation import Organisation
    from openai_costs.sample.query import Items

    AnswerTo = Callable[[Cast, DirectoryList, dict[str, str], Items, datetime], Answer]


# What a single thing is looked for among: archived projects and keys of people without access too.
_EVERYTHING: Final[dict[str, Items]] = {
    "projects": [("include_archived", "true")],
    "api_keys": [("owner_project_access", "any")],
}


def directory_routes(organisation: Organisation, desk: FrontDesk) -> Iterator[Route]:
    """The routes of the directory: every list, and every thing in it by its id."""
    for one in DIRECTORY_LISTS:
        yield _route(one.path, _list, one, organisation.cast, desk)
        yield _route(f"{one.path}/{{id}}", _thing, one, organisation.cast, desk)
    for one in (SPEND_LIMIT, PROJECT_SPEND_LIMIT):
        yield _route(one.path, _limit, one, organisation.cast, desk)


def _route(
    path: str, answer_to: AnswerTo, asked: DirectoryList, cast: Cast, desk: FrontDesk
) -> Route:
    async def get(request: Request) -> Response:
        ids: dict[str, str] = request.path_params

        def answer(items: Items, now: datetime) -> Answer:
            return answer_to(cast, asked, ids, items, now)

        return await desk.take(request, MANAGEMENT_SCOPE, (DIRECTORY, asked.name), answer)

    return Route(path, get, methods=["GET"])


def _list(
    cast: Cast, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    query = parse_list_query(items, asked)
    return list_answer(things(cast, asked.name, query, _project_id(cast, ids, now), now), query)


def _thing(
    cast: Cast, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    collected(items, lists=(), scalars=())
    everything = parse_list_query(_EVERYTHING.get(asked.name, []), asked)
    listed = things(cast, asked.name, everything, _project_id(cast, ids, now), now)
    for thing in listed:
        if thing["id"] == ids["id"]:
            return _single(thing)
    raise not_found(f"No {asked.name} with the id '{ids['id']}'.")


def _limit(
    cast: Cast, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    collected(items, lists=(), scalars=())
    found = spend_limit(cast, _project_id(cast, ids, now), now)
    if found is None:
        raise not_found(f"No {asked.name.replace('_', ' ')} is set.")
    return _single(found)


def _single(thing: Json) -> Answer:
    return Answer(thing, [thing], "id" if "id" in thing else "threshold_amount")


def _project_id(cast: Cast, ids: dict[str, str], now: datetime) -> str | None:
    """The project of the path, which must exist; None outside of projects."""
    project_id = ids.get("project_id")
    for project in cast.projects:
        if project.id == project_id and project.created_at <= now:
            return project_id
    if project_id is None:
        return None
    raise not_found(f"No project with the id '{project_id}'.")
