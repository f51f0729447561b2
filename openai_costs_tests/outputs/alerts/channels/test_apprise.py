from __future__ import annotations

import sys

import pytest
from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import apprise
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.message import message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import closed_port, http_inbox

# apprise looks for a module that Python 3.13 no longer has, and brings its own there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
MADE = message(finding(), change(), SPIKE)


def to(url: str) -> Address:
    return Address("other", NOW, SecretStr(url))


def test_a_message_arrives_through_apprise() -> None:
    with http_inbox() as inbox:
        assert apprise.send(MADE, to(inbox.url.replace("http://", "json://"))) == ""
    (body,) = inbox.bodies
    assert body["title"] == MADE.title
    assert "Owner: data-platform" in body["message"]


def failure(url: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        apprise.send(MADE, to(url))
    assert url not in str(failed.value)
    return failed.value


def test_a_message_that_apprise_cannot_deliver_is_retried() -> None:
    for url in (f"json://127.0.0.1:{closed_port()}/x", "nothing-of-the-kind"):
        assert failure(url).is_retryable


def test_the_reason_is_the_one_that_apprise_logs() -> None:
    with http_inbox() as inbox:
        inbox.answers = [(401, "no such user")]
        url = inbox.url.replace("http://", "json://ada:pa55word@")
        refused = str(failure(url))
    assert refused.startswith("apprise did not deliver the message: ")
    assert "error=401" in refused
    assert "pa55word" not in refused
    unreachable = str(failure(f"json://127.0.0.1:{closed_port()}/s3cr3t"))
    assert "onnection error" in unreachable
    assert "s3cr3t" not in unreachable


def test_without_the_extra_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryFailed, match="pip install 'openai_costs\\[apprise\\]'"):
        apprise.send(MADE, to("json://127.0.0.1"))
