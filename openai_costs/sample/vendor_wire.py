"""What the wires of the smaller vendors share: a route, a key, an error, numbers of every digit.

Not here: what any of them answers (a folder each).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

Json = dict[str, Any]
_ENCODER = msgspec.json.Encoder(decimal_format="number")
"""An amount is a number on these wires, with every digit that it has."""


class RefusedError(Exception):
    """A refusal.

    Args:
        status: The HTTP status.
        body: The vendor's error body.
    """

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(str(status))
        self.status, self.body = status, body


def json_response(content: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON
    """A response with a body of JSON."""
    return Response(_ENCODER.encode(content), status, media_type="application/json")


def get_route(
    path: str,
    answer: Callable[[Request], Json | Response],
    key: str,
    no_key: Mapping[str, Any],
) -> Route:
    """A route for GET that a bearer of `key` may ask.

    Args:
        path: its path.
        answer: what it answers: a body, or a whole response; raises RefusedError.
        key: the key.
        no_key: the error body for any other key.
    """

    async def get(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {key}":
            return json_response(no_key, 401)
        try:
            found = answer(request)
        except RefusedError as refused:
            return json_response(refused.body, refused.status)
        return found if isinstance(found, Response) else json_response(found)

    return Route(path, get, methods=["GET"])
