from __future__ import annotations

from typing import Final
from urllib.parse import unquote_plus

import pytest

from openai_costs.kernel.known_texts import known, scope_of
from openai_costs.kernel.pseudonyms import Pseudonyms

KEY: Final = b"a key of this test"
ADA: Final = (
    ("id", "user-ada"),
    ("name", "Ada Lövelace"),
    ("name", "Ada"),
    ("email", "ada@acme.example"),
    ("id", "1042"),
)


def forgotten(key: bytes = KEY) -> Pseudonyms:
    return Pseudonyms(key, [known(key, kind, text, "user-ada") for kind, text in ADA])


@pytest.mark.parametrize(
    "text",
    [
        "user-ada",
        "user:user-ada",
        "Ask ADA LÖVELACE.",
        "Ada  Lo\u0308velace's key",
        "<ada@acme.example>, and others",
        "Ada",
    ],
)
def test_a_name_is_replaced_wherever_it_stands(text: str) -> None:
    after = forgotten().text(text)
    assert "forgotten" in after.casefold()
    assert not any(word in after.casefold() for word in ("ada", "lövelace"))


@pytest.mark.parametrize(
    "text", ["user-adam", "Ada Byron", "ada@acme.example.org", "1042", "claude-haiku", "Adam", ""]
)
def test_what_only_resembles_a_name_stays_as_it_is(text: str) -> None:
    assert forgotten().text(text) == text


def test_what_surrounds_a_name_stays() -> None:
    after = forgotten().text("$3.20 of user-ada, since 2026-11-01.")
    assert after.startswith("$3.20 of user-forgotten-")
    assert after.endswith(", since 2026-11-01.")


def test_a_number_is_replaced_as_an_id_and_in_no_text() -> None:
    assert forgotten().identifier("1042").startswith("forgotten-")
    assert forgotten().text("1042 tokens") == "1042 tokens"
    assert scope_of("id", "1042") == "ids"


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/?u=ada%40acme.example&n=1",
        "?u=ADA%40ACME.EXAMPLE",
        "?name=Ada+L%C3%B6velace",
        "*Ada Lövelace*",
        "\u201cAda Lövelace\u201d\u2013",
        "@user-ada",
    ],
)
def test_what_a_url_or_a_markup_hides_is_replaced(text: str) -> None:
    after = unquote_plus(forgotten().text(text)).casefold()
    assert "forgotten" in after
    assert not any(word in after for word in ("ada", "lövelace"))


def test_a_name_of_two_is_replaced_beside_an_id_of_the_forgotten_alone() -> None:
    shared = known(KEY, "name", "Bob Smith", "user-bob", is_shared=True)
    people = Pseudonyms(KEY, [known(KEY, "id", "user-bob", "user-bob"), shared])
    assert people.text("Bob Smith spent $3.20") == "Bob Smith spent $3.20"
    beside = people.named(["acme", "user:user-bob"])
    assert people.text("Bob Smith spent $3.20", beside) == f"{shared.pseudonym} spent $3.20"
    assert people.named(["user-other", "Bob Smith"]) == frozenset()


def test_pseudonyms_are_the_same_with_one_key_and_others_with_another() -> None:
    assert forgotten().text("user-ada") == forgotten().text("user-ada")
    assert forgotten().text("user-ada") != forgotten(b"another").text("user-ada")
    assert forgotten().text("Ada Lövelace") == forgotten().text("Ada")
    assert forgotten().knows("ADA@acme.example")
    assert not forgotten().knows("bob@acme.example")


def test_a_pseudonym_keeps_what_an_id_is_of_and_no_part_of_a_name():
    named = {one: known(KEY, "id", one, one).pseudonym for one in ("user_01hyejin", "hyejin-p")}
    assert named["user_01hyejin"].startswith("user_forgotten-")
    assert named["hyejin-p"].startswith("forgotten-")
