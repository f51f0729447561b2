"""Routes of the directory: its lists and single objects; and of costs and usage, by day."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from openai_costs.sample.api.buckets import cursor_to
from openai_costs.sample.api.costs import costs_page, costs_spans, parse_costs_query
from openai_costs.sample.api.directory import list_answer, parse_list_query
from openai_costs.sample.api.directory_entries import spend_limit, things
from openai_costs.sample.api.directory_lists import (
    DIRECTORY_LISTS,
    PROJECT_SPEND_LIMIT,
    SPEND_LIMIT,
)
from openai_costs.sample.api.query import collected
from openai_costs.sample.api.refusals import bad_request, not_found
from openai_costs.sample.api.requests import MANAGEMENT_SCOPE, USAGE_SCOPE
from openai_costs.sample.api.usage import parse_usage_query, usage_page
from openai_costs.sample.api.usage_endpoints import USAGE_ENDPOINTS
from openai_costs.sample.faults.corrupted import Answer, Turns
from openai_costs.sample.faults.faults import COSTS, DIRECTORY, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from openai_costs.sample.api.buckets import Json, Span
    from openai_costs.sample.api.directory_lists import DirectoryList
    from openai_costs.sample.api.options import WireOptions
    from openai_costs.sample.api.query import BucketQuery, Items
    from openai_costs.sample.api.requests import RequestHandler
    from openai_costs.sample.api.usage_endpoints import UsageEndpoint
    from openai_costs.sample.company.fixtures import Fixtures
    from openai_costs.sample.company.organisation import Organisation

    AnswerTo = Callable[[Fixtures, DirectoryList, dict[str, str], Items, datetime], Answer]


# What a single thing is looked for among: archived projects and keys of people without access too.
_EVERYTHING: Final[dict[str, Items]] = {
    "projects": [("include_archived", "true")],
    "api_keys": [("owner_project_access", "any")],
}


def directory_routes(organisation: Organisation, handler: RequestHandler) -> Iterator[Route]:
    """The routes of the directory: every list, and every thing in it by its id."""
    for one in DIRECTORY_LISTS:
        yield _route(one.path, _list, one, organisation.fixtures, handler)
        yield _route(f"{one.path}/{{id}}", _thing, one, organisation.fixtures, handler)
    for one in (SPEND_LIMIT, PROJECT_SPEND_LIMIT):
        yield _route(one.path, _limit, one, organisation.fixtures, handler)


def _route(
    path: str,
    answer_to: AnswerTo,
    asked: DirectoryList,
    fixtures: Fixtures,
    handler: RequestHandler,
) -> Route:
    async def get(request: Request) -> Response:
        ids: dict[str, str] = request.path_params

        def answer(items: Items, now: datetime) -> Answer:
            return answer_to(fixtures, asked, ids, items, now)

        return await handler.take(request, MANAGEMENT_SCOPE, (DIRECTORY, asked.name), answer)

    return Route(path, get, methods=["GET"])


def _list(
    fixtures: Fixtures, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    query = parse_list_query(items, asked)
    return list_answer(
        things(fixtures, asked.name, query, _project_id(fixtures, ids, now), now), query
    )


def _thing(
    fixtures: Fixtures, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    collected(items, lists=(), scalars=())
    everything = parse_list_query(_EVERYTHING.get(asked.name, []), asked)
    listed = things(fixtures, asked.name, everything, _project_id(fixtures, ids, now), now)
    for thing in listed:
        if thing["id"] == ids["id"]:
            return _single(thing)
    raise not_found(f"No {asked.name} with the id '{ids['id']}'.")


def _limit(
    fixtures: Fixtures, asked: DirectoryList, ids: dict[str, str], items: Items, now: datetime
) -> Answer:
    collected(items, lists=(), scalars=())
    found = spend_limit(fixtures, _project_id(fixtures, ids, now), now)
    if found is None:
        raise not_found(f"No {asked.name.replace('_', ' ')} is set.")
    return _single(found)


def _single(thing: Json) -> Answer:
    return Answer(thing, [thing], "id" if "id" in thing else "threshold_amount")


def _project_id(fixtures: Fixtures, ids: dict[str, str], now: datetime) -> str | None:
    """The project of the path, which must exist; None outside of projects."""
    project_id = ids.get("project_id")
    for project in fixtures.projects:
        if project.id == project_id and project.created_at <= now:
            return project_id
    if project_id is None:
        return None
    raise not_found(f"No project with the id '{project_id}'.")


# What this organization may not ask although the question is well formed.


def refuse_unsupported(query: BucketQuery, options: WireOptions) -> None:
    """Raise the vendor's 400 where the options say this organization would get one."""
    floor = options.lookback_floor
    if floor is not None and query.first_day < floor:
        message = f"'start_time' is before {floor}, the oldest day you can report on."
        raise bad_request(message, "start_time", "reporting_lookback_exceeded")
    for dimension, is_accepted in (
        ("api_key_id", options.accepts_api_key_grouping),
        ("api_source", options.accepts_api_source_grouping),
    ):
        if dimension in query.group_by and not is_accepted:
            raise bad_request(f"Results cannot be grouped by '{dimension}' here.", "group_by")


def refuse_users_by_project(query: BucketQuery, options: WireOptions) -> None:
    """Raise the 400 of costs for users by project, where this organization may not ask that."""
    if _combines_user_and_project(query) and not _may_combine(query, options):
        message = "'user_id' cannot be combined with 'project_id' for this time range."
        raise bad_request(message, "group_by")


def _combines_user_and_project(query: BucketQuery) -> bool:
    asks_project = "project_id" in query.group_by or "project_id" in query.filters
    return "user_id" in query.group_by and asks_project


def _may_combine(query: BucketQuery, options: WireOptions) -> bool:
    if options.combine_user == "always":
        return True
    return options.combine_user != "never" and query.first_day >= options.combine_user


# Routes that return buckets of time: costs, and the eleven usage endpoints.

COSTS_PATH: Final = "/v1/organization/costs"


def bucket_routes(organisation: Organisation, handler: RequestHandler) -> Iterator[Route]:
    """The routes of costs and usage."""
    answer_costs = partial(_costs, organisation, handler.options)

    async def get_costs(request: Request) -> Response:
        return await handler.take(request, USAGE_SCOPE, (COSTS,), answer_costs)

    yield Route(COSTS_PATH, get_costs, methods=["GET"])
    for endpoint in USAGE_ENDPOINTS.values():
        yield _usage_route(endpoint, organisation, handler)


def _usage_route(
    endpoint: UsageEndpoint, organisation: Organisation, handler: RequestHandler
) -> Route:
    answer_usage = partial(_usage, endpoint, organisation, handler.options)

    async def get_usage(request: Request) -> Response:
        return await handler.take(request, USAGE_SCOPE, (USAGE, endpoint.name), answer_usage)

    return Route(endpoint.path, get_usage, methods=["GET"])


def _costs(organisation: Organisation, options: WireOptions, items: Items, now: datetime) -> Answer:
    query = parse_costs_query(items, now)
    refuse_unsupported(query, options)
    refuse_users_by_project(query, options)
    page = costs_page(query, organisation, now, options)
    return _paged(page, query, costs_spans(query, now), "amount")


def _usage(
    endpoint: UsageEndpoint,
    organisation: Organisation,
    options: WireOptions,
    items: Items,
    now: datetime,
) -> Answer:
    if endpoint.name in options.without_usage:
        raise not_found(f"Invalid URL (GET {endpoint.path})", "unknown_url")
    query = parse_usage_query(items, endpoint, now)
    refuse_unsupported(query, options)
    page = usage_page(query, endpoint, organisation, now, options)
    return _paged(page, query, query.spans(now), endpoint.measures[0])


def _paged(page: Json, query: BucketQuery, spans: Sequence[Span], measure: str) -> Answer:
    """The page, with where its cursor could lead."""
    # Behind the last bucket there is an empty page, and then the end.
    first, behind = (spans[0].start, spans[-1].end) if spans else (query.start_time,) * 2
    turns = Turns(
        "next_page",
        query.page or cursor_to(query, first),
        page["next_page"] or cursor_to(query, behind),
    )
    rows = [result for bucket in page["data"] for result in bucket["results"]]
    return Answer(page, rows, measure, turns)
