from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.channels.http import post_json
from openai_costs_tests.outputs.alerts.fixtures import NOW
from openai_costs_tests.outputs.alerts.servers import Inbox, closed_port, http_inbox

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as one:
        yield one


def to(url: str) -> Address:
    return Address("finops", NOW, SecretStr(url), SecretStr("s1gning"))


def failure(url: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        post_json(to(url), url, {"a": 1})
    return failed.value


def test_a_busy_channel_is_retried_at_once(inbox: Inbox) -> None:
    inbox.answers = [(429, "slow down"), (503, "")]
    post_json(to(inbox.url), inbox.url, {"a": 1})
    assert inbox.bodies == [{"a": 1}] * 3


def test_a_channel_that_stays_down_is_left_to_a_later_tick(inbox: Inbox) -> None:
    inbox.answers = [(503, "maintenance")] * 3
    failed = failure(inbox.url)
    assert (failed.is_retryable, failed.may_have_arrived) == (True, False)
    assert str(failed) == "HTTP 503: maintenance"


def test_a_gateway_that_timed_out_may_have_passed_it_on(inbox: Inbox) -> None:
    inbox.answers = [(504, "")]
    failed = failure(inbox.url)
    assert (failed.is_retryable, failed.may_have_arrived) == (True, True)
    assert len(inbox.got) == 1


def test_a_refusal_is_final(inbox: Inbox) -> None:
    inbox.answers = [(404, "no_service")]
    failed = failure(inbox.url)
    assert (failed.is_retryable, len(inbox.got)) == (False, 1)


def test_what_a_receiver_answers_is_quoted_without_people_and_keys(inbox: Inbox) -> None:
    answer = (
        f"{{'no': 'bob@acme.example is off', 'key': 'sk-admin-{'a' * 40}', 'at': '{inbox.url}'}}"
    )
    for code in (302, 404, 500):
        inbox.answers = [(code, answer)] * 3
        assert str(failure(inbox.url)) == (
            f"HTTP {code}: {{'no': '[e-mail address] is off', 'key': 'sk-[redacted]', "
            "'at': '[redacted]'}"
        )


def test_a_closed_port_means_it_did_not_arrive() -> None:
    failed = failure(f"http://127.0.0.1:{closed_port()}/x")
    assert str(failed) == "no connection to the server: it refuses connections on this port"
    assert (failed.is_retryable, failed.may_have_arrived) == (True, False)


def test_a_connection_that_breaks_may_have_delivered_it_and_is_not_retried_at_once(
    inbox: Inbox,
) -> None:
    inbox.hangs_up = True
    failed = failure(inbox.url)
    assert (failed.is_retryable, failed.may_have_arrived) == (True, True)
    assert len(inbox.got) == 1


@pytest.mark.parametrize(
    "url", ["http://hooks.acme.example/x", "hooks", "ftp://127.0.0.1/x", "http://[", ""]
)
def test_an_address_without_encryption_is_refused_before_anything_is_sent(url: str) -> None:
    failed = str(failure(url))
    assert "not https" in failed
    assert not url or url not in failed


def test_no_error_and_no_log_holds_the_address(
    inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.answers = [(400, f"bad {inbox.url} services/T0/B0/s3cr3tpath s1gning")]
    with caplog.at_level(logging.DEBUG):
        failed = str(failure(inbox.url))
        post_json(to(inbox.url), inbox.url, {"a": 1})
    assert "s3cr3tpath" not in failed + caplog.text
    assert "s1gning" not in failed + caplog.text


def test_a_server_without_tls_is_named_as_the_cause(inbox: Inbox) -> None:
    failed = failure(inbox.url.replace("http://", "https://"))
    assert str(failed) == "no connection to the server: it does not speak TLS on this port"


def test_an_address_shows_neither_url_nor_secret_nor_recipients() -> None:
    shown = repr(Address("finops", NOW, SecretStr("u1"), SecretStr("s1"), "from@x", ["to@x"]))
    assert not {"u1", "s1", "from@x", "to@x"} & set(shown.replace("'", " ").split())
