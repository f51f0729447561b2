"""Posts a message over HTTP: with a few quick retries, and without its address in logs or errors.

An address can be a secret (a Slack webhook's is), so no log and no error holds it.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import stamina

from openai_costs.kernel.hosts import is_loopback
from openai_costs.outputs.alerts.channels.channel import (
    Address,
    DeliveryFailed,
    connection_problem,
)

TIMEOUT = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0)
ATTEMPTS = 3
LONGEST_WAIT = 2.0
"""Seconds within one attempt; a channel that is down for longer is retried by a later tick."""

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ENOUGH = 200


def post_json(address: Address, url: str, body: object) -> None:
    """Post a value as JSON.

    Raises:
        DeliveryFailed: It was refused, or did not arrive.
    """
    post(address, url, json.dumps(body).encode(), {})


def post(address: Address, url: str, content: bytes, headers: Mapping[str, str]) -> None:
    """Post bytes that are JSON; only what certainly did not arrive is retried at once.

    Raises:
        DeliveryFailed: It was refused, or did not arrive.
    """
    _refuse_clear_text(address, url)
    head = {"Content-Type": "application/json", "User-Agent": "openai_costs", **headers}
    with _unlogged(), httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
        for attempt in stamina.retry_context(
            on=_RetryNow, attempts=ATTEMPTS, wait_initial=0.3, wait_max=LONGEST_WAIT
        ):
            with attempt:
                _attempt(client, address, url, content, head)


class _RetryNow(DeliveryFailed):
    """Certainly not accepted, and worth another attempt."""


def _attempt(
    client: httpx.Client, address: Address, url: str, content: bytes, headers: Mapping[str, str]
) -> None:
    try:
        response = client.post(url, content=content, headers=dict(headers))
    except _NEVER_LEFT as broken:
        reason = f"no connection to the server: {connection_problem(broken)}"
        raise _RetryNow(reason, is_retryable=True) from None
    except httpx.TransportError as broken:
        reason = f"the connection broke ({type(broken).__name__}); the message may have arrived"
        raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True) from None
    except httpx.InvalidURL:
        reason = f"the address of route {address.route!r} is invalid: correct its variable"
        raise DeliveryFailed(reason, is_retryable=True) from None
    if response.is_success:
        return
    reason = f"HTTP {response.status_code}: {without_address(address, response.text)}"
    if response.status_code == httpx.codes.GATEWAY_TIMEOUT:  # the server behind it was asked
        raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise _RetryNow(reason, is_retryable=True)
    raise DeliveryFailed(reason)


def _refuse_clear_text(address: Address, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    except ValueError:
        is_fit = False
    if not is_fit:
        reason = f"the address of route {address.route!r} is not https: correct its variable"
        raise DeliveryFailed(reason, is_retryable=True)


def without_address(address: Address, text: str) -> str:
    """Return a channel's text on one line, without the address and the secrets of the route."""
    url = address.url.get_secret_value()
    parts = urlsplit(url)
    held = [address.secret, *address.headers.values()]
    secrets = [url, parts.path.strip("/"), parts.query, parts.username, parts.password]
    for secret in filter(None, [*secrets, *(one.get_secret_value() for one in held)]):
        text = text.replace(secret, "[redacted]")
    return " ".join(text.split())[:_ENOUGH]


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the HTTP client from logging addresses, which it does at level INFO."""

    def silence(_record: logging.LogRecord) -> bool:
        return False

    log = logging.getLogger("httpx")
    log.addFilter(silence)
    try:
        yield
    finally:
        log.removeFilter(silence)
