"""Puts pseudonyms in the place of what names a forgotten person, wherever it stands. Pure.

A text is cut into words, and each run of words that is as long as a name is compared; what an
address encodes is compared decoded. Not here: what is remembered of a name (known_texts.py), which
texts a page consists of (json_texts.py).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import quote, unquote_plus

from openai_costs.kernel.known_texts import Known, digest_of, known_of, name_of, spans_in, words_of
from openai_costs.kernel.person_records import ALIASES, Cell, Record, records

_ENCODED = re.compile(r"[\w.~+-]*(?:%[0-9A-Fa-f]{2}[\w.~+-]*)+|[^\W_]+(?:\+[^\W_]+)+")
"""What an address (a URL) encodes: ada%40acme.example, Ada+Lovelace."""


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
        self._given = {one.pseudonym: one.person for one in self._known.values()}
        self._given |= {name_of(whose): whose for whose in self._given.values()}
        self._identified: dict[str, str | None] = {}
        self._sharing = {one.person for one in self._known.values() if one.scope != "anywhere"}

    def and_also(self, more: Iterable[Known]) -> "Pseudonyms":
        """Return the same people, with more texts of theirs."""
        return Pseudonyms(self._key, [*self._known.values(), *more])

    @property
    def share_names(self) -> bool:
        """Whether any of them has a name that counts beside an id or an address of theirs."""
        return bool(self._sharing)

    def knows(self, value: str) -> bool:
        """Return whether a name, an id or an address is one of a forgotten person."""
        return self.whose(value) is not None

    def gave(self, value: str) -> bool:
        """Return whether a text is one of the pseudonyms."""
        return value in self._given

    def whose(self, value: str) -> str | None:
        """Return what all texts of the person have in common whom a text names as a whole.

        Args:
            value: A name, an id, an address, or what stands in the place of one.
        """
        one = self._known.get(digest_of(self._key, words_of(value)))
        return self._given.get(value) if one is None else one.person

    def of_cells(self, cells: Sequence[Cell]) -> dict[Cell, str]:
        """Return what stands in the place of all that an object or a row says of forgotten people.

        It is theirs by an id or an address, also by the pseudonym of one. Of anyone else, nothing.
        A new id stays, which is of an account that was made again: the bill names it by itself.
        """
        found = (self._of_record(one).items() for one in records(cells))
        return {cell: known.pseudonym for record in found for cell, known in record}

    def new_identities(self, cells: Sequence[Cell]) -> list[Known]:
        """Return the addresses of forgotten people in an object or a row that are new.

        Names are replaced beside them, and are not remembered: others may have the same.
        """
        return [
            known
            for record in records(cells)
            for cell, known in self._of_record(record).items()
            if record[cell] != "name" and known.digest not in self._known
        ]

    def _of_record(self, record: Record) -> dict[Cell, Known]:
        identities = (
            cell.text for cell, kind in record.items() if kind != "name" and cell.field != ALIASES
        )
        whose = next(filter(None, map(self._who_is, identities)), None)
        if whose is None:
            return {}
        return {
            cell: self._known.get(digest_of(self._key, words_of(cell.text)))
            or known_of(self._key, kind, cell.text, whose)
            for cell, kind in record.items()
            if not self.gave(cell.text) and (kind != "id" or self.knows(cell.text))
        }

    def _who_is(self, identity: str) -> str | None:
        """Return whom an id or an address is of; one that may be another text counts as no one."""
        if identity not in self._identified:
            one = self._known.get(digest_of(self._key, words_of(identity)))
            is_distinct = one is not None and one.scope in ("anywhere", "ids")
            whose = one.person if one is not None and is_distinct else self._given.get(identity)
            self._identified[identity] = whose
        return self._identified[identity]

    def identifier(self, value: str, beside: frozenset[str] = frozenset()) -> str:
        """Return an id with a pseudonym in its place, or in the place of names in it."""
        one = self._known.get(digest_of(self._key, words_of(value)))
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
            whole = self._known.get(digest_of(self._key, words_of(text)))
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
        spans, number = spans_in(value), 0
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
            one = self._known.get(digest_of(self._key, map(str.casefold, run)))
            if one is not None and _counts(one, run, beside, is_all=words == len(spans)):
                return one, words
        return None, 1


def _counts(one: Known, run: list[str], beside: Collection[str], *, is_all: bool) -> bool:
    """Return whether a text that is known counts where it stands; a number only as an id."""
    if one.scope == "anywhere" or (one.scope == "whole" and is_all):
        return True
    return one.person in beside and any(map(str.isalpha, "".join(run)))
