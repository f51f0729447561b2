"""How a provider's API is spoken to, whatever the account, as data. Pure.

A provider's folder holds its own `Api`. What stands here without a value is what most APIs do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from openai_costs.kernel.errors import Permission
from openai_costs.kernel.unreadable import UNREADABLE

MOST_QUOTED = 200
"""Bytes of an error body of unknown shape that a message quotes."""


class ErrorDetail(msgspec.Struct, frozen=True):
    """What an error body says: a message for people and a code for programs, where it has them."""

    message: str | None = None
    code: str | None = None


class _ErrorBody(msgspec.Struct):
    error: ErrorDetail


def bearer(key: str) -> Mapping[str, str]:
    """Return the header of RFC 6750."""
    return {"Authorization": f"Bearer {key}"}


def error_object(body: bytes) -> ErrorDetail:
    """Return what `{"error": {"message": ..., "code": ...}}` holds; else the body's first bytes."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody, strict=False).error
    except UNREADABLE:
        return ErrorDetail(message=body[:MOST_QUOTED].decode("utf-8", "replace"))


def mentions(message: str, words: Sequence[str]) -> bool:
    """Return whether a message contains any of some words, which are in small letters."""
    return any(one in message.casefold() for one in words)


def unknown_days(_body: bytes | bytearray) -> int:
    """Return 0: how many days a cut body had begun is not known."""
    return 0


@dataclass(frozen=True)
class Api:
    """How a provider's API is spoken to.

    Args:
        headers: Returns the headers that carry a key.
        error: Returns what an error body says.
        requests_per_minute: The pace that each endpoint bears; 0 for no limit.
        permission: What a key needs, for messages.
        permissions: The same for the patterns of paths that need something else.
        lookback_codes: Error codes which say that the provider keeps nothing that old.
        days_begun: Returns how many days a body that was cut short had begun.
        path_headers: Headers besides the key's, for the patterns of paths that need some.
        redirected: Patterns of the paths whose answer may be a redirect, to a download that needs
            no key. It is followed once, without the key; every other redirect is refused.
        busy: Words, in small letters, of a 403 which says that too much was asked for.
    """

    headers: Callable[[str], Mapping[str, str]] = bearer
    error: Callable[[bytes], ErrorDetail] = error_object
    requests_per_minute: int = 0
    permission: Permission = field(default_factory=Permission)
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    lookback_codes: frozenset[str] = frozenset()
    days_begun: Callable[[bytes | bytearray], int] = unknown_days
    path_headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    redirected: frozenset[str] = frozenset()
    busy: Sequence[str] = ()
