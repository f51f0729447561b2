from __future__ import annotations

from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import pagerduty
from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.message import Addresses, message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import http_inbox


def test_a_finding_is_one_incident_from_its_opening_to_its_end() -> None:
    with http_inbox() as inbox:
        address = Address("oncall", NOW, SecretStr(inbox.url), SecretStr("routing"))
        for number, kind in enumerate(("opened", "growing", "closed"), start=1):
            made = message(finding(), change(number, kind), SPIKE)
            pagerduty.send(made, address)
    assert [one["event_action"] for one in inbox.bodies] == ["trigger", "trigger", "resolve"]
    assert {one["dedup_key"] for one in inbox.bodies} == {"f1a2b3c4d5e6"}
    assert {one["routing_key"] for one in inbox.bodies} == {"routing"}


def test_a_mute_resolves_the_incident() -> None:
    made = message(finding(), change(2, "muted"), SPIKE)
    assert pagerduty.event(made, "r")["event_action"] == "resolve"


def test_an_event_has_what_the_api_requires() -> None:
    made = message(
        finding(), change(severity="critical"), SPIKE, at=Addresses(dagster="https://d.example")
    )
    event = pagerduty.event(made, "r")
    assert event["payload"]["severity"] == "critical"
    assert event["payload"]["summary"] == made.title
    assert event["payload"]["source"] == "acme"
    assert event["links"] == [{"href": made.link, "text": "Details"}]


def test_a_field_without_a_value_is_left_out() -> None:
    made = message(finding(owner=None), change(), SPIKE)
    payload = pagerduty.event(made, "r")["payload"]
    assert "group" not in payload
    assert None not in payload.values()
    assert payload["class"] == "anomalies.spike"


def test_without_an_address_of_its_own_the_route_uses_pagerdutys() -> None:
    assert pagerduty.URL == "https://events.pagerduty.com/v2/enqueue"
