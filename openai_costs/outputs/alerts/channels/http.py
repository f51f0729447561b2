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
from openai_costs.kernel.redaction import redacted
from openai_costs.outputs.alerts.channels.channel import (
    Address,
    DeliveryFailed,
    connection_problem,
)
from openai_costs.sources.http.client import client

TIMEOUT = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0)
ATTEMPTS = 3
LONGEST_ANSWER = 20.0
LONGEST_WAIT = 2.0
"""Seconds within one attempt; a channel that is down for longer is retried by a later tick."""

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ENOUGH = 200
_MOST_READ = 4_096


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
    there = _encrypted(address, url)
    head = {"Content-Type": "application/json", **headers}
    with _unlogged(), client(there, timeout=TIMEOUT, longest=LONGEST_ANSWER) as sender:
        for attempt in stamina.retry_context(
            on=_RetryNow, attempts=ATTEMPTS, wait_initial=0.3, wait_max=LONGEST_WAIT
        ):
            with attempt:
                _attempt(sender, address, there, content, head)


class _RetryNow(DeliveryFailed):
    """Certainly not accepted, and worth another attempt."""


def _attempt(
    sender: httpx.Client,
    address: Address,
    url: httpx.URL,
    content: bytes,
    headers: Mapping[str, str],
) -> None:
    try:
        with sender.stream("POST", url, content=content, headers=dict(headers)) as response:
            _judge(response, address)
    except _NEVER_LEFT as broken:
        reason = f"no connection to the server: {connection_problem(broken)}"
        raise _RetryNow(reason, is_retryable=True) from None
    except (httpx.TransportError, httpx.DecodingError) as broken:
        reason = f"the connection broke ({type(broken).__name__}); the message may have arrived"
        raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True) from None


def _judge(response: httpx.Response, address: Address) -> None:
    """Raise what an answer means that is not a success; no more of it is read than is quoted."""
    if response.is_success:
        return
    body = next(response.iter_text(_MOST_READ), "")
    reason = f"HTTP {response.status_code}: {quoted(address, body)}"
    if response.status_code == httpx.codes.GATEWAY_TIMEOUT:  # the server behind it was asked
        raise DeliveryFailed(reason, is_retryable=True, may_have_arrived=True)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise _RetryNow(reason, is_retryable=True)
    raise DeliveryFailed(reason)


def _encrypted(address: Address, url: str) -> httpx.URL:
    """Return an address as the client understands it, which no one on the way can read.

    Raises:
        DeliveryFailed: It is none, or is not https.
    """
    try:
        there = httpx.URL(url)
    except httpx.InvalidURL:
        there = httpx.URL("")
    is_own = there.scheme == "http" and is_loopback(there.host)
    if "\\" in url or not (there.host and (there.scheme == "https" or is_own)):
        reason = f"the address of route {address.route!r} is not https: correct its variable"
        raise DeliveryFailed(reason, is_retryable=True)
    return there


def quoted(address: Address, text: str) -> str:
    """Return a channel's text on one line: without what the route has, and secrets and people."""
    url = address.url.get_secret_value()
    parts = urlsplit(url)
    held = [address.secret, *address.headers.values()]
    secrets = [url, parts.path.strip("/"), parts.query, parts.username, parts.password]
    for secret in filter(None, [*secrets, *(one.get_secret_value() for one in held)]):
        text = text.replace(secret, "[redacted]")
    return redacted(" ".join(text.split()))[:_ENOUGH]


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
