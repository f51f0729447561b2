"""The two rooms that answer in buckets of time: costs, and the eleven usage endpoints."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from openai_costs.sample.auth import USAGE_SCOPE
from openai_costs.sample.buckets import cursor_to
from openai_costs.sample.costs_query import parse_costs_query
from openai_costs.sample.costs_wire import costs_page, costs_spans
from openai_costs.sample.entitlements import refuse_unsupported, refuse_users_by_project
from openai_costs.sample.faults import COSTS, USAGE
from openai_costs.sample.refusals import not_found
from openai_costs.sample.spoiled_pages import Answer, Turns
from openai_costs.sample.usage_endpoints import USAGE_ENDPOINTS
from openai_costs.sample.usage_query import parse_usage_query
from openai_costs.sample.usage_wire import usage_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from openai_costs.sample.buckets import Json, Span
    from openai_costs.sample.front_desk import FrontDesk
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.organisation import Organisation
    from openai_costs.sample.query import BucketQuery, Items
    from openai_costs.sample.usage_endpoints import UsageEndpoint

COSTS_PATH: Final = "/v1/organization/costs"


def bucket_routes(organisation: Organisation, desk: FrontDesk) -> Iterator[Route]:
    """The routes of costs and usage."""
    answer_costs = partial(_costs, organisation, desk.options)

    async def get_costs(request: Request) -> Response:
        return await desk.take(request, USAGE_SCOPE, (COSTS,), answer_costs)

    yield Route(COSTS_PATH, get_costs, methods=["GET"])
    for endpoint in USAGE_ENDPOINTS.values():
        yield _usage_route(endpoint, organisation, desk)


def _usage_route(endpoint: UsageEndpoint, organisation: Organisation, desk: FrontDesk) -> Route:
    answer_usage = partial(_usage, endpoint, organisation, desk.options)

    async def get_usage(request: Request) -> Response:
        return await desk.take(request, USAGE_SCOPE, (USAGE, endpoint.name), answer_usage)

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
