"""The sample API: an ASGI application that answers costs the way the vendor does.

One GET path, JSON errors everywhere else. What the organisation spent comes from
`organisation.py`; the clock comes from the caller.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from openai_costs.sample.auth import authorise
from openai_costs.sample.costs_query import parse_costs_query
from openai_costs.sample.costs_wire import bucket_days, costs_page
from openai_costs.sample.entitlements import refuse_unsupported
from openai_costs.sample.faults import NO_FAULTS
from openai_costs.sample.options import USUAL
from openai_costs.sample.refusals import RefusalError
from openai_costs.sample.spoiled_answers import answer, delay, refuse
from openai_costs.sample.spoiled_pages import spoiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from openai_costs.sample.faults import Faults
    from openai_costs.sample.options import WireOptions
    from openai_costs.sample.organisation import Organisation

COSTS_PATH: Final = "/v1/organization/costs"
# Decimals leave as JSON numbers with every digit they have; no float is ever involved.
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


class _Costs:
    """The costs endpoint and its count of requests, which the faults are numbered by."""

    def __init__(
        self,
        organisation: Organisation,
        now: Callable[[], datetime],
        faults: Faults,
        options: WireOptions,
    ) -> None:
        self._organisation = organisation
        self._now = now
        self._faults = faults
        self._options = options
        self._request_numbers = count(1)

    async def get(self, request: Request) -> Response:
        """Answer one request: faults that refuse first, then the question, then its spoilers."""
        faults = self._faults.striking(next(self._request_numbers))
        await delay(faults, request.scope)
        refuse(faults, has_cursor="page" in request.query_params)
        authorise(request.headers.get("authorization"), self._options)
        now = self._now().astimezone(UTC)
        query = parse_costs_query(request.query_params.multi_items(), now)
        refuse_unsupported(query, self._options)
        page = costs_page(query, self._organisation, now, self._options)
        days = bucket_days(query, now)
        after = (days[-1] if days else query.first_day) + timedelta(days=1)
        return answer(_JSON.encode(spoiled(page, faults, query, after)), faults)


async def _refused(_request: Request, error: Exception) -> Response:
    """A refusal as the vendor's error body."""
    if not isinstance(error, RefusalError):
        raise error
    return JSONResponse(error.body, error.status, error.headers)


async def _no_such_call(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405, in the vendor's error body."""
    if not isinstance(error, HTTPException):
        raise error
    message = f"Invalid URL ({request.method} {request.url.path})"
    body = RefusalError(error.status_code, message, code="unknown_url").body
    return JSONResponse(body, error.status_code, error.headers)


def create_app(
    organisation: Organisation,
    *,
    now: Callable[[], datetime],
    faults: Faults = NO_FAULTS,
    options: WireOptions = USUAL,
) -> Starlette:
    """The sample API over `organisation`.

    Args:
        organisation: whose bill to serve.
        now: the current instant, aware; asked once per request.
        faults: what goes wrong on which request (requests to the costs path count from 1).
        options: where live organisations differ from one another.
    """
    costs = _Costs(organisation, now, faults, options)
    return Starlette(
        routes=[Route(COSTS_PATH, costs.get, methods=["GET"])],
        exception_handlers={RefusalError: _refused, HTTPException: _no_such_call},
    )
