"""The sample API on a real socket, for the demo and for anything that is not Python.

Listens on this machine only. The socket is bound before the server starts, so port 0 is a free
port nobody else can take in between.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import uvicorn
from starlette.middleware.gzip import GZipMiddleware

from openai_costs.errors import SettingsError
from openai_costs.sample.api import create_app
from openai_costs.sample.connect import sample_at
from openai_costs.sample.faults import Faults, describe_faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.types import ASGIApp

ROOT: Final = "/v1"
"""What a `base_url` ends in."""
_HOST: Final = "127.0.0.1"
_WORTH_COMPRESSING_BYTES: Final = 4096
_FASTEST: Final = 1
_PATIENCE_SECONDS: Final = 1


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
    """Serve until interrupted (Ctrl-C returns quietly).

    Args:
        app: the sample API.
        port: the port on 127.0.0.1; 0 picks a free one.
        ready: called with `http://127.0.0.1:PORT` once connections are accepted.
    """
    compressing = GZipMiddleware(app, _WORTH_COMPRESSING_BYTES, _FASTEST)
    # A planned failure is not news: the log stays for what stops the server itself.
    config = uvicorn.Config(
        compressing,
        log_level="critical",
        access_log=False,
        lifespan="off",
        # Ctrl-C does not wait for an answer that a timeout fault is holding back.
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
    )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        address = f"http://{_HOST}:{listener.getsockname()[1]}"
        server = _AnnouncingServer(config, lambda: ready(address))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def serve_sample(
    address: str,
    *,
    port: int,
    faults: str,
    clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Serve the organisation behind an address, misbehaving as `faults` says.

    Args:
        address: `sample://organisation?...`.
        port: the port on 127.0.0.1; 0 picks a free one.
        faults: the misbehaviour; `help` tells what there is, and serves nothing.
        clock: tells the time the bill is read at.
        say: takes the lines for a person.

    Raises:
        SettingsError: the address, the faults or the port cannot be used.
    """
    if faults == "help":
        say(describe_faults())
        return
    try:
        app = create_app(sample_at(address), now=clock, faults=Faults.parse(faults))
    except ValueError as wrong:
        said = str(wrong).removesuffix(".")
        raise SettingsError(f"{said}. `--faults help` lists the faults.") from None
    try:
        serve(app, port, lambda url: say(f"listening on {url}{ROOT}"))
    except OSError as taken:
        raise SettingsError(f"Port {port} cannot be used ({taken}); --port 0 picks one.") from None
