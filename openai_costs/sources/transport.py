"""Moves bytes from a provider: GET on an allow-list, paced, patient, verified and quiet.

Not here: what to ask next (protocol) and what an answer means (frames).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import stamina
from pydantic import SecretStr
from pyrate_limiter import Duration, Limiter, Rate

from openai_costs.errors import (
    USAGE_SCOPE,
    AccessRefused,
    BodyTooLarge,
    LookbackExceeded,
    PathNotAllowed,
    ProviderUnavailable,
    RequestRefused,
)

Params = Sequence[tuple[str, str]]

TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=30.0, pool=10.0)

RETRIED_STATUSES = frozenset({408, 409, 429})
"""Besides every 5xx."""
RETRIED_BREAKS = (httpx.TransportError, httpx.DecodingError)

REQUESTS_PER_MINUTE = 6
"""The admin API's limit is undocumented; 7 to 10 a minute and endpoint were measured by others
(terraform-provider-openai pull request 76), refilled after about 60 s, announced by no header."""

ATTEMPTS = 8
LONGEST_WAIT = 60.0
"""Waits of 2, 4, 8, 16, 32, 60, 60 s: together they outlast a 60 s refill several times."""

LONGEST_RETRY_AFTER = 600.0
"""A provider that asks for more than ten minutes is down: fail, and let the next run try."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BUCKET = re.compile(rb'"object"\s*:\s*"bucket"')
_SECRETS = re.compile(r"sk-[A-Za-z0-9_*.-]{6,}")
_ADDRESSES = re.compile(r"[^\s@<>()\[\],;:\"']+@[^\s@<>()\[\],;:\"']+")


class _Retry(Exception):  # noqa: N818 - a signal to the retry library, never seen outside
    """An answer worth asking for again, with the wait the provider asked for, if any."""

    def __init__(self, said: str, wait_seconds: float | None = None) -> None:
        super().__init__(said)
        self.wait_seconds = wait_seconds


class _ErrorDetail(msgspec.Struct):
    message: str | None = None
    code: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail


@dataclass(frozen=True)
class Access:
    """How to reach one account: where, as whom, and what may be asked.

    Args:
        connection: The connection's name, for messages.
        base_url: The API's root.
        key: Returns the secret at the moment it is needed.
        key_env: The variable the secret comes from, for messages.
        allowed: Patterns that a path below `base_url` must match in full, one per endpoint.
        scopes: The scope that a pattern's paths need, for messages; by default the costs' own.
        requests_per_minute: Pace per endpoint; None takes the provider's, or none on this machine.
        max_body_bytes: The largest body taken into memory.
    """

    connection: str
    base_url: str
    key: Callable[[], SecretStr] = field(repr=False)
    key_env: str
    allowed: Sequence[str]
    scopes: Mapping[str, str] = field(default_factory=dict)
    requests_per_minute: int | None = None
    max_body_bytes: int = 64 * 1024 * 1024

    @property
    def pace(self) -> int:
        """Requests a minute per endpoint; 0 for a server on this machine: our own, needs none."""
        is_own = urlsplit(self.base_url).hostname in _LOOPBACK
        return self.requests_per_minute or (0 if is_own else REQUESTS_PER_MINUTE)

    def endpoint(self, path: str) -> str:
        """Return the pattern that a path matches: all its paths share one limit and one pace.

        Raises:
            PathNotAllowed: No pattern does.
        """
        for pattern in self.allowed:
            if re.fullmatch(pattern, path):
                return pattern
        raise PathNotAllowed("GET", path, self.allowed)


class _Bearer(httpx.Auth):
    """Puts the key on a request at the last moment, so that no object holds it for long."""

    def __init__(self, key: Callable[[], SecretStr]) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Any:  # noqa: ANN401 - httpx's generator type
        request.headers["Authorization"] = f"Bearer {self._key().get_secret_value()}"
        yield request


class Transport:
    """A client for one account that can only read."""

    def __init__(self, access: Access, inner: httpx.BaseTransport | None = None) -> None:
        self._access = access
        self._paces: dict[str, Limiter] = {}
        self._client = httpx.Client(
            auth=_Bearer(access.key),
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=inner,
            headers={"Accept": "application/json", "User-Agent": "openai_costs"},
        )

    @property
    def pace(self) -> int:
        """Requests a minute per endpoint; 0 when nothing waits."""
        return self._access.pace

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, params: Params, *, may_be_large: bool = False) -> bytearray:
        """Return the body of a successful GET.

        Args:
            path: Path below the base URL, beginning with a slash.
            params: Query parameters, in order; repeated names stay repeated.
            may_be_large: Take a body of any size: the caller cannot ask for less.

        Raises:
            PathNotAllowed: The path is not on the allow-list; nothing was sent.
            AccessRefused: 401 or 403; never retried.
            RequestRefused: Another 4xx that is not worth a retry.
            ProviderUnavailable: 408, 409, 429, 5xx or a broken connection, after all retries.
            BodyTooLarge: The body outgrew the limit.
        """
        endpoint = self._access.endpoint(path)
        try:
            for attempt in stamina.retry_context(
                on=_worth_another_try,
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=2.0,
                wait_max=LONGEST_WAIT,
            ):
                with attempt:
                    self._wait_for_turn(endpoint, path)
                    return self._attempt(path, params, may_be_large=may_be_large)
        except (_Retry, *RETRIED_BREAKS) as broken:
            said = self._quiet(str(broken) or type(broken).__name__)
            raise ProviderUnavailable(self._access.connection, path, said) from None
        raise AssertionError("stamina ends in an answer or an exception")  # pragma: no cover

    def _quiet(self, text: str) -> str:
        """Return the text without our own key, whatever its shape, any other, and any person."""
        return redacted(text.replace(self._access.key().get_secret_value(), "[redacted]"))

    def _wait_for_turn(self, endpoint: str, path: str) -> None:
        """Keep the pace of an endpoint, which all projects share."""
        if per_minute := self._access.pace:
            if endpoint not in self._paces:
                self._paces[endpoint] = Limiter(Rate(per_minute, Duration.MINUTE))
            self._paces[endpoint].try_acquire(path)

    def _attempt(self, path: str, params: Params, *, may_be_large: bool) -> bytearray:
        url = self._access.base_url + path
        with self._client.stream("GET", url, params=list(params)) as response:
            if response.status_code == httpx.codes.OK:
                limit = None if may_be_large else self._access.max_body_bytes
                return _body(response, path, limit)
            raise self._refusal(path, response, response.read())

    def _refusal(self, path: str, response: httpx.Response, body: bytes) -> Exception:
        status, detail = response.status_code, _detail(body)
        said = self._quiet(detail.message or response.reason_phrase)
        connection = self._access.connection
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            scope = self._access.scopes.get(self._access.endpoint(path), USAGE_SCOPE)
            return AccessRefused(connection, status, path, said, self._access.key_env, scope=scope)
        if status in RETRIED_STATUSES or response.is_server_error:
            return _Retry(f"HTTP {status}: {said}", _retry_after(response.headers))
        if detail.code == "reporting_lookback_exceeded":
            return LookbackExceeded(connection, status, path, said, detail.code)
        return RequestRefused(connection, status, path, said, detail.code or "")


def redacted(text: str) -> str:
    """Return the text without anything that looks like an API key or an e-mail address."""
    return _SECRETS.sub("sk-[redacted]", _ADDRESSES.sub("[e-mail address]", text))


def _worth_another_try(error: Exception) -> bool | float:
    if not isinstance(error, _Retry):
        return isinstance(error, RETRIED_BREAKS)
    if error.wait_seconds is None:
        return True
    return error.wait_seconds if error.wait_seconds <= LONGEST_RETRY_AFTER else False


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in Retry-After; the vendor sends whole seconds, never a date."""
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _detail(body: bytes) -> _ErrorDetail:
    try:
        return msgspec.json.decode(body, type=_ErrorBody, strict=False).error
    except msgspec.MsgspecError:
        return _ErrorDetail(message=body[:200].decode("utf-8", "replace"))


def _body(response: httpx.Response, path: str, limit: int | None) -> bytearray:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if limit is not None and len(body) > limit:
            raise BodyTooLarge(path, limit, len(_BUCKET.findall(body)))
    return body
