"""Microsoft Teams, through a workflow "When a Teams webhook request is received".

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.channels.http import post_json
from openai_costs.outputs.alerts.message import Line, Message, Picture

# https://learn.microsoft.com/connectors/teams/: a message of more than about 28 KB is refused.
SIZE_LIMIT = 24_000
LINE_LIMIT = 1_000
STYLES = {"critical": "attention", "warning": "warning", "info": "accent"}
RESOLVED = "good"


def send(message: Message, address: Address) -> str:
    """Post a message to the workflow's channel or chat."""
    content_type = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": content_type, "contentUrl": None, "content": card(message)}
    body = {"type": "message", "attachments": [attachment]}
    post_json(address, address.url.get_secret_value(), body)
    return ""


def card(message: Message) -> dict[str, Any]:
    """Return a message as an Adaptive Card: a title, and a paragraph for each line."""
    color = RESOLVED if message.kind == "closed" else STYLES[message.severity]
    made: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [_paragraph(_run(message.title, size="medium", weight="bolder", color=color))],
    }
    if message.link:
        action = {"type": "Action.OpenUrl", "title": "Details", "url": message.link}
        made["actions"] = [action]
    if message.picture:
        made["body"].append(_image(message.picture))
    made["body"] += _within(SIZE_LIMIT - len(json.dumps(made)), message)
    return made


def _within(size: int, message: Message) -> Iterator[dict[str, Any]]:
    """Yield the lines until the card is full, and how many are left."""
    instead = message.picture.instead_of if message.picture else None
    lines = [line for line in message.lines if line.label != instead]
    for number, line in enumerate(lines):
        paragraph = _of(line)
        size -= len(json.dumps(paragraph))
        if size < 0:
            left = len(lines) - number
            text = f"{left} more lines: `openai-costs findings` lists all findings."
            yield _paragraph(_run(text))
            return
        yield paragraph


def _of(line: Line) -> dict[str, Any]:
    text = line.text if len(line.text) <= LINE_LIMIT else f"{line.text[: LINE_LIMIT - 3]}..."
    if not line.label:
        return _paragraph(_run(text, weight="bolder")) | {"separator": True, "spacing": "large"}
    opened = {"type": "Action.OpenUrl", "url": line.link}
    run = _run(text) | ({"selectAction": opened} if line.link else {})
    return _paragraph(_run(f"{line.label}: ", weight="bolder"), run) | {"spacing": "small"}


def _image(picture: Picture) -> dict[str, Any]:
    """Return a picture, embedded: https://adaptivecards.io/explorer/Image.html."""
    embedded = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    return {"type": "Image", "url": embedded, "altText": picture.alt, "size": "stretch"}


def _paragraph(*runs: dict[str, Any]) -> dict[str, Any]:
    """Return a paragraph of runs: unlike a TextBlock, it takes nothing for Markdown."""
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
