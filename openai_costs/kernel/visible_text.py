"""Characters that change how a text is read, without being seen: shown in place. Pure.

A terminal obeys control characters, and bidirectional ones make a name read as another. Names come
from providers and people; they are kept as they are, and shown so at the doors: the terminal,
messages, and the tables on Dagster's pages. The cost explorer does it in its own script.
"""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
"""All controls but tab and line feed; not the joiners that Persian, Hindi and emoji need."""


def visible(text: str) -> str:
    """Return a text whose control and bidirectional characters are shown as `<U+202E>`."""
    return _UNSEEN.sub(lambda unseen: f"<U+{ord(unseen[0]):04X}>", text)
