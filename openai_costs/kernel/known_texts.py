"""What is remembered of a forgotten person's name, id or address: a keyed digest. Pure.

Without the key, which is not kept with the data, neither digests nor pseudonyms say anything about
anyone. A text is what its words are, in capitals or not. Not here: where such a text stands in
others (pseudonyms.py).
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import Literal, NamedTuple

from openai_costs.kernel.person_records import Kind

Scope = Literal["anywhere", "whole", "beside", "ids"]
"""Where a text counts: as words of any text; as a whole text, or beside an id or an address of the
same person; only there; in a column of ids alone.
"""

_WORD = re.compile(r"[^\s\"'`,;:|/\\()<>\[\]{}=&?!#*~\u2013\u2014\u2018-\u201e\u2026\u00ab\u00bb]+")
"""What an id, an address or a word of a name consists of."""

_AROUND = "._-@+"
"""Signs that do not belong to a word where they stand at its ends."""

_PREFIX = re.compile(r"(?:[a-z]|user|key|apikey|svc|acct|invite|person|emp|gw|tok)[-_]")
"""What ids begin with that says of what they are; another beginning may be a part of a name."""

DISTINCT_LENGTH = 6
"""An id that is shorter may be a part of other texts, or a number of tokens."""

DOMAIN = "forgotten.invalid"


class Known(NamedTuple):
    """What is remembered of one name, id or address.

    Args:
        digest: Its keyed digest.
        pseudonym: What stands in its place.
        words: How many words it has.
        scope: Where it counts.
        person: A keyed digest that all texts of the same person have in common.
    """

    digest: str
    pseudonym: str
    words: int
    scope: Scope
    person: str


def known(key: bytes, kind: Kind, value: str, person: str, *, is_shared: bool = False) -> Known:
    """Return what is remembered of a name, an id or an address.

    Args:
        key: The key of the home.
        kind: What it is.
        value: The text itself.
        person: An id of the person, by which all names of theirs have one pseudonym.
        is_shared: Whether someone or something else has the same name.
    """
    return known_of(key, kind, value, person_of(key, person), is_shared=is_shared)


def person_of(key: bytes, text: str) -> str:
    """Return what all texts of a person have in common, by one of them."""
    return digest_of(key, words_of(text))[:8]


def name_of(whose: str) -> str:
    """Return what stands in the place of all names of a person."""
    return f"Forgotten person {whose}"


def known_of(key: bytes, kind: Kind, value: str, whose: str, *, is_shared: bool = False) -> Known:
    """Return the same of a person who is known by what all texts of theirs have in common."""
    digest, words = digest_of(key, words_of(value)), words_of(value)
    if kind == "name":
        pseudonym = name_of(whose)
    elif kind == "email":
        pseudonym = f"forgotten-{digest[:12]}@{DOMAIN}"
    else:
        prefix = _PREFIX.match(value)
        pseudonym = f"{prefix[0] if prefix else ''}forgotten-{digest[:12]}"
    scope = "beside" if is_shared and kind == "name" else scope_of(kind, value)
    return Known(digest, pseudonym, len(words), scope, whose)


def scope_of(kind: Kind, value: str) -> Scope:
    """Return where a text counts: one that may mean something else counts in fewer places."""
    words = words_of(value)
    is_number = not any(map(str.isalpha, value))
    if is_number or (kind == "id" and len(value) < DISTINCT_LENGTH):
        return "ids"
    is_word = kind == "name" and len(words) == 1 and words[0].isalpha()
    return "whole" if is_word else "anywhere"


def spans_in(value: str) -> list[tuple[int, int]]:
    """Return where the words of a text begin and end, without the signs around them."""
    found = []
    for match in _WORD.finditer(value):
        word = match[0].lstrip(_AROUND)
        start = match.end() - len(word)
        if word := word.rstrip(_AROUND):
            found.append((start, start + len(word)))
    return found


def words_of(value: str) -> list[str]:
    """Return the words of a text as they are compared."""
    composed = unicodedata.normalize("NFC", value)
    return [composed[start:end].casefold() for start, end in spans_in(composed)]


def digest_of(key: bytes, words: Iterable[str]) -> str:
    """Return the keyed digest of some words."""
    return hmac.new(key, " ".join(words).encode("utf-8", "replace"), sha256).hexdigest()
