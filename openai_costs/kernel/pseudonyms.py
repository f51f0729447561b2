"""Puts pseudonyms in the place of what names a forgotten person, wherever it stands. Pure.

Whom to forget is known by keyed digests only: without the key, which is not kept with the data,
they say nothing about anyone, and neither do the pseudonyms. A text is cut into words, and each run
of words that is as long as a name is compared; what an address encodes is compared decoded. Not
here: which texts a page consists of (json_texts.py).
"""

import hmac
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from hashlib import sha256
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote_plus

Kind = Literal["id", "name", "email"]
Scope = Literal["anywhere", "whole", "beside", "ids"]
"""Where a text counts: as words of any text; as a whole text, or beside an id or an address of the
same person; only there; in a column of ids alone.
"""

_WORD = re.compile(r"[^\s\"'`,;:|/\\()<>\[\]{}=&?!#*~\u2013\u2014\u2018-\u201e\u2026\u00ab\u00bb]+")
"""What an id, an address or a word of a name consists of."""

_ENCODED = re.compile(r"[\w.~+-]*(?:%[0-9A-Fa-f]{2}[\w.~+-]*)+|[^\W_]+(?:\+[^\W_]+)+")
"""What an address (a URL) encodes: ada%40acme.example, Ada+Lovelace."""

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
    digest, words = _digest(key, _words(value)), _words(value)
    whose = _digest(key, _words(person))[:8]
    if kind == "name":
        pseudonym = f"Forgotten person {whose}"
    elif kind == "email":
        pseudonym = f"forgotten-{digest[:12]}@{DOMAIN}"
    else:
        prefix = _PREFIX.match(value)
        pseudonym = f"{prefix[0] if prefix else ''}forgotten-{digest[:12]}"
    scope = "beside" if is_shared and kind == "name" else scope_of(kind, value)
    return Known(digest, pseudonym, len(words), scope, whose)


def scope_of(kind: Kind, value: str) -> Scope:
    """Return where a text counts: one that may mean something else counts in fewer places."""
    words = _words(value)
    is_number = not any(map(str.isalpha, value))
    if is_number or (kind == "id" and len(value) < DISTINCT_LENGTH):
        return "ids"
    is_word = kind == "name" and len(words) == 1 and words[0].isalpha()
    return "whole" if is_word else "anywhere"


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
        self._texts: dict[tuple[str, frozenset[str]], str] = {}
        self._named: dict[str, frozenset[str]] = {}
        self._sharing = {one.person for one in self._known.values() if one.scope != "anywhere"}

    @property
    def share_names(self) -> bool:
        """Whether any of them has a name that counts beside an id or an address of theirs."""
        return bool(self._sharing)

    def knows(self, value: str) -> bool:
        """Return whether a name, an id or an address is one of a forgotten person."""
        return self.whose(value) is not None

    def gave(self, value: str) -> bool:
        """Return whether a text is one of the pseudonyms."""
        return any(one.pseudonym == value for one in self._known.values())

    def whose(self, value: str) -> str | None:
        """Return what all texts of the person have in common whom a text names as a whole."""
        one = self._known.get(_digest(self._key, _words(value)))
        return None if one is None else one.person

    def identifier(self, value: str, beside: frozenset[str] = frozenset()) -> str:
        """Return an id with a pseudonym in its place, or in the place of names in it."""
        one = self._known.get(_digest(self._key, _words(value)))
        return self.text(value, beside) if one is None else one.pseudonym

    def text(self, value: str, beside: frozenset[str] = frozenset()) -> str:
        """Return a text with pseudonyms in the place of names.

        Args:
            value: The text.
            beside: The people that the texts beside it name, as `named` returns them.
        """
        asked = value, beside & self._sharing
        if asked not in self._texts:
            self._texts[asked] = self._decoded(*asked)
        return self._texts[asked]

    def named(self, texts: Iterable[str]) -> frozenset[str]:
        """Return who is named by an id or an address in some texts, of those who share a name."""
        if not self._sharing:
            return frozenset()
        return frozenset(who for text in texts for who in self._named_in(text))

    def _named_in(self, text: str) -> frozenset[str]:
        if text not in self._named:
            whole = self._known.get(_digest(self._key, _words(text)))
            found = [
                one for _, _, one in self._matches(text, frozenset()) if one.scope == "anywhere"
            ]
            if whole is not None and whole.scope in ("anywhere", "ids"):
                found.append(whole)
            self._named[text] = frozenset(one.person for one in found) & self._sharing
        return self._named[text]

    def _decoded(self, value: str, beside: frozenset[str]) -> str:
        """Return a text with pseudonyms, also in the place of what a URL encodes."""
        value = _ENCODED.sub(partial(self._encoded, beside), value)
        return self._replaced(value, beside)

    def _encoded(self, beside: frozenset[str], match: re.Match[str]) -> str:
        before = unquote_plus(match[0])
        after = self._replaced(before, beside)
        return match[0] if after == before else quote(after, safe="")

    def _replaced(self, value: str, beside: frozenset[str]) -> str:
        composed = unicodedata.normalize("NFC", value)
        after, end = list[str](), 0
        for first, last, one in self._matches(composed, beside):
            after += [composed[end:first], one.pseudonym]
            end = last
        return "".join([*after, composed[end:]]) if after else value

    def _matches(self, value: str, beside: Collection[str]) -> Iterator[tuple[int, int, Known]]:
        """Yield where names stand in a text, the longest first of those that begin together."""
        spans, number = _spans(value), 0
        while number < len(spans):
            one, words = self._at(value, spans, number, beside)
            if one is not None:
                yield spans[number][0], spans[number + words - 1][1], one
            number += words

    def _at(
        self, value: str, spans: list[tuple[int, int]], number: int, beside: Collection[str]
    ) -> tuple[Known | None, int]:
        """Return what the words that begin at a number name, and how many words that are."""
        for words in self._lengths:
            if number + words > len(spans):
                continue
            run = [value[start:end] for start, end in spans[number : number + words]]
            one = self._known.get(_digest(self._key, map(str.casefold, run)))
            if one is not None and _counts(one, run, beside, is_all=words == len(spans)):
                return one, words
        return None, 1


def _counts(one: Known, run: list[str], beside: Collection[str], *, is_all: bool) -> bool:
    """Return whether a text that is known counts where it stands; a number only as an id."""
    if one.scope == "anywhere" or (one.scope == "whole" and is_all):
        return True
    return one.person in beside and any(map(str.isalpha, "".join(run)))


def _spans(value: str) -> list[tuple[int, int]]:
    """Return where the words of a text begin and end, without the signs around them."""
    found = []
    for match in _WORD.finditer(value):
        word = match[0].lstrip(_AROUND)
        start = match.end() - len(word)
        if word := word.rstrip(_AROUND):
            found.append((start, start + len(word)))
    return found


def _words(value: str) -> list[str]:
    composed = unicodedata.normalize("NFC", value)
    return [composed[start:end].casefold() for start, end in _spans(composed)]


def _digest(key: bytes, words: Iterable[str]) -> str:
    return hmac.new(key, " ".join(words).encode("utf-8", "replace"), sha256).hexdigest()
