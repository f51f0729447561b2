"""The sample API: an ASGI application that answers as the vendor's Administration API does.

GET paths only, JSON errors everywhere else. What the organization spent and who belongs to it
comes from `sample/company/organisation.py`; the clock comes from the caller. Its gateway answers
beside it, as a LiteLLM proxy, and so do its accounts at other vendors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from openai_costs.sample.anthropic.routes import anthropic_routes
from openai_costs.sample.api.gateway import gateway_routes
from openai_costs.sample.api.options import USUAL
from openai_costs.sample.api.refusals import RefusalError
from openai_costs.sample.api.requests import RequestHandler
from openai_costs.sample.api.routes import COSTS_PATH, bucket_routes, directory_routes
from openai_costs.sample.faults.faults import NO_FAULTS
from openai_costs.sample.vendors import vendor_routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from openai_costs.sample.api.options import WireOptions
    from openai_costs.sample.company.organisation import Organisation
    from openai_costs.sample.faults.faults import Faults

__all__ = ["COSTS_PATH", "create_app"]


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
    """The sample API over `organization`.

    Args:
        organisation: whose bill, usage and directory to serve.
        now: the current instant, aware; asked once per request.
        faults: what goes wrong on which request (the requests to each endpoint are counted from 1).
        options: where live organizations differ from one another.
    """
    handler = RequestHandler(now, faults, options)
    return Starlette(
        routes=[
            *bucket_routes(organisation, handler),
            *directory_routes(organisation, handler),
            *gateway_routes(organisation, now),
            *anthropic_routes(organisation, now),
            *vendor_routes(organisation, now),
        ],
        exception_handlers={RefusalError: _refused, HTTPException: _no_such_call},
    )
