from __future__ import annotations

import hashlib
import hmac
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import openai_costs
from openai_costs.outputs.alerts.channels import webhook
from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.message import Addresses, message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import http_inbox

PAGE = (Path(openai_costs.__file__).parent.parent / "docs" / "alerts.md").read_text("utf-8")
MADE = message(finding(), change(), SPIKE, at=Addresses(dagster="https://d.example"))


def test_a_receiver_can_verify_the_signature_with_the_standard_library() -> None:
    with http_inbox() as inbox:
        webhook.send(MADE, Address("own", NOW, SecretStr(inbox.url), SecretStr("s1gning")))
    ((headers, content),) = inbox.got
    signed = headers["X-OpenAI-Costs-Timestamp"].encode() + b"." + content
    expected = hmac.new(b"s1gning", signed, hashlib.sha256).hexdigest()
    assert headers["X-OpenAI-Costs-Signature"] == f"v1={expected}"
    assert headers["X-OpenAI-Costs-Timestamp"] == str(int(NOW.timestamp()))
    assert headers["Idempotency-Key"] == "f1a2b3c4d5e6-1"


def test_a_program_gets_the_fields_of_the_finding() -> None:
    body = webhook.body(MADE)
    assert (body["version"], body["kind"], body["key"]) == (1, "opened", "f1a2b3c4d5e6")
    facts = body["finding"]
    assert isinstance(facts, dict)
    assert (facts["impact_usd"], facts["subject_id"], facts["owner"]) == (
        "412.50",
        "key_etl",
        "data-platform",
    )


# --- other receivers: the examples of docs/alerts.md -------------------------------------------


def documented(name: str) -> dict[str, Any]:
    """The route of that name in the documentation."""
    for fence in PAGE.split("```toml\n")[1:]:
        routes = tomllib.loads(fence.partition("```")[0]).get("alerts", {}).get("routes", ())
        for route in routes if isinstance(routes, list) else ():
            if route["name"] == name:
                return dict(route)
    raise AssertionError(f"docs/alerts.md has no route {name}")


def posted(name: str, kind: str, **other: Any) -> tuple[dict[str, str], Any]:  # noqa: ANN401
    """The headers and the body that a documented route sends about a change."""
    route = documented(name)
    made = message(
        finding(**other), change(2, kind), SPIKE, at=Addresses(dagster="https://d.example")
    )
    with http_inbox() as inbox:
        secrets = dict.fromkeys(route.get("headers_env", {}), SecretStr("Bearer s3cr3t"))
        address = Address("r", NOW, SecretStr(inbox.url), headers=secrets)
        webhook.send(made, replace(address, body_template=route["body_template"]))
    return inbox.got[0][0], inbox.bodies[0]


def test_alertmanager_gets_an_alert_that_fires_until_it_is_resolved() -> None:
    headers, (alert,) = posted("alertmanager", "growing", owner=None)
    assert "X-OpenAI-Costs-Signature" not in headers
    assert alert["labels"] == {
        "alertname": "anomalies.spike",
        "finding": "f1a2b3c4d5e6",
        "team": "unknown",
    }
    assert alert["annotations"]["summary"].startswith("Growing: Spend of API key etl")
    assert alert["generatorURL"].startswith("https://d.example/assets/")
    assert alert["endsAt"] == "2099-12-31T00:00:00Z"
    for kind in ("closed", "muted"):
        _, (resolved,) = posted("alertmanager", kind, owner=None)
        assert resolved["labels"] == alert["labels"]
        assert resolved["endsAt"] == "2026-11-23T12:00:00+00:00"


def test_incident_io_gets_an_alert_event_with_the_key_of_the_finding() -> None:
    headers, event = posted("incident-io", "opened")
    assert headers["Authorization"] == "Bearer s3cr3t"
    assert (event["status"], event["deduplication_key"]) == ("firing", "f1a2b3c4d5e6")
    assert event["title"].startswith("Warning: Spend of API key etl")
    assert event["metadata"] == {
        "rule": "anomalies.spike",
        "severity": "warning",
        "owner": "data-platform",
        "impact_usd": "412.50",
    }
    assert posted("incident-io", "closed")[1]["status"] == "resolved"


def test_a_name_cannot_change_the_json_of_a_template() -> None:
    name = '"}], <b>&\n'
    _, (alert,) = posted("alertmanager", "opened", subject_name=name, owner=name)
    assert alert["labels"]["team"] == name


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ nonsense | tojson }}", "cannot be rendered: 'nonsense' is undefined"),
        ("{{ nonsense }}", "cannot be rendered: 'nonsense' is undefined"),
        ("{% if %}", "cannot be rendered"),
        ("{{ title }}", "makes no JSON"),
        ("{{ ''.__class__.__mro__ }}", "cannot be rendered"),
    ],
)
def test_a_template_that_makes_no_json_is_an_error_that_says_why(
    template: str, problem: str
) -> None:
    assert problem in webhook.template_problem(template)
    address = Address("r", NOW, SecretStr("https://hooks.example"), body_template=template)
    with pytest.raises(DeliveryFailed, match=r"Correct it in route 'r'") as failed:
        webhook.send(MADE, address)
    assert failed.value.is_retryable


def test_the_documented_templates_have_no_problem() -> None:
    for name in ("alertmanager", "incident-io"):
        assert webhook.template_problem(documented(name)["body_template"]) == ""
