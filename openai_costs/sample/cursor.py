"""The page cursor: opaque to a reader, and good for exactly one question.

Published cursors decode to an instant, a 32-bit fingerprint and the start of the next bucket;
this one has the same shape. Whoever changes a parameter between pages is refused.
"""

from __future__ import annotations

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from openai_costs.sample.refusals import invalid_page_token

_PREFIX: Final = "page_"
_SHAPE: Final = struct.Struct(">qIq")


def cursor(end_time: int, fingerprint: int, next_bucket_start: int) -> str:
    """A token for the page that starts at `next_bucket_start` (unix seconds)."""
    packed = _SHAPE.pack(end_time, fingerprint, next_bucket_start)
    return _PREFIX + urlsafe_b64encode(packed).decode()


def bucket_start(token: str, fingerprint: int) -> int:
    """Where the token points; raises the documented 400 unless the question is the same."""
    try:
        packed = urlsafe_b64decode(token.removeprefix(_PREFIX))
        _, expected, next_bucket_start = _SHAPE.unpack(packed)
    except (binascii.Error, struct.error, ValueError) as error:
        raise invalid_page_token() from error
    if expected != fingerprint or not token.startswith(_PREFIX):
        raise invalid_page_token()
    return int(next_bucket_start)
