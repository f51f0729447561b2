import logging
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any

import httpcore
import httpx
import pytest
import respx
import stamina
from pydantic import SecretStr
from pyrate_limiter import Limiter

from openai_costs.kernel.errors import (
    AccessRefused,
    BodyTooLarge,
    LookbackExceeded,
    OpenAICostsError,
    PathNotAllowed,
    ProviderUnavailable,
    ReadFailed,
    RequestRefused,
)
from openai_costs.kernel.redaction import redacted
from openai_costs.sources.http.access import Access, KeyUnusable
from openai_costs.sources.http.retries import CertificateRefused, HostUnreachable
from openai_costs.sources.http.transport import Transport
from openai_costs.sources.openai.connection import API, MANAGEMENT_PERMISSION
from openai_costs_tests.outputs.alerts.servers import closed_port

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4_x.y"
COSTS = "/organization/costs"
HERE = "http://127.0.0.1/v1"
VENDOR = "https://api.openai.com/v1"
REFUSED = httpx.ConnectError("[Errno 111] Connection refused")
GOOD = httpx.Response(200, content=b'{"data": []}')
Said = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Wire:
    """Answers in turn, the last one forever, and remembers what was sent."""

    def __init__(self, *answers: Said) -> None:
        self.sent: list[httpx.Request] = []
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        said = self._answers[min(len(self.sent), len(self._answers)) - 1]
        if isinstance(said, Exception):
            raise said
        if isinstance(said, httpx.Response):
            return httpx.Response(said.status_code, headers=said.headers, content=said.content)
        return said(request)


def error(status: int, message: str = "no", code: str | None = None, **headers: str) -> Said:
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": code}}
    return httpx.Response(status, json=body, headers=headers)


def access(**more: Any) -> Access:  # noqa: ANN401
    usual: dict[str, Any] = {
        "connection": "acme",
        "base_url": HERE,
        "key": lambda: SecretStr(KEY),
        "key_env": "ACME_KEY",
        "allowed": (COSTS,),
        "api": API,
    }
    return Access(**(usual | more))


def transport(wire: Wire, **more: Any) -> Transport:  # noqa: ANN401
    return Transport(access(**more), httpx.MockTransport(wire))


def failure(wire: Wire, **more: Any) -> OpenAICostsError:  # noqa: ANN401
    with pytest.raises(OpenAICostsError) as refused:
        transport(wire, **more).get(COSTS, [])
    return refused.value


def dates_of(*answers: Said) -> list[datetime]:
    """The server's dates that a request took in, until it was answered or refused."""
    dates: list[datetime] = []
    there = Transport(access(), httpx.MockTransport(Wire(*answers)), take_date=dates.append)
    with suppress(OpenAICostsError):
        there.get(COSTS, [])
    return dates


def test_the_date_of_every_response_is_taken_also_of_a_refusal() -> None:
    first, second = "Fri, 20 Mar 2026 12:00:00 GMT", "Fri, 20 Mar 2026 12:00:05 GMT"
    good = httpx.Response(200, content=b"{}", headers={"Date": second})
    assert dates_of(error(503, Date=first), good) == [
        datetime(2026, 3, 20, 12, tzinfo=UTC),
        datetime(2026, 3, 20, 12, 0, 5, tzinfo=UTC),
    ]
    assert dates_of(error(401, Date=first)) == [datetime(2026, 3, 20, 12, tzinfo=UTC)]


@pytest.mark.parametrize("header", [{}, {"Date": ""}, {"Date": "yesterday"}])
def test_a_response_without_a_readable_date_is_used_and_says_nothing_of_the_time(
    header: dict[str, str],
) -> None:
    assert dates_of(httpx.Response(200, content=b"{}", headers=header)) == []


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=8, cap=True):
        yield


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the waits be asked for, write them down, and pass at once."""
    asked: list[float] = []
    stamina.set_testing(False)
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


def test_a_good_answer_is_its_bytes():
    assert transport(Wire(GOOD)).get(COSTS, []) == b'{"data": []}'


def test_parameters_are_sent_in_order_and_repeated_names_stay_repeated():
    wire = Wire(GOOD)
    params = [("limit", "7"), ("group_by[]", "project_id"), ("group_by[]", "line_item")]
    transport(wire).get(COSTS, params)
    (sent,) = wire.sent
    assert sent.url.params.multi_items() == params
    assert b"group_by%5B%5D=project_id" in sent.url.query
    assert sent.url.copy_with(query=None) == httpx.URL(HERE + COSTS)


@pytest.mark.parametrize("broken", ["sk-admin-one\ntwo", "sk-admin-one\x00", "sk-admin-\u2026one"])
def test_a_key_that_no_header_can_carry_is_neither_sent_nor_shown(
    broken: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    wire = Wire(GOOD)
    refused = failure(wire, key=lambda: SecretStr(broken))
    assert isinstance(refused, KeyUnusable)
    assert wire.sent == []
    assert "ACME_KEY" in str(refused)
    said = (str(refused), caplog.text, *capsys.readouterr())
    assert not any("sk-admin" in one or "two" in one for one in said)


def test_the_key_is_on_the_request_and_nowhere_in_its_address():
    wire = Wire(GOOD)
    transport(wire).get(COSTS, [])
    assert wire.sent[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(wire.sent[0].url)


def test_who_waits_for_an_answer_may_have_fewer_attempts():
    wire = Wire(error(429))
    with pytest.raises(ProviderUnavailable):
        transport(wire, attempts=2).get(COSTS, [])
    assert len(wire.sent) == 2


def test_a_key_rotated_between_two_attempts_is_used_by_the_second():
    wire = Wire(error(503), GOOD)

    def key() -> SecretStr:
        return SecretStr("sk-admin-new" if wire.sent else "sk-admin-old")

    transport(wire, key=key).get(COSTS, [])
    sent = [request.headers["authorization"] for request in wire.sent]
    assert sent == ["Bearer sk-admin-old", "Bearer sk-admin-new"]


@pytest.mark.parametrize(
    "path",
    [
        "/organization/users",
        "/organization/costs/",
        "/organization/costs/../users",
        "/organization/costs?group_by=user_id",
        "/organization/costs\n",
        "/v1/organization/costs",
        "//elsewhere.example/organization/costs",
        "@elsewhere.example/organization/costs",
        "",
    ],
)
def test_a_path_that_is_not_on_the_list_is_refused_before_anything_is_sent(path: str):
    wire = Wire(GOOD)
    with pytest.raises(PathNotAllowed, match="Nothing was sent"):
        transport(wire).get(path, [])
    assert wire.sent == []


def test_there_is_no_way_to_send_anything_but_get():
    verbs = {"get", "post", "put", "patch", "delete", "request", "send", "stream", "head"}
    assert verbs & {name for name in dir(Transport) if not name.startswith("_")} == {"get"}
    wire = Wire(error(503), GOOD)
    transport(wire).get(COSTS, [])
    assert {(request.method, request.content) for request in wire.sent} == {("GET", b"")}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_never_retried_and_has_the_providers_message(status: int):
    wire = Wire(error(status, "Missing scopes: api.usage.read."))
    refused = failure(wire)
    assert isinstance(refused, AccessRefused)
    assert not refused.is_retryable
    assert len(wire.sent) == 1
    for said in ("Missing scopes: api.usage.read.", str(status), "'acme'", "ACME_KEY", "doctor"):
        assert said in str(refused)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_an_error_with_the_scope_that_the_path_needs(status: int):
    needs = replace(API, permissions={COSTS: MANAGEMENT_PERMISSION})
    refused = failure(Wire(error(status, "No.")), api=needs)
    assert isinstance(refused, AccessRefused)
    assert (refused.scope, refused.message) == ("api.management.read", "No.")
    assert "the scope api.management.read" in str(refused)
    assert "api.usage.read" in str(failure(Wire(error(status, "No."))))


@pytest.mark.parametrize("status", [400, 404, 405, 413, 422, 451])
def test_a_refused_request_is_not_retried(status: int):
    wire = Wire(error(status, "start_time is not a time", "bad_time"))
    refused = failure(wire)
    assert type(refused) is RequestRefused
    assert (refused.status, refused.message, refused.code) == (
        status,
        "start_time is not a time",
        "bad_time",
    )
    assert len(wire.sent) == 1


def test_a_day_older_than_the_provider_keeps_is_a_refusal_of_its_own():
    refused = failure(Wire(error(400, "too old", "reporting_lookback_exceeded")))
    assert isinstance(refused, LookbackExceeded)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 520, 522, 524, 529])
def test_a_failure_that_may_pass_is_retried_until_it_passes(status: int):
    wire = Wire(error(status), error(status), GOOD)
    assert transport(wire).get(COSTS, []) == GOOD.content
    assert len(wire.sent) == 3


@pytest.mark.parametrize(
    "broken",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.WriteError("reset"),
        httpx.PoolTimeout("full"),
        httpx.RemoteProtocolError("peer closed connection"),
    ],
)
def test_a_broken_connection_is_tried_again(broken: httpx.TransportError):
    wire = Wire(broken, GOOD)
    assert transport(wire).get(COSTS, []) == GOOD.content
    assert len(wire.sent) == 2


def test_a_body_that_cannot_be_unpacked_is_asked_for_again():
    def garbled(_request: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(b"this is not gzip")
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=body)

    wire = Wire(garbled, GOOD)
    assert transport(wire).get(COSTS, []) == GOOD.content


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (error(429, "please slow down"), "HTTP 429: please slow down"),
        (error(503), "HTTP 503"),
        (httpx.ReadTimeout("The read operation timed out"), "The read operation timed out"),
        (httpx.ReadError(""), "ReadError"),
    ],
)
def test_a_failure_that_does_not_pass_ends_in_a_sentence_after_eight_tries(said: Said, shown: str):
    wire = Wire(said)
    refused = failure(wire)
    assert isinstance(refused, ProviderUnavailable)
    assert refused.is_retryable
    assert shown in str(refused)
    assert "'acme'" in str(refused)
    assert len(wire.sent) == 8


def test_the_waits_outlast_a_minute_without_a_free_request(waits: list[float]):
    failure(Wire(error(429)))
    assert len(waits) == 7
    assert sum(waits) > 2 * 60
    assert max(waits) <= 61


def test_a_wait_the_provider_asks_for_is_the_wait_that_is_kept(waits: list[float]):
    wire = Wire(
        error(429, **{"retry-after": "37"}),
        error(503, **{"retry-after": "120"}),
        error(429, **{"retry-after": "0"}),
        GOOD,
    )
    transport(wire).get(COSTS, [])
    assert waits == [37, 120, 0]


def test_a_wait_of_hours_ends_the_read_at_once(waits: list[float]):
    wire = Wire(error(429, "come back tomorrow", **{"retry-after": "86400"}))
    assert "come back tomorrow" in str(failure(wire))
    assert waits == []
    assert len(wire.sent) == 1


@pytest.mark.parametrize("odd", ["soon", "", "-5", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_retry_after_that_is_no_number_of_seconds_is_not_believed(waits: list[float], odd: str):
    assert transport(Wire(error(429, **{"retry-after": odd}), GOOD)).get(COSTS, [])
    assert len(waits) == 1
    assert 0 <= waits[0] <= 4


def test_an_endless_retry_after_ends_the_read_at_once(waits: list[float]):
    failure(Wire(error(429, **{"retry-after": "inf"})))
    assert waits == []


def test_every_retry_is_reported_before_its_wait_in_a_sentence(waits: list[float]):
    told: list[str] = []
    wire = Wire(
        error(429, f"slow down {KEY}"),
        httpx.ReadTimeout(f"no byte of {KEY}"),
        error(503, **{"retry-after": "37"}),
        GOOD,
    )
    made = Transport(access(), httpx.MockTransport(wire), told.append)
    made.get(COSTS, [("project_ids[]", "proj_secret")])
    assert told == [
        "acme: the server answers 429; trying again in 2 s (attempt 2 of 8)",
        "acme: the connection broke (no byte of [redacted]); trying again in 4 s (attempt 3 of 8)",
        "acme: the server answers 503; trying again in 37 s (attempt 4 of 8)",
    ]
    assert len(waits) == 3


@pytest.mark.parametrize("name", ["nobody.invalid", "127.0.0.1"])
def test_a_host_that_is_not_there_is_given_up_after_three_quick_tries(
    waits: list[float], name: str
):
    host = f"{name}:{closed_port()}" if name == "127.0.0.1" else name
    told: list[str] = []
    there = access(base_url=f"http://{host}/v1", requests_per_minute=600)
    with pytest.raises(HostUnreachable) as refused:
        Transport(there, tell=told.append).get(COSTS, [])
    assert len(told) == len(waits) == 2
    assert sum(waits) < 5
    assert told[1].startswith(f"acme: no connection to {host} (")
    assert told[1].endswith("; trying again in 2 s (attempt 3 of 3)")
    assert not refused.value.is_retryable
    for said in ("'acme'", host, "in 3 tries", "base_url", "HTTPS_PROXY"):
        assert said in str(refused.value)


def test_a_host_that_comes_back_within_the_tries_is_read():
    assert transport(Wire(REFUSED, REFUSED, GOOD)).get(COSTS, []) == GOOD.content


def unverified(_request: httpx.Request) -> httpx.Response:
    """Break as the HTTP client does: three exceptions, each the cause of the next."""
    why = "certificate verify failed: self-signed certificate"
    try:
        try:
            raise ssl.SSLCertVerificationError(why)
        except ssl.SSLError as broken:
            raise httpcore.ConnectError(why) from broken
    except httpcore.ConnectError as broken:
        raise httpx.ConnectError(why) from broken


def test_a_certificate_that_does_not_verify_is_not_tried_again():
    wire = Wire(unverified)
    refused = failure(wire, base_url="https://api.acme.example:8443/v1")
    assert isinstance(refused, CertificateRefused)
    assert not refused.is_retryable
    assert len(wire.sent) == 1
    for said in ("'acme'", "api.acme.example:8443", "self-signed", "SSL_CERT_FILE"):
        assert said in str(refused)


@pytest.mark.parametrize("asked", ["", "86400"])
@pytest.mark.usefixtures("waits")
def test_nothing_is_promised_that_does_not_happen(asked: str):
    told: list[str] = []
    wire = Wire(error(429, **{"retry-after": asked}))
    with pytest.raises(ProviderUnavailable):
        Transport(access(), httpx.MockTransport(wire), told.append).get(COSTS, [])
    assert len(told) == len(wire.sent) - 1


def test_a_body_above_the_limit_is_refused_with_the_buckets_it_had_begun():
    body = b'{"data": [' + b'{"object": "bucket", "results": []},' * 30
    refused = failure(Wire(httpx.Response(200, content=body)), max_body_bytes=1_000)
    assert isinstance(refused, BodyTooLarge)
    assert "1,000 bytes" in str(refused)
    assert 20 <= refused.days_begun <= 30


def test_a_body_at_the_limit_is_taken():
    assert transport(Wire(GOOD), max_body_bytes=len(GOOD.content)).get(COSTS, [])


def test_a_caller_that_cannot_ask_for_less_gets_a_body_of_eight_times_the_limit_and_no_more():
    large, limit = httpx.Response(200, content=b"x" * 8_000), {"max_body_bytes": 1_000}
    assert len(transport(Wire(large), **limit).get(COSTS, [], may_be_large=True)) == 8_000
    with pytest.raises(BodyTooLarge, match="8,000 bytes"):
        transport(Wire(httpx.Response(200, content=b"x" * 8_001)), **limit).get(
            COSTS, [], may_be_large=True
        )


PROJECT = "/organization/projects/[^/]+/api_keys"


@pytest.mark.parametrize(
    "name", ["..", ".", "a?b=", "a#", "%2e%2e", "a%2F..%2Fb", "a\\b", "a\nb", "a\x00", "a%3Fb"]
)
def test_an_id_of_the_provider_that_would_lead_to_another_path_is_not_asked_for(name: str):
    wire = Wire(GOOD)
    with pytest.raises(PathNotAllowed, match="Nothing was sent"):
        transport(wire, allowed=(PROJECT,)).get(f"/organization/projects/{name}/api_keys", [])
    assert wire.sent == []


@pytest.mark.parametrize("root", ["http://127.0.0.1:4000", "http://127.0.0.1:4000/v1/"])
def test_a_path_follows_any_root(root: str):
    wire = Wire(GOOD)
    transport(wire, base_url=root.rstrip("/")).get(COSTS, [])
    assert str(wire.sent[0].url) == root.rstrip("/") + COSTS


@pytest.mark.parametrize("name", ["proj_Ab-1", "a@b", "jö", "a b", "a:b"])
def test_an_unusual_id_is_asked_for_as_it_is(name: str):
    wire = Wire(GOOD)
    transport(wire, allowed=(PROJECT,)).get(f"/organization/projects/{name}/api_keys", [])
    assert wire.sent[0].url.path == f"/v1/organization/projects/{name}/api_keys"


def test_a_body_above_the_limit_is_not_read_to_its_end():
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        for block in range(10_000):
            read.append(block)
            yield b"x" * 100

    failure(Wire(lambda _request: httpx.Response(200, content=endless())), max_body_bytes=1_000)
    assert len(read) < 20


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int):
    there = {"location": "https://elsewhere.example/organization/costs"}
    wire = Wire(httpx.Response(status, headers=there), GOOD)
    assert isinstance(failure(wire), ReadFailed)
    assert [request.url.host for request in wire.sent] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
        (b'{"error": "plain words"}', "plain words"),
        (b'{"error": {"code": 7, "message": "odd code"}}', "odd code"),
        (b'{"error": {"message": null}}', "Bad Request"),
        (b"\xff\xfe", "400"),
        (b"", "400"),
    ],
)
def test_an_error_in_any_shape_becomes_a_sentence(body: bytes, shown: str):
    assert shown in str(failure(Wire(httpx.Response(400, content=body))))


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
@pytest.mark.parametrize("key", [KEY, "proxy-secret-4711"])
def test_a_key_that_the_provider_repeats_is_in_no_error(status: int, key: str):
    wire = Wire(error(status, f"Incorrect API key provided: {key}."))
    refused = failure(wire, key=lambda: SecretStr(key))
    for text in (str(refused), repr(refused), repr(refused.__cause__), repr(vars(refused))):
        assert key not in text


def test_a_key_in_a_body_that_is_no_json_is_in_no_error():
    wire = Wire(httpx.Response(401, content=f"denied: Bearer {KEY}".encode()))
    assert KEY not in str(failure(wire))


def test_a_key_in_the_words_of_a_broken_connection_is_in_no_error():
    assert KEY not in str(failure(Wire(httpx.ConnectError(f"cannot send {KEY}"))))


def test_no_text_made_of_the_access_or_the_transport_has_the_key():
    made = transport(Wire(GOOD))
    made.get(COSTS, [])
    for text in (repr(access()), str(access()), repr(made), str(made), repr(vars(made))):
        assert KEY not in text


@pytest.mark.parametrize("text", ["key sk-admin-abcdef123.", "sk-proj-Ab_-9*****xyz", KEY])
def test_whatever_looks_like_a_key_is_redacted(text: str):
    assert redacted(text).replace("key ", "").startswith("sk-[redacted]")


@pytest.mark.parametrize("status", [403, 400, 503])
def test_a_refusal_repeats_no_address(status: int):
    refused = failure(Wire(error(status, "User ada@acme.example (<bo@acme.example>) may not.")))
    assert "User [e-mail address] (<[e-mail address]>) may not." in str(refused)


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Answers(BaseHTTPRequestHandler):
    statuses: list[int]

    def do_GET(self) -> None:
        status = self.statuses.pop(0)
        body = f'{{"error": {{"message": "{self.headers["authorization"]}"}}}}'.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def test_the_key_is_in_no_line_of_any_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level(logging.DEBUG)
    for name in (
        "httpx",
        "httpcore.connection",
        "httpcore.http11",
    ):  # others may have disabled them
        monkeypatch.setattr(logging.getLogger(name), "disabled", value=False)
    with _Server(("127.0.0.1", 0), type("_Two", (_Answers,), {"statuses": [429, 200]})) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        here = Transport(access(base_url=f"http://127.0.0.1:{server.server_port}/v1"))
        here.get(COSTS, [])
        here.close()
        server.shutdown()
    assert len(caplog.records) > 2
    for record in caplog.records:
        assert KEY not in f"{record.getMessage()} {vars(record)}"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What the limiter is asked for: the path, and how many in how many milliseconds."""
    turns: list[tuple[str, int, int]] = []

    def turn(limiter: Limiter, name: str = "", **_more: object) -> bool:
        (rate,) = limiter.bucket_factory.bucket.rates  # type: ignore[attr-defined]
        turns.append((name, rate.limit, rate.interval))
        return True

    monkeypatch.setattr(Limiter, "try_acquire", turn)
    return turns


def test_every_attempt_waits_for_its_turn_at_its_path(asked: list[tuple[str, int, int]]):
    wire = Wire(error(429), GOOD)
    made = transport(wire, base_url=VENDOR, allowed=(COSTS, "/organization/usage/.*"))
    made.get(COSTS, [])
    made.get("/organization/usage/images", [])
    minute = (6, 60_000)
    assert asked == [(COSTS, *minute), (COSTS, *minute), ("/organization/usage/images", *minute)]


def test_the_paths_of_one_endpoint_share_one_pace(monkeypatch: pytest.MonkeyPatch):
    paces: list[tuple[int, str]] = []

    def turn(limiter: Limiter, name: str = "", **_more: object) -> bool:
        paces.append((id(limiter), name.rpartition("/")[2]))
        return True

    monkeypatch.setattr(Limiter, "try_acquire", turn)
    made = transport(Wire(GOOD), base_url=VENDOR, allowed=("/p/[a-z]+/keys", "/p/[a-z]+/users"))
    for path in ("/p/a/keys", "/p/b/keys", "/p/a/users", "/p/b/users"):
        made.get(path, [])
    keys, users = ({pace for pace, kind in paces if kind == wanted} for wanted in ("keys", "users"))
    assert (len(paces), len(keys), len(users), keys & users) == (4, 1, 1, set())


def test_a_pace_from_the_settings_is_kept_even_on_this_machine(asked: list[tuple[str, int, int]]):
    transport(Wire(GOOD), requests_per_minute=90).get(COSTS, [])
    assert asked == [(COSTS, 90, 60_000)]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:9"])
def test_a_server_on_this_machine_needs_no_pace(asked: list[tuple[str, int, int]], host: str):
    transport(Wire(GOOD), base_url=f"http://{host}/v1").get(COSTS, [])
    assert asked == []


def test_a_pace_starts_no_thread():
    """One that is there at the end of a command makes libraries complain on stderr."""
    before = set(threading.enumerate())
    transport(Wire(GOOD), base_url=VENDOR).get(COSTS, [])
    assert set(threading.enumerate()) <= before


def test_the_seventh_request_in_a_minute_is_held_back():
    class HeldBackError(Exception):
        pass

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise HeldBackError

    wire = Wire(GOOD)
    made = transport(wire, base_url=VENDOR)
    for _ in range(6):
        made.get(COSTS, [])
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(HeldBackError):
            made.get(COSTS, [])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(wire.sent) == 6


def test_the_address_on_the_real_network_is_the_vendors_with_the_key_in_the_header_only() -> None:
    """Through httpx's own network transport, intercepted by respx: nothing of ours in between."""
    with respx.mock(assert_all_called=True) as vendor:
        route = vendor.get(VENDOR + COSTS, params={"limit": "1"}).respond(json={"data": []})
        reader = Transport(access(base_url=VENDOR, requests_per_minute=60))
        assert bytes(reader.get(COSTS, [("limit", "1")])) == b'{"data":[]}'
        reader.close()
    sent = route.calls.last.request
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY not in str(sent.url)
