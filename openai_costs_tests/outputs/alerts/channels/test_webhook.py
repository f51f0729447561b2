from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import webhook
from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.message import message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import http_inbox


def test_a_receiver_can_verify_the_signature_with_the_standard_library() -> None:
    made = message(finding(), change(), SPIKE, dagster_url=None)
    with http_inbox() as inbox:
        webhook.send(made, Address("own", NOW, SecretStr(inbox.url), SecretStr("s1gning")))
    ((headers, content),) = inbox.got
    signed = headers["X-OpenAI-Costs-Timestamp"].encode() + b"." + content
    expected = hmac.new(b"s1gning", signed, hashlib.sha256).hexdigest()
    assert headers["X-OpenAI-Costs-Signature"] == f"v1={expected}"
    assert headers["X-OpenAI-Costs-Timestamp"] == str(int(NOW.timestamp()))
    assert headers["Idempotency-Key"] == "f1a2b3c4d5e6-1"


def test_a_program_gets_the_fields_of_the_finding() -> None:
    body = webhook.body(message(finding(), change(), SPIKE, dagster_url=None))
    assert (body["version"], body["kind"], body["key"]) == (1, "opened", "f1a2b3c4d5e6")
    said = body["finding"]
    assert isinstance(said, dict)
    assert (said["impact_usd"], said["subject_id"], said["owner"]) == (
        "412.50",
        "key_etl",
        "data-platform",
    )
