"""The HTTP client that every request leaves by, and what bounds an answer whatever its server does.

TLS 1.2 at least, no cookies, no redirects, no proxy for this machine, one compression, and a time
by which the whole answer has come. Not here: keys, paths and retries (transport.py).
"""

import ssl
import time
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from openai_costs.kernel.errors import SettingsError
from openai_costs.kernel.hosts import is_loopback

TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=30.0, pool=10.0)

LONGEST_ANSWER = 180.0
"""Seconds from the first byte sent to the last byte read, for a server that never stops sending."""

ENCODINGS = frozenset({"", "identity", "gzip"})
"""What is asked for, and so all that is unpacked: 64 KB of it become 64 MB at most, whereas as
much zstd, or gzip in gzip, becomes gigabytes before they can be counted."""

_ENDS_AT: ContextVar[float] = ContextVar("answer_ends_at", default=float("inf"))


class AnswerTooSlow(httpx.ReadTimeout):
    """An answer had not ended in time, although its server may never have stopped sending."""


class EncodingRefused(httpx.DecodingError):
    """An answer is compressed in a way that was not asked for."""


def client(
    address: httpx.URL,
    inner: httpx.BaseTransport | None = None,
    *,
    auth: httpx.Auth | None = None,
    timeout: httpx.Timeout = TIMEOUT,
    longest: float = LONGEST_ANSWER,
) -> httpx.Client:
    """Return a client for one address.

    Args:
        address: Where its requests go.
        inner: What answers in place of the network.
        auth: What puts a key on a request.
        timeout: How long to wait for a connection, and for each byte.
        longest: Seconds that a whole answer may take.

    Raises:
        SettingsError: The environment names a proxy or certificates that cannot be used.
    """
    return httpx.Client(
        auth=auth,
        timeout=timeout,
        transport=_Bounded(inner or _network(address), longest),
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "openai_costs",
        },
    )


def proxy_of(address: httpx.URL) -> httpx.Proxy | None:
    """Return the proxy that the environment names for an address; there is none to this machine.

    Raises:
        SettingsError: It is not an HTTP proxy.
    """
    named = getproxies()
    written = named.get(address.scheme) or named.get("all")
    if not written or is_loopback(address.host) or proxy_bypass(address.netloc.decode()):
        return None
    try:
        proxy = httpx.Proxy(written if "://" in written else f"http://{written}")
        if proxy.url.scheme.startswith("http") and proxy.url.host:
            return proxy
        raise httpx.InvalidURL("another kind of proxy")  # noqa: TRY301 - one sentence for all
    except (ValueError, httpx.InvalidURL):
        variable = f"{address.scheme.upper()}_PROXY or ALL_PROXY"
        raise SettingsError(
            f"The proxy for {address.host}, from {variable}, cannot be used. Only http:// and "
            "https:// proxies can: correct the variable, or name the host in NO_PROXY."
        ) from None


def tls() -> ssl.SSLContext:
    """Return what TLS connections are made with: verified, and of version 1.2 at least.

    Raises:
        SettingsError: SSL_CERT_FILE or SSL_CERT_DIR names what cannot be read.
    """
    try:
        made = httpx.create_ssl_context()
    except OSError as broken:  # ssl.SSLError is one
        raise SettingsError(
            f"SSL_CERT_FILE or SSL_CERT_DIR names certificates that cannot be read "
            f"({broken.strerror or 'no certificates'}). Correct or unset it."
        ) from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def _network(address: httpx.URL) -> httpx.HTTPTransport:
    clear = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for http, which needs no certificates
    verify = tls() if address.scheme == "https" else clear
    made = httpx.HTTPTransport(verify=verify, proxy=proxy_of(address), trust_env=False)
    made._pool._network_backend = _Backend()  # noqa: SLF001 - pinned in test_upstream.py: httpx hands no backend on
    return made


class _Bounded(httpx.BaseTransport):
    """Hands on what another transport answers, within its time and in an encoding asked for."""

    def __init__(self, inner: httpx.BaseTransport, longest: float) -> None:
        self._inner, self._longest = inner, longest

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        _ENDS_AT.set(time.monotonic() + self._longest)
        response = self._inner.handle_request(request)
        encoding = response.headers.get("content-encoding", "").strip().casefold()
        if encoding not in ENCODINGS:
            response.close()
            raise EncodingRefused(f"it is compressed as {encoding[:40]!r}", request=request)
        return response

    def close(self) -> None:
        self._inner.close()


class _Backend(httpcore.SyncBackend):
    """Makes connections that keep to the time of the answer which is being read."""

    def connect_tcp(self, *args: Any, **more: Any) -> httpcore.NetworkStream:  # noqa: ANN401 - handed on
        return _Stream(super().connect_tcp(*args, **more))


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait outlasts the time of an answer, headers and TLS included."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        wait = _left(timeout)
        try:
            return self._inner.read(max_bytes, wait)
        except httpcore.ReadTimeout:
            _left(None)
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - whatever the socket knows
        return self._inner.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    """Return how long to wait for the next byte at most.

    Raises:
        AnswerTooSlow: The time of the answer is over.
    """
    left = _ENDS_AT.get() - time.monotonic()
    if left <= 0:
        raise AnswerTooSlow("the answer had not ended in time")
    return min(left, timeout or left) if left < float("inf") else timeout
