"""Slack, through an incoming webhook: https://api.slack.com/messaging/webhooks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.channels.http import post_json
from openai_costs.outputs.alerts.message import ID_LABELS, Line, Message

# https://api.slack.com/reference/block-kit/blocks
HEADER_LIMIT = 150
SECTION_LIMIT = 3000
BLOCK_LIMIT = 50
TEXT_LIMIT = 3000
"""Slack accepts 40,000 characters, but shows this text only in notifications."""
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
COPIED = frozenset({*ID_LABELS.values(), "Details", "Acknowledge", "Mute", "Rule"})
"""What people copy or search for is shown as code, character by character."""
_TICKED = {ord("`"): "\u02cb"}
_PLAIN = _TICKED | str.maketrans({"*": "\u2217", "~": "\u223c"})
_MARKING = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that may begin or end italics: within a word Slack shows it as it is."""


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
    """Return text that Slack shows as it is: without mentions and without links."""
    for sign, entity in _ESCAPES:
        text = text.replace(sign, entity)
    return text


def _sections(message: Message) -> Iterator[str]:
    """Yield the lines in few sections: a new one at each heading, or when one is full."""
    section = ""
    for line in message.lines:
        shown = _cut(_shown(line, message.link), SECTION_LIMIT)
        is_full = len(section) + len(shown) + 1 > SECTION_LIMIT
        if section and (is_full or not line.label):
            yield section
            section = ""
        section = f"{section}\n{shown}" if section else shown
    if section:
        yield section


def _shown(line: Line, link: str) -> str:
    if not line.label:
        return f"*{_unmarked(line.text)}*"
    if line.label in COPIED and line.text != link:
        return f"{line.label}: `{escaped(line.text.translate(_TICKED))}`"
    text = escaped(line.text) if line.text == link else _unmarked(line.text)
    if line.link:
        text = f"<{escaped(line.link)}|{text}>"
    return f"*{line.label}:* {text}"


def _unmarked(text: str) -> str:
    """Return text without what Slack takes for bold, italics, code or struck out."""
    return escaped(_MARKING.sub("\u02cd", text.translate(_PLAIN)))


def _plain(text: str) -> Mapping[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
