"""A server on this machine that does what no server should, against the real client."""

import gzip
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Thread
from typing import Any

import httpx
import pytest
import stamina
import zstandard
from pydantic import SecretStr

from openai_costs.kernel.errors import (
    BodyTooLarge,
    OpenAICostsError,
    ProviderUnavailable,
    RequestRefused,
    SettingsError,
)
from openai_costs.sources.http.access import Access
from openai_costs.sources.http.api import Api
from openai_costs.sources.http.client import client, proxy_of, tls
from openai_costs.sources.http.retries import AnswerUnreadable
from openai_costs.sources.http.transport import MOST_ERROR_BYTES, Transport

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4"
COSTS = "/organization/costs"
Send = Callable[[bytes], None]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class Hostile:
    """Hands each connection to `answer`, and keeps what was asked and how much was taken."""

    def __init__(self, answer: Callable[[Send], None]) -> None:
        self.asked: list[bytes] = []
        self.taken = 0
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                Thread(target=self._handle, args=self._socket.accept()[:1], daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        def send(data: bytes) -> None:
            connection.sendall(data)
            self.taken += len(data)

        with connection, suppress(OSError):
            while asked := connection.recv(65_536):
                self.asked.append(asked)
                self._answer(send)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def hostile(answer: Callable[[Send], None]) -> Iterator[Hostile]:
    server = Hostile(answer)
    try:
        yield server
    finally:
        server.close()


def read(
    server: Hostile,
    longest: float = 20.0,
    times: int = 1,
    **more: Any,  # noqa: ANN401
) -> bytes:
    """Return what the last of some requests is answered, each of which may be large."""
    there = Access(
        connection="acme",
        base_url=f"http://127.0.0.1:{server.port}/v1",
        key=lambda: SecretStr(KEY),
        key_env="ACME_KEY",
        allowed=(COSTS,),
        **{"max_body_bytes": 1024 * 1024} | more,
    )
    with closing(Transport(there, longest=longest)) as transport:
        return [bytes(transport.get(COSTS, [], may_be_large=True)) for _ in range(times)][-1]


def body(content: bytes, *headers: str, status: str = "200 OK") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


def refusal(server: Hostile, longest: float = 20.0) -> OpenAICostsError:
    with pytest.raises(OpenAICostsError) as refused:
        read(server, longest)
    assert KEY not in str(refused.value)
    return refused.value


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*PROXIES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


def zstd_bomb() -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()


PACKED = {
    "zstd": zstd_bomb(),
    "deflate": zlib.compress(bytes(1 << 20)),
    "br": b"\x0b\x02\x80{}\x03",
    "gzip, gzip": gzip.compress(gzip.compress(bytes(1 << 20))),
    "GZIP,zstd": b"x",
    "sk-admin-Tq7ZqLx2vHn9KpW4": b"x",
}


@pytest.mark.parametrize("encoding", PACKED)
def test_what_is_packed_in_a_way_that_was_not_asked_for_is_not_unpacked(encoding: str):
    content = PACKED[encoding]
    with hostile(lambda send: send(body(content, f"Content-Encoding: {encoding}"))) as server:
        refused = refusal(server)
        assert isinstance(refused, AnswerUnreadable)
        assert "only gzip was asked for" in str(refused)
        assert len(server.asked) == 1
        assert b"accept-encoding: gzip\r\n" in server.asked[0].lower()


def test_gzip_that_unpacks_to_more_than_the_limit_is_left_where_it_passes_it():
    packed = gzip.compress(bytes(256 << 20), 1)
    with hostile(lambda send: send(body(packed, "Content-Encoding: gzip"))) as server:
        assert isinstance(refusal(server), BodyTooLarge)


def endless(status: str) -> Callable[[Send], None]:
    def answer(send: Send) -> None:
        send(f"HTTP/1.1 {status}\r\nContent-Length: 900000000\r\n\r\n".encode())
        for _ in range(9_000):
            send(b"x" * 100_000)

    return answer


@pytest.mark.parametrize("status", ["400 No", "401 No", "503 No"])
def test_an_error_of_900_mb_is_read_as_far_as_its_message_goes(status: str):
    with hostile(endless(status)) as server:
        refusal(server)
        assert server.taken / len(server.asked) < 100 * MOST_ERROR_BYTES


def test_a_day_of_900_mb_is_read_as_far_as_the_limit():
    with hostile(endless("200 OK")) as server, pytest.raises(BodyTooLarge):
        read(server)
    assert server.taken < 20_000_000


def dripping(beginning: bytes) -> Callable[[Send], None]:
    def answer(send: Send) -> None:
        send(beginning)
        for _ in range(500):
            send(b"x")
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "beginning", [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_a_server_that_drips_is_left_when_the_time_of_an_answer_is_over(beginning: bytes):
    began = time.monotonic()
    with hostile(dripping(beginning)) as server:
        refused = refusal(server, longest=0.3)
        assert isinstance(refused, ProviderUnavailable)
        assert "an answer had not ended after 0 s" in str(refused)
        assert len(server.asked) <= 2
    assert time.monotonic() - began < 5


def test_a_cookie_is_not_sent_back():
    good = body(b"{}", "Set-Cookie: session=crumb-of-the-provider; Path=/")
    with hostile(lambda send: send(good)) as server:
        read(server, times=2)
        assert len(server.asked) == 2
        assert b"crumb-of-the-provider" not in b"".join(server.asked)


def test_a_redirect_is_followed_only_where_the_provider_says_so_and_never_with_the_key():
    with hostile(lambda send: send(body(b'{"data": []}'))) as elsewhere:
        for there in (f"http://127.0.0.1:{elsewhere.port}/x", "https://127.0.0.1/x", "//u@h/x"):
            moved = body(b"", f"Location: {there}", status="302 Found")
            with hostile(lambda send, moved=moved: send(moved)) as server:
                assert isinstance(refusal(server), RequestRefused)
                with pytest.raises(RequestRefused):
                    read(server, api=Api(redirected=frozenset({COSTS})))
        assert elsewhere.asked == []


def test_a_download_that_a_provider_redirects_to_is_fetched_without_the_key():
    def answer(send: Send) -> None:
        is_first = len(server.asked) == 1
        moved = body(b"", "Location: /signed?sig=abc", status="302 Found")
        send(moved if is_first else body(b'{"data": []}'))

    with hostile(answer) as server:
        got = read(server, api=Api(redirected=frozenset({COSTS})))
        assert got == b'{"data": []}'
        assert [KEY.encode() in one for one in server.asked] == [True, False]
        assert server.asked[1].startswith(b"GET /signed?sig=abc HTTP/1.1\r\n")


def test_a_proxy_never_stands_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch):
    with (
        hostile(lambda send: send(body(b"{}"))) as proxy,
        hostile(lambda send: send(body(b"[]"))) as server,
    ):
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert read(server) == b"[]"
        assert proxy.asked == []
        with client(httpx.URL("http://api.example/v1")) as outside:
            assert outside.get("http://api.example/v1").content == b"{}"
        assert len(proxy.asked) == 1


def test_the_proxy_of_the_environment_is_named_and_no_proxy_is_kept_to(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy_of(httpx.URL("https://inside.example/v1")) is None
    found = proxy_of(httpx.URL("https://api.openai.com/v1"))
    assert found is not None
    assert str(found.url) == "http://proxy.example:3128"


@pytest.mark.parametrize("written", ["socks5://proxy.example", "http://host:port", "ftp://host"])
def test_a_proxy_that_cannot_be_used_is_a_sentence(monkeypatch: pytest.MonkeyPatch, written: str):
    monkeypatch.setenv("HTTPS_PROXY", written)
    with pytest.raises(SettingsError, match="HTTPS_PROXY or ALL_PROXY, cannot be used"):
        proxy_of(httpx.URL("https://api.openai.com/v1"))


def test_certificates_that_are_not_there_are_a_sentence(monkeypatch: pytest.MonkeyPatch):
    assert tls().minimum_version == ssl.TLSVersion.TLSv1_2
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with pytest.raises(SettingsError, match="SSL_CERT_FILE or SSL_CERT_DIR"):
        tls()
