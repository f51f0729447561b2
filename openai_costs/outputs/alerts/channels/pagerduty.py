"""PagerDuty, Events API v2: https://developer.pagerduty.com/docs/send-alert-event.

One incident for each finding: its id is the dedup_key, so a repetition changes nothing there.
"""

from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.channels.http import post_json
from openai_costs.outputs.alerts.message import Message

URL = "https://events.pagerduty.com/v2/enqueue"
SEVERITIES = {"critical": "critical", "warning": "warning", "info": "info"}
SUMMARY_LIMIT = 1024


def send(message: Message, address: Address) -> str:
    """Trigger an incident, or resolve it."""
    key = address.secret.get_secret_value()
    post_json(address, address.url.get_secret_value() or URL, event(message, key))
    return ""


def event(message: Message, routing_key: str) -> dict[str, Any]:
    """Return a message as an event; a field without a value is left out."""
    made: dict[str, Any] = {"routing_key": routing_key, "dedup_key": message.key}
    if message.resolves:
        return made | {"event_action": "resolve"}
    payload = {
        "summary": message.title[:SUMMARY_LIMIT],
        "source": message.facts.get("connection") or "openai_costs",
        "severity": SEVERITIES[message.severity],
        "component": message.facts.get("subject_id"),
        "group": message.facts.get("owner"),
        "class": message.facts.get("rule"),
        "custom_details": {line.label: line.text for line in message.lines},
    }
    return made | {
        "event_action": "trigger",
        "client": "openai_costs",
        "payload": {name: value for name, value in payload.items() if value},
        "links": [{"href": message.link, "text": "Details"}] if message.link else [],
    }
