"""Finds texts in bytes, however these write them: the eyes of the proof. Pure.

A text is the same in capitals, composed or not, with any blanks, and as JSON, web pages and URLs
escape it. It counts as a word: `user-1` is not in `user-12`, nor `lee@x.example` in
`ann.lee@x.example`; such longer words are noted. Shares nothing with what removes names.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from html import unescape
from urllib.parse import unquote

OVERLAP = 4096
"""So many bytes of a chunk are looked at again with the next one."""

MOST_WORDS = 20
LONGEST_PART = 64
"""Of a longer word, so much before and after the text is noted."""

_LETTER, _JOINT = r"[^\W_]", r"[._+@-]"
_BEFORE = rf"(?<!{_LETTER})(?<!{_LETTER}{_JOINT})"
_AFTER = rf"(?!{_LETTER})(?!{_JOINT}{_LETTER})"
_ESCAPED = re.compile(r"\\+(u[0-9a-fA-F]{4}|[nrtbf/\"])")


class Search:
    """A search for texts.

    Args:
        texts: What is searched.
        patterns: What is searched too, as regular expressions of lower-case text.
    """

    def __init__(self, texts: Collection[str], patterns: Collection[str] = ()) -> None:
        self.longer: set[str] = set()
        self._texts = [_plain(text) for text in texts if text.strip()]
        longest_first = sorted(self._texts, key=len, reverse=True)
        any_of = "|".join((*map(_blank, longest_first), *patterns))
        rest = rf"(?:{_LETTER}|{_JOINT}){{0,{LONGEST_PART}}}"
        self._loose = re.compile(rf"(?:{any_of})") if any_of else None
        self._word = re.compile("|".join((*map(_as_word, longest_first), *patterns)))
        self._longer = re.compile(f"{rest}(?:{any_of}){rest}")

    def is_named(self, name: str) -> bool:
        """Return whether the name of a file has one of the texts."""
        return self.is_in([name.encode("utf-8", "replace")])

    def is_in(self, chunks: Iterable[bytes]) -> bool:
        """Return whether one of the texts stands in some bytes as a word."""
        before = b""
        for chunk in chunks:
            content = before[-OVERLAP:] + chunk
            if any(self._is_word_in(one) for one in _readings(content)):
                return True
            before = chunk
        return False

    def is_anywhere_in(self, chunks: Iterable[bytes]) -> bool:
        """Return whether one of the texts stands in some bytes, not as a part of a noted word."""
        before = b""
        for chunk in chunks:
            content = _plain((before[-OVERLAP:] + chunk).decode(errors="ignore"))
            if self._loose and self._loose.search(content):
                for word in sorted(self.longer, key=len, reverse=True):
                    content = content.replace(word, " ")
                if self._loose.search(content):
                    return True
            before = chunk
        return False

    def _is_word_in(self, content: str) -> bool:
        if self._loose is None or not self._loose.search(content):
            return False
        if self._word.search(content):
            return True
        for match in self._longer.finditer(content):
            if len(self.longer) < MOST_WORDS:
                self.longer.add(match[0])
        return False


def _readings(content: bytes) -> Iterable[str]:
    """Yield what bytes say: as they are, and with JSON, URLs and web pages read."""
    text = content.decode(errors="ignore")
    yield _plain(text)
    if "\\" in text:
        yield _plain(_ESCAPED.sub(_unescaped, text))
    if "%" in text:
        yield _plain(unquote(text, errors="replace"))
    if "&" in text:
        yield _plain(unescape(text))


def _unescaped(match: re.Match[str]) -> str:
    return str(json.loads(f'"\\{match[1]}"')) if match[1] not in '"\\' else match[1]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _as_word(text: str) -> str:
    """Return a pattern of a text that is not part of a longer word."""
    before = _BEFORE if text[0].isalnum() else ""
    return f"{before}{_blank(text)}{_AFTER if text[-1].isalnum() else ''}"


def _blank(text: str) -> str:
    """Return a pattern of a text, with any blanks between its words."""
    return r"[\s+]+".join(map(re.escape, text.split()))
