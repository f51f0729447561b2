"""Moves bytes from a provider: GET on an allow-list, paced, retried, verified, and without secrets.

Not here: which account (access.py), how its API is spoken to (api.py), how often a request is
retried (retries.py), what to ask next (paging.py), what an answer means (a provider's frames).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import httpx
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate, SingleBucketFactory

from openai_costs.kernel.errors import (
    ASK_THE_DOCTOR,
    AccessRefused,
    BodyTooLarge,
    ErrorAnswer,
    LookbackExceeded,
    ProviderUnavailable,
    RequestRefused,
)
from openai_costs.kernel.redaction import redacted
from openai_costs.sources.http.access import Access, KeyUnusable
from openai_costs.sources.http.api import mentions
from openai_costs.sources.http.client import (
    LONGEST_ANSWER,
    AnswerTooSlow,
    EncodingRefused,
    client,
)
from openai_costs.sources.http.retries import (
    AnswerUnreadable,
    CertificateRefused,
    HostUnreachable,
    NoConnection,
    RetryLater,
    TooSlow,
    is_unverified,
    retry_after,
    with_retries,
)
from openai_costs.sources.http.server_date import date_in
from openai_costs.sources.provider import Tell, silent

Params = Sequence[tuple[str, str]]

LARGER = 8
"""How many times the usual limit a body may have where the caller cannot ask for less."""

MOST_ERROR_BYTES = 64 * 1024
"""What is read of an answer that is an error: its message is at the beginning."""

TakeDate = Callable[[datetime], None]
"""Takes the server's `Date` of a response, as soon as it comes."""

RETRIED_STATUSES = frozenset({408, 409, 429})
"""Besides every 5xx."""
RETRIED_BREAKS = (httpx.TransportError, httpx.DecodingError)


def no_date(_date: datetime) -> None:
    """Take the server's `Date` and do nothing with it."""


class _Key(httpx.Auth):
    """Puts the key on a request at the last moment, so that no object holds it for long."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def auth_flow(self, request: httpx.Request) -> Any:  # noqa: ANN401 - httpx's generator type
        key = self._access.key().get_secret_value()
        if not (key.isascii() and key.isprintable()):  # the client's error would quote it
            raise KeyUnusable(self._access.connection, self._access.key_env)
        request.headers.update(self._access.api.headers(key))
        yield request


class Transport:
    """A client for one account that can only read.

    Args:
        access: Which account.
        inner: The inner HTTP transport; None for the network.
        tell: Takes a sentence before a request is tried again.
        take_date: Takes the `Date` of each response, also of one that is refused.
        longest: Seconds that a whole answer may take.
    """

    def __init__(
        self,
        access: Access,
        inner: httpx.BaseTransport | None = None,
        tell: Tell = silent,
        take_date: TakeDate = no_date,
        longest: float = LONGEST_ANSWER,
    ) -> None:
        self._access, self._tell, self._take_date = access, tell, take_date
        self._inner, self._longest = inner, longest
        self._paces: dict[str, Limiter] = {}
        self._client = client(access.address, inner, auth=_Key(access), longest=longest)

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
            may_be_large: Take a body of eight times the limit: the caller cannot ask for less.

        Raises:
            PathNotAllowed: The path is not on the allow-list, or would not be asked as it is
                written; nothing was sent.
            KeyUnusable: No header can hold the key; nothing was sent.
            AccessRefused: 401 or 403; never retried.
            RequestRefused: Another 4xx that is not worth a retry.
            HostUnreachable: There is no such host, or it refuses the connection; a few tries.
            CertificateRefused: The host's certificate does not verify; never retried.
            ProviderUnavailable: 408, 409, 429, 5xx, a broken connection or an answer without end,
                after all retries.
            AnswerUnreadable: The body is compressed in a way that was not asked for.
            BodyTooLarge: The body outgrew the limit.
        """
        endpoint, url = self._access.endpoint(path), self._access.url(path)

        def ask() -> bytearray:
            self._wait_for_turn(endpoint, path)
            return self._attempt(path, url.copy_with(params=list(params)), limit)

        limit = self._access.max_body_bytes * (LARGER if may_be_large else 1)
        try:
            return with_retries(ask, self._access.connection, self._tell, self._access.attempts)
        except NoConnection as last:
            there, setting = self._access.host, self._access.address_setting
            raise HostUnreachable(self._access.connection, there, last.message, setting) from None
        except RetryLater as last:
            raise ProviderUnavailable(self._access.connection, path, last.message) from None

    def _redacted(self, text: str) -> str:
        """Return the text without our own key, whatever its shape, any other, and any person."""
        return redacted(text.replace(self._access.key().get_secret_value(), "[redacted]"))

    def _wait_for_turn(self, endpoint: str, path: str) -> None:
        """Keep the pace of an endpoint, which all projects share."""
        if per_minute := self._access.pace:
            if endpoint not in self._paces:
                self._paces[endpoint] = _limiter(per_minute)
            self._paces[endpoint].try_acquire(path)

    def _attempt(self, path: str, url: httpx.URL, limit: int) -> bytearray:
        try:
            return self._sent(path, url, limit)
        except AnswerTooSlow:
            raise TooSlow(self._longest) from None
        except EncodingRefused as odd:
            why, host = self._redacted(str(odd)), self._access.host
            raise AnswerUnreadable(self._access.connection, host, path, why) from None
        except RETRIED_BREAKS as broken:
            raise self._broken(broken) from None

    def _broken(self, broken: Exception) -> Exception:
        message = self._redacted(str(broken)) or type(broken).__name__
        if not isinstance(broken, httpx.ConnectError):
            return RetryLater(f"the connection broke ({message})", message)
        if is_unverified(broken):
            return CertificateRefused(self._access.connection, self._access.host, message)
        return NoConnection(self._access.host, message)

    def _sent(self, path: str, url: httpx.URL, limit: int) -> bytearray:
        with self._client.stream("GET", url, headers=dict(self._access.headers(path))) as response:
            if (date := date_in(response.headers.get("date", ""))) is not None:
                self._take_date(date)
            location = response.headers.get("location", "") if response.is_redirect else ""
            there = self._access.redirect(path, location) if location else None
            if there is None:
                return self._taken(response, path, limit)
        with (
            client(there, self._inner, longest=self._longest) as keyless,
            keyless.stream("GET", there) as response,
        ):
            return self._taken(response, path, limit)

    def _taken(self, response: httpx.Response, path: str, limit: int) -> bytearray:
        """Return the body of a response; raise what any other than a good one means."""
        if response.status_code != httpx.codes.OK:
            raise self._refusal(path, response, _beginning(response))
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > limit:
                raise BodyTooLarge(path, limit, self._access.api.days_begun(body))
        return body

    def _refusal(self, path: str, response: httpx.Response, body: bytes) -> Exception:
        status, detail = response.status_code, self._access.api.error(body)
        message = self._redacted(detail.message or response.reason_phrase)
        answer = ErrorAnswer(self._access.connection, status, path, message, detail.code or "")
        is_busy = status == httpx.codes.FORBIDDEN and mentions(message, self._access.api.busy)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN) and not is_busy:
            permission = self._access.permission(path)
            return AccessRefused(answer, self._access.key_env, permission=permission)
        may_pass = is_busy or status in RETRIED_STATUSES or response.is_server_error
        if may_pass and not mentions(message, self._access.hopeless):
            what, wait = f"the server answers {status}", retry_after(response.headers)
            return RetryLater(what, f"HTTP {status}: {message}", wait)
        if answer.code in self._access.api.lookback_codes:
            return LookbackExceeded(answer)
        remedy = self._access.remedies.get(status, ASK_THE_DOCTOR)
        return RequestRefused(answer, remedy=remedy)


def _beginning(response: httpx.Response) -> bytes:
    """Return as much of a body as an error message needs."""
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) >= MOST_ERROR_BYTES:
            break
    return bytes(body[:MOST_ERROR_BYTES])


def _limiter(per_minute: int) -> Limiter:
    """Return a pace without the library's thread that forgets old turns.

    A thread that outlives the command makes other libraries complain on stderr at its end, and a
    run has not so many turns that they need forgetting.
    """
    bucket = InMemoryBucket([Rate(per_minute, Duration.MINUTE)])
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False))
