from __future__ import annotations

import json
import unicodedata
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

import pytest

from openai_costs.outputs.forgetting.byte_texts import OVERLAP, Search

NAME: Final = "Änne Müller"
WAYS: Final = {
    "as it is": NAME,
    "in capitals": NAME.upper(),
    "decomposed": unicodedata.normalize("NFD", NAME),
    "JSON": json.dumps(["\n" + NAME]),
    "JSON in JSON": json.dumps(json.dumps([NAME])),
    "URL": f"?n={quote(NAME)}",
    "URL of a form": f"?n={quote_plus(NAME)}&m=1",
    "URL in small letters": quote(NAME, safe="").lower(),
    "web page": escape(NAME).replace("ü", "&#252;"),
    "no-break space": NAME.replace(" ", "\u00a0"),
    "Markdown": f"**{NAME}**, _{NAME}_",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_text_is_seen_however_it_is_written(way: str) -> None:
    assert Search([NAME]).is_in([WAYS[way].encode()])


@pytest.mark.parametrize(
    ("text", "content"),
    [("user-1", "user-12"), ("lee@x.example", "ann.lee@x.example"), ("Ann Lee", "Joann Leeds")],
)
def test_a_part_of_a_longer_word_does_not_count_and_is_noted(text: str, content: str) -> None:
    search = Search([text])
    assert not search.is_in([f'"{content}"'.encode()])
    assert search.longer == {content.casefold()}


def test_where_values_stand_side_by_side_a_text_counts_without_boundaries() -> None:
    search = Search(["user-1"])
    assert not search.is_in([b"user-12"])
    assert not search.is_anywhere_in([b"user-12user-3"])
    assert search.is_anywhere_in([b"user-1user-12"])


def test_a_text_on_the_boundary_of_two_chunks_is_seen() -> None:
    content = NAME.encode()
    assert all(
        Search([NAME]).is_in([b"." * OVERLAP + content[:at], content[at:]])
        for at in range(1, len(content))
    )


def test_a_part_of_a_path_is_seen_between_other_parts() -> None:
    assert Search(["/acme/"]).is_in([b"raw/openai/acme/costs"])


def test_without_texts_nothing_is_found() -> None:
    assert not Search([]).is_in([b"anything"])
