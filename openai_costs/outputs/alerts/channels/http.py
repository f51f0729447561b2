"""Posts a message over HTTP: patient for a moment, honest about what is unknown, and quiet.

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
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed

TIMEOUT = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=5.0)
ATTEMPTS = 3
LONGEST_WAIT = 2.0
"""Within one attempt; a channel that is down for longer is tried again by a later tick."""

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_ENOUGH = 200


def post_json(address: Address, url: str, body: object) -> None:
    """Post a value as JSON.

    Raises:
        DeliveryFailed: It was refused, or did not get through.
    """
    post(address, url, json.dumps(body).encode(), {})


def post(address: Address, url: str, content: bytes, headers: Mapping[str, str]) -> None:
    """Post bytes that are JSON; only what certainly did not arrive is tried again at once.

    Raises:
        DeliveryFailed: It was refused, or did not get through.
    """
    _refuse_clear_text(address, url)
    head = {"Content-Type": "application/json", "User-Agent": "openai_costs", **headers}
    with _unlogged(), httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
        for attempt in stamina.retry_context(
            on=_Again, attempts=ATTEMPTS, wait_initial=0.3, wait_max=LONGEST_WAIT
        ):
            with attempt:
                _attempt(client, address, url, content, head)


class _Again(DeliveryFailed):
    """Certainly not taken, and worth another try."""


def _attempt(
    client: httpx.Client, address: Address, url: str, content: bytes, headers: Mapping[str, str]
) -> None:
    try:
        answer = client.post(url, content=content, headers=dict(headers))
    except _NEVER_LEFT as broken:
        raise _Again(f"no connection ({type(broken).__name__})", is_retryable=True) from None
    except httpx.TransportError as broken:
        said = f"the connection broke ({type(broken).__name__}); it may have arrived"
        raise DeliveryFailed(said, is_retryable=True, may_have_arrived=True) from None
    except httpx.InvalidURL:
        raise DeliveryFailed("the address is none: mend the variable", is_retryable=True) from None
    if answer.is_success:
        return
    said = f"HTTP {answer.status_code}: {_quiet(address, url, answer.text)}"
    if answer.status_code == httpx.codes.GATEWAY_TIMEOUT:  # who stands behind it was asked
        raise DeliveryFailed(said, is_retryable=True, may_have_arrived=True)
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise _Again(said, is_retryable=True)
    raise DeliveryFailed(said)


def _refuse_clear_text(address: Address, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    except ValueError:
        is_fit = False
    if not is_fit:
        said = f"the address of {address.route!r} is not https: mend the variable that holds it"
        raise DeliveryFailed(said, is_retryable=True)


def _quiet(address: Address, url: str, said: str) -> str:
    """Return what a channel said, on one line, without our address and secret."""
    parts = urlsplit(url)
    secrets = (url, parts.path.strip("/"), parts.query, address.secret.get_secret_value())
    for secret in filter(None, secrets):
        said = said.replace(secret, "[redacted]")
    return " ".join(said.split())[:_ENOUGH]


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
