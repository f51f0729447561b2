"""A webhook: JSON of ours, or of a template of the settings, signed where there is a secret.

The receiver computes HMAC-SHA256 of `<timestamp>.<body>` with the shared secret, compares it with
the header, and refuses a timestamp that is minutes old.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from openai_costs.outputs.alerts.channels.channel import Address, DeliveryFailed
from openai_costs.outputs.alerts.channels.http import post
from openai_costs.outputs.alerts.message import FACTS, Line, Message

VERSION = 1
TIMESTAMP = "X-OpenAI-Costs-Timestamp"
SIGNATURE = "X-OpenAI-Costs-Signature"
NUMBER = "Idempotency-Key"
EXAMPLE = Message(
    key="f1a2b3c4d5e6",
    number="f1a2b3c4d5e6-1",
    kind="opened",
    severity="warning",
    title="Warning: an example",
    lines=[Line("Why", "an example")],
    facts=dict.fromkeys(FACTS, "example"),
)
"""What a template of the settings is tried with before there is a finding."""
_EXAMPLE_TIME = datetime(2026, 11, 20, 12, tzinfo=UTC)


def send(message: Message, address: Address) -> str:
    """Post a message, with its signature where the route has a secret.

    Raises:
        DeliveryFailed: It was refused, did not arrive, or its template makes no JSON.
    """
    content = _content(message, address)
    headers = {name: value.get_secret_value() for name, value in address.headers.items()}
    headers |= {NUMBER: message.number}
    if secret := address.secret.get_secret_value():
        timestamp = str(int(address.now.timestamp()))
        signature = signed(secret, timestamp, content)
        headers |= {TIMESTAMP: timestamp, SIGNATURE: f"v1={signature}"}
    post(address, address.url.get_secret_value(), content, headers)
    return ""


def signed(secret: str, timestamp: str, content: bytes) -> str:
    """Return the signature of a body, in hexadecimal."""
    text = timestamp.encode() + b"." + content
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def body(message: Message) -> dict[str, object]:
    """Return a message for a program."""
    return {
        "version": VERSION,
        "id": message.number,
        "key": message.key,
        "kind": message.kind,
        "severity": message.severity,
        "title": message.title,
        "text": message.text,
        "link": message.link or None,
        "is_possibly_repeated": message.is_possibly_repeated,
        "finding": dict(message.facts),
    }


def rendered(template: str, message: Message, now: datetime) -> bytes:
    """Return the body that a template makes of a message: the fields of `body`, and some more.

    Args:
        template: A Jinja template that makes JSON.
        message: The message.
        now: The instant of sending: `sent_at` of the template.

    Raises:
        ValueError: The template cannot be rendered, or makes no JSON.
    """
    more = {
        "status": "resolved" if message.resolves else "firing",
        "sent_at": now.isoformat(timespec="seconds"),
    }
    # The result is JSON and not HTML: the filter `tojson` escapes a value.
    sandbox = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    # `str` of an unknown name is an error that says the name; that of json.dumps does not.
    sandbox.policies["json.dumps_kwargs"] = {"default": str}
    try:
        text = sandbox.from_string(template).render(body(message) | more)
    except (TemplateError, TypeError) as broken:
        raise ValueError(f"body_template cannot be rendered: {broken}") from None
    try:
        json.loads(text)
    except json.JSONDecodeError as broken:
        raise ValueError(f"body_template makes no JSON: {broken}") from None
    return text.encode()


def template_problem(template: str) -> str:
    """Return why a template cannot be used, found with an example message; empty when it can."""
    try:
        rendered(template, EXAMPLE, _EXAMPLE_TIME)
    except ValueError as problem:
        return str(problem)
    return ""


def _content(message: Message, address: Address) -> bytes:
    if not address.body_template:
        return json.dumps(body(message), sort_keys=True).encode()
    try:
        return rendered(address.body_template, message, address.now)
    except ValueError as problem:
        reason = f"{problem}. Correct it in route {address.route!r}"
        raise DeliveryFailed(reason, is_retryable=True) from None
