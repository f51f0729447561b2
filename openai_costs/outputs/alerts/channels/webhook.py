"""A webhook of your own: JSON, signed, with a number that tells a repetition from a message.

The receiver computes HMAC-SHA256 of `<timestamp>.<body>` with the shared secret, compares it with
the header, and refuses a timestamp that is minutes old.
"""

import hashlib
import hmac
import json

from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.channels.http import post
from openai_costs.outputs.alerts.message import Message

VERSION = 1
TIMESTAMP = "X-OpenAI-Costs-Timestamp"
SIGNATURE = "X-OpenAI-Costs-Signature"
NUMBER = "Idempotency-Key"


def send(message: Message, address: Address) -> str:
    """Post a message with its signature."""
    content = json.dumps(body(message), sort_keys=True).encode()
    timestamp = str(int(address.now.timestamp()))
    signature = signed(address.secret.get_secret_value(), timestamp, content)
    headers = {TIMESTAMP: timestamp, SIGNATURE: f"v1={signature}", NUMBER: message.number}
    post(address, address.url.get_secret_value(), content, headers)
    return ""


def signed(secret: str, timestamp: str, content: bytes) -> str:
    """Return the signature of a body, in hexadecimal."""
    said = timestamp.encode() + b"." + content
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


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
