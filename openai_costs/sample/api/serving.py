"""The sample API on a real socket, for the demo and for anything that is not Python.

Listens on this machine only. The socket is bound before the server starts, so port 0 is a free
port that no other process can take in between.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import date
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from starlette.middleware.gzip import GZipMiddleware

from openai_costs.kernel.errors import SettingsError
from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.options import SAMPLE_ADMIN_KEY
from openai_costs.sample.company.history import USUAL_DAYS
from openai_costs.sample.company.organisation import Organisation, sample_organisation
from openai_costs.sample.faults.corrupted import SLEEP_EXTENSION, ConnectionCutError
from openai_costs.sample.faults.faults import Faults, describe_faults
from openai_costs.sample.ready_home import keys, refuse_other_settings, settings_text, write
from openai_costs.settings.connection import SAMPLE_SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from openai_costs.kernel.days import Clock


# The sample API without a socket: an httpx transport that calls the application directly.
# Failures look as they would over a network: a cut body is a protocol error, a slow answer is a
# read timeout (at once, without the wait).


class SentRequest(NamedTuple):
    """One request as the application saw it; `params` are decoded (name, value) pairs in order."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...]


class InProcessTransport(httpx.BaseTransport):
    """Runs an ASGI application for a synchronous httpx client and remembers every request.

    Works in any thread that is not itself running an event loop.

    Args:
        app: the application.
        now: the time that responses have as their `Date`, as every server sends it; none without.
    """

    def __init__(self, app: ASGIApp, now: Callable[[], datetime] | None = None) -> None:
        self._app, self._now = app, now
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
        headers = response.headers
        if self._now is not None:
            headers["Date"] = format_datetime(self._now(), usegmt=True)
        return httpx.Response(response.status_code, headers=headers, content=body)


# The sample organization behind an address: `sample://organization?seed=...&days=...&today=...`.


def sample_address(*, seed: int, days: int, today: date, rows_per_day: int = 0) -> str:
    """Return the base_url of a sample organization."""
    query = f"seed={seed}&days={days}&today={today}&rows_per_day={rows_per_day}"
    return f"{SAMPLE_SCHEME}organization?{query}"


def sample_at(address: str) -> Organisation:
    """Return the organization an address speaks of.

    Raises:
        SettingsError: The address is not complete, or asks for what there is not.
    """
    query = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
    try:
        return sample_organisation(
            date.fromisoformat(query.get("today", "")),
            seed=query.get("seed", "7"),
            days=int(query.get("days", USUAL_DAYS)),
            rows_per_day=int(query.get("rows_per_day", "0")),
        )
    except ValueError as why:
        raise SettingsError(
            f"base_url {address!r} describes no sample organization ({why}). It needs "
            "today=YYYY-MM-DD and may have days=7 to 1100; `openai-costs demo` writes such a one."
        ) from why


def sample_transport(address: str, clock: Clock) -> InProcessTransport:
    """Return a transport that answers as the organization's API does, at the clock's time."""
    return InProcessTransport(create_app(sample_at(address), now=clock), clock)


ROOT: Final = "/v1"
"""What a `base_url` ends in."""

_HOST: Final = "127.0.0.1"

_COMPRESSED_FROM_BYTES: Final = 4096

_FASTEST: Final = 1

_GRACE_SECONDS: Final = 1


class _AnnouncingServer(uvicorn.Server):
    """Calls `ready` once connections are accepted."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self._ready()


def serve(app: ASGIApp, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted, by Ctrl-C or SIGTERM, which raises KeyboardInterrupt.

    Args:
        app: the sample API.
        port: the port on 127.0.0.1; 0 picks a free one.
        ready: called with `http://127.0.0.1:PORT` once connections are accepted.
    """
    compressing = GZipMiddleware(app, _COMPRESSED_FROM_BYTES, _FASTEST)
    # A planned failure is not news: the log stays for what stops the server itself.
    config = uvicorn.Config(
        compressing,
        log_level="critical",
        access_log=False,
        lifespan="off",
        # Ctrl-C does not wait for an answer that a timeout fault is holding back.
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        address = f"http://{_HOST}:{listener.getsockname()[1]}"
        server = _AnnouncingServer(config, lambda: ready(address))
        server.run(sockets=[listener])


class Wanted(NamedTuple):
    """How the organization is served.

    Args:
        port: The port on 127.0.0.1; 0 picks a free one.
        faults: What goes wrong, as a SPEC; `help` lists the faults and serves nothing.
        home: A home that gets the settings and the exported bills; None writes none.
    """

    port: int
    faults: str = ""
    home: Path | None = None


def _announce(url: str, organisation: Organisation, say: Callable[[str], None]) -> None:
    """Print the address, the variables to export, the next command, and all other accounts."""
    say(f"listening on {url}{ROOT}")
    say("To read it, in another terminal:")
    say(f"  export OPENAI_BASE_URL={url}{ROOT}")
    say(f"  export OPENAI_ADMIN_KEY={SAMPLE_ADMIN_KEY}")
    say("  openai-costs backfill --home sample-data")
    say("Or all accounts of the company, with this as openai_costs.toml and these keys:")
    say(settings_text(organisation, url, with_files=False))
    for variable, key in keys():
        say(f"  export {variable}={key}")
    say("Bills that come as files: --home DIR writes them, beside these settings.")


def serve_sample(
    address: str,
    wanted: Wanted,
    *,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Serve the organization behind an address, misbehaving as the faults say.

    Args:
        address: `sample://organization?...`.
        wanted: how it is served.
        clock: returns the time at which the bill is read.
        say: takes the lines for a person.

    Raises:
        SettingsError: the address, the faults, the port or the home cannot be used.
    """
    if wanted.faults == "help":
        say(describe_faults())
        return
    try:
        organisation = sample_at(address)
        app = create_app(organisation, now=clock, faults=Faults.parse(wanted.faults))
    except ValueError as wrong:
        text = str(wrong).removesuffix(".")
        raise SettingsError(f"{text}. `--faults help` lists the faults.") from None
    if wanted.home is not None:
        refuse_other_settings(wanted.home)

    def ready(url: str) -> None:
        if wanted.home is not None:
            write(wanted.home, organisation, url, clock())
        _announce(url, organisation, say)

    try:
        serve(app, wanted.port, ready)
    except OSError as fault:
        if fault.filename:  # it is of the home, and not of the port
            raise
        text = f"Port {wanted.port} cannot be used ({fault}); --port 0 picks one."
        raise SettingsError(text) from None
