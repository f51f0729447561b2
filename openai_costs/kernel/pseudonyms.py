"""Puts pseudonyms in the place of what names a forgotten person, wherever it stands. Pure.

Whom to forget is known by keyed digests only: without the key, which is not kept with the data,
they say nothing about anyone, and neither do the pseudonyms. A text is cut into words, and each run
of words that is as long as a name is compared.
"""

import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple

Kind = Literal["id", "name", "email"]
Scope = Literal["anywhere", "whole", "ids"]
"""Where a text counts: as words of any text, as a whole text, or in a column of ids alone."""

_WORD = re.compile(r"[^\s\"'`,;:|/\\()<>\[\]{}=&?!#]+")
"""What an id, an address or a word of a name consists of."""

_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PREFIX = re.compile(r"[a-z]+[-_]")
DISTINCT_LENGTH = 6
"""A single word that is shorter may be a part of other people's names, or a number of tokens."""

DOMAIN = "forgotten.invalid"


class Known(NamedTuple):
    """What is remembered of one name, id or address.

    Args:
        digest: Its keyed digest.
        pseudonym: What stands in its place.
        words: How many words it has.
        scope: Where it counts.
    """

    digest: str
    pseudonym: str
    words: int
    scope: Scope


def known(key: bytes, kind: Kind, value: str, person: str) -> Known:
    """Return what is remembered of a name, an id or an address.

    Args:
        key: The key of the home.
        kind: What it is.
        value: The text itself.
        person: An id of the person, by which all names of theirs have one pseudonym.
    """
    digest, words = _digest(key, _words(value)), _words(value)
    if kind == "name":
        pseudonym = f"Forgotten person {_digest(key, _words(person))[:8]}"
    elif kind == "email":
        pseudonym = f"forgotten-{digest[:12]}@{DOMAIN}"
    else:
        prefix = _PREFIX.match(value)
        pseudonym = f"{prefix[0] if prefix else ''}forgotten-{digest[:12]}"
    return Known(digest, pseudonym, len(words), scope_of(kind, value))


def scope_of(kind: Kind, value: str) -> Scope:
    """Return where a text counts: one that may mean something else counts in fewer places."""
    words = _words(value)
    is_number = not any(map(str.isalpha, value))
    if is_number or (kind == "id" and len(value) < DISTINCT_LENGTH):
        return "ids"
    is_short = len(words) == 1 and len(words[0]) < DISTINCT_LENGTH and words[0].isalpha()
    return "whole" if kind == "name" and is_short else "anywhere"


class Pseudonyms:
    """The people to forget, and what stands in the place of their names.

    Args:
        key: The key of the home.
        people: What is remembered of each name, id and address.
    """

    def __init__(self, key: bytes, people: Iterable[Known]) -> None:
        self._key = key
        self._known: Mapping[str, Known] = {one.digest: one for one in people}
        self._lengths = sorted({one.words for one in self._known.values()}, reverse=True)
        self._texts: dict[str, str] = {}
        self._literals: dict[bytes, bytes] = {}

    def knows(self, value: str) -> bool:
        """Return whether a name, an id or an address is one of a forgotten person."""
        return _digest(self._key, _words(value)) in self._known

    def identifier(self, value: str) -> str:
        """Return an id with a pseudonym in its place, or in the place of names in it."""
        one = self._known.get(_digest(self._key, _words(value)))
        return self.text(value) if one is None else one.pseudonym

    def text(self, value: str) -> str:
        """Return a text with pseudonyms in the place of names."""
        if value not in self._texts:
            self._texts[value] = self._replaced(value)
        return self._texts[value]

    def body(self, content: bytes) -> bytes:
        """Return a page, a file or a line with pseudonyms; JSON keeps every other byte.

        What is no text is returned as it is.
        """
        if content.lstrip()[:1] in (b"{", b"[", b'"'):
            return _LITERAL.sub(lambda match: self._literal(match[0]), content)
        try:
            return self.text(content.decode()).encode()
        except UnicodeDecodeError:
            return content

    def _literal(self, literal: bytes) -> bytes:
        if literal not in self._literals:
            self._literals[literal] = self._new_literal(literal)
        return self._literals[literal]

    def _new_literal(self, literal: bytes) -> bytes:
        try:
            value = json.loads(literal, strict=False)
        except ValueError:
            return literal
        nested = value.lstrip()[:1] in ("{", "[") and '"' in value
        after = self.body(value.encode(errors="replace")).decode() if nested else self.text(value)
        return literal if after == value else json.dumps(after, ensure_ascii=False).encode()

    def _replaced(self, value: str) -> str:
        spans = [(match.start(), match.end()) for match in _WORD.finditer(value)]
        after, end, number = list[str](), 0, 0
        while number < len(spans):
            one, words = self._at(value, spans, number)
            if one is not None:
                first, last = spans[number][0], spans[number + words - 1][1]
                tail = len(value[first:last]) - len(value[first:last].rstrip(".…"))
                after += [value[end:first], one.pseudonym]
                end, number = last - tail, number + words
            else:
                number += 1
        return "".join([*after, value[end:]]) if after else value

    def _at(
        self, value: str, spans: list[tuple[int, int]], number: int
    ) -> tuple[Known | None, int]:
        """Return what the words that begin at a number name, and how many words that are."""
        for words in self._lengths:
            if number + words > len(spans):
                continue
            run = [value[start:end] for start, end in spans[number : number + words]]
            one = self._known.get(_digest(self._key, _normal(run)))
            is_all = words == len(spans)
            if one is not None and (one.scope == "anywhere" or (one.scope == "whole" and is_all)):
                return one, words
        return None, 0


def _words(value: str) -> list[str]:
    return _normal(_WORD.findall(value))


def _normal(words: Iterable[str]) -> list[str]:
    return [unicodedata.normalize("NFC", word).casefold().rstrip(".…") for word in words]


def _digest(key: bytes, words: Iterable[str]) -> str:
    return hmac.new(key, " ".join(words).encode(), sha256).hexdigest()
