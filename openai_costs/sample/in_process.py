"""The sample API without a socket: an httpx transport that calls the application directly.

Failures look as they would over a network: a cut body is a protocol error, a slow answer is a
read timeout (at once, without the wait).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import httpx

from openai_costs.sample.spoiled_answers import SLEEP_EXTENSION, ConnectionCutError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class SentRequest(NamedTuple):
    """One request as the application saw it; `params` are decoded (name, value) pairs in order."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]


class InProcessTransport(httpx.BaseTransport):
    """Runs an ASGI application for a synchronous httpx client and remembers every request.

    Works in any thread that is not itself running an event loop.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[SentRequest] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's response to `request`, fully read."""
        params = tuple(request.url.params.multi_items())
        self.requests.append(SentRequest(request.method, request.url.path, params))
        try:
            return asyncio.run(self._answer(request))
        except ConnectionCutError as error:
            message = "peer closed connection without sending complete message body"
            raise httpx.RemoteProtocolError(message, request=request) from error

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        read_timeout: float | None = request.extensions.get("timeout", {}).get("read")

        async def sleep(seconds: float) -> None:
            if read_timeout is not None and seconds > read_timeout:
                raise httpx.ReadTimeout("The read operation timed out", request=request)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await self._app({**scope, SLEEP_EXTENSION: sleep}, receive, send)

        response = await httpx.ASGITransport(app=app).handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)
