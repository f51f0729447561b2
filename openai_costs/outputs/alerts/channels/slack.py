"""Slack, through an incoming webhook: https://api.slack.com/messaging/webhooks."""

from collections.abc import Iterator, Mapping
from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.channels.http import post_json
from openai_costs.outputs.alerts.message import Line, Message

# https://api.slack.com/reference/block-kit/blocks
HEADER_LIMIT = 150
SECTION_LIMIT = 3000
BLOCK_LIMIT = 50
TEXT_LIMIT = 3000
"""Slack takes 40,000 characters, but shows the text in notifications only."""
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
COPIED = frozenset({"Id", "Details", "Silence"})
"""What is there to be copied is shown as code, sign by sign."""
_TICKED = {ord("`"): "\u02cb"}
_RAISED = _TICKED | str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c"})


def send(message: Message, address: Address) -> str:
    """Post a message to the webhook's channel."""
    body = {"text": _cut(escaped(message.text), TEXT_LIMIT), "blocks": list(blocks(message))}
    post_json(address, address.url.get_secret_value(), body)
    return ""


def blocks(message: Message) -> Iterator[Mapping[str, Any]]:
    """Yield the message as blocks: a header, then sections within Slack's limits."""
    yield {"type": "header", "text": _plain(_cut(message.title, HEADER_LIMIT))}
    sections = list(_sections(message))
    most = BLOCK_LIMIT - 2
    for section in sections[:most]:
        yield {"type": "section", "text": {"type": "mrkdwn", "text": section}}
    if len(sections) > most:
        left = f"... and more: `openai-costs findings` lists all ({len(sections) - most} parts)."
        yield {"type": "section", "text": {"type": "mrkdwn", "text": left}}


def escaped(text: str) -> str:
    """Return text that Slack shows as it is: no mention, no link of somebody else's making."""
    for sign, entity in _ESCAPES:
        text = text.replace(sign, entity)
    return text


def _sections(message: Message) -> Iterator[str]:
    """Yield the lines as few sections: a new one where a line has no label, or it is full."""
    section = ""
    for line in message.lines:
        said = _cut(_shown(line, message.link), SECTION_LIMIT)
        is_full = len(section) + len(said) + 1 > SECTION_LIMIT
        if section and (is_full or not line.label):
            yield section
            section = ""
        section = f"{section}\n{said}" if section else said
    if section:
        yield section


def _shown(line: Line, link: str) -> str:
    if not line.label:
        return f"*{escaped(line.said.translate(_RAISED))}*"
    if line.label in COPIED and line.said != link:
        return f"{line.label}: `{escaped(line.said.translate(_TICKED))}`"
    said = escaped(line.said) if line.said == link else escaped(line.said.translate(_RAISED))
    return f"*{line.label}:* {said}"


def _plain(text: str) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
