"""Faults below the page: refusals out of nowhere, slow answers, halved and broken bodies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from openai_costs.sample.refusals import failed, invalid_page_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from openai_costs.sample.faults import Fault

# A caller that runs the app without a socket puts its own `async sleep(seconds)` here, so that a
# timeout can be tested without waiting for it.
SLEEP_EXTENSION: Final = "openai_costs.sleep"


class ConnectionCutError(ConnectionError):
    """Raised in the middle of a body so that the server drops the connection."""


class CutResponse(Response):
    """Announces the whole body, sends half of it, and breaks off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  (ASGI's signature)
        """Send the start and half the body, then raise `ConnectionCutError`."""
        # An encoding that is already set keeps a compressing middleware from buffering the body.
        headers = [*self.raw_headers, (b"content-encoding", b"identity")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        raise ConnectionCutError("the sample API was told to cut this answer short")


def refuse(faults: tuple[Fault, ...], *, has_cursor: bool) -> None:
    """Raise the first striking fault that is a refusal."""
    for fault in faults:
        if fault.name == "429-retry-after":
            raise failed(429, retry_after_seconds=int(fault.argument))
        if fault.name.isdigit():
            raise failed(int(fault.name))
        if fault.name == "page-token-400" and has_cursor:
            raise invalid_page_token()


async def delay(faults: tuple[Fault, ...], scope: Scope) -> None:
    """Wait as long as the striking timeouts say, by the caller's sleep if it brought one."""
    sleep: Callable[[float], Awaitable[None]] = scope.get(SLEEP_EXTENSION, asyncio.sleep)
    for fault in faults:
        if fault.name == "timeout":
            await sleep(float(fault.argument))


def answer(body: bytes, faults: tuple[Fault, ...]) -> Response:
    """The response, whole unless a fault cuts or truncates it."""
    names = {fault.name for fault in faults}
    if "truncated-json" in names:
        body = body[: len(body) // 2]
    response_type = CutResponse if "cut" in names else Response
    return response_type(body, media_type="application/json")
