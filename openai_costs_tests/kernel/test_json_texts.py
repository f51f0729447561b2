from __future__ import annotations

import json
from typing import Final

from openai_costs.kernel.json_texts import with_pseudonyms
from openai_costs.kernel.known_texts import known
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs_tests.kernel.test_pseudonyms import KEY, forgotten

SERVICE: Final = Pseudonyms(
    KEY, [known(KEY, "name", "results", "svc-1"), known(KEY, "id", "svc-1-batch", "svc-1")]
)
BOB: Final = Pseudonyms(
    KEY,
    [
        known(KEY, "id", "user-bob", "user-bob"),
        known(KEY, "name", "Bob Smith", "user-bob", is_shared=True),
    ],
)


def test_a_page_keeps_every_byte_that_names_no_one() -> None:
    nested = json.dumps({"u": "user-ada"})
    page = rb'{ "amount": 0.10,"who":"Ada L\u00f6velace", "n": 1E-7, "tags": '
    page += json.dumps(nested).encode() + b" }"
    after = with_pseudonyms(page, forgotten())
    assert after.startswith(b'{ "amount": 0.10,"who":"Forgotten person ')
    assert b', "n": 1E-7, "tags": ' in after
    assert json.loads(json.loads(after)["tags"])["u"].startswith("user-forgotten-")
    assert with_pseudonyms(b'{"a": "b"}', forgotten()) == b'{"a": "b"}'
    assert with_pseudonyms(b"\xff\xfe", forgotten()) == b"\xff\xfe"


def test_a_key_of_an_object_that_describes_is_no_name() -> None:
    page = b'{"results": [{"id": "svc-1-batch", "role": "results", "name": "results"}]}'
    after = with_pseudonyms(page, SERVICE)
    [entry] = json.loads(after)["results"]
    assert entry["role"] == "results"
    assert entry["name"].startswith("Forgotten person ")


def test_a_key_of_an_object_that_is_an_address_is_replaced() -> None:
    after = json.loads(with_pseudonyms(b'{"ada@acme.example": {"spend": 1.50}}', forgotten()))
    assert next(iter(after)).endswith("@forgotten.invalid")


def test_of_two_with_one_name_the_other_keeps_it() -> None:
    page = b'[{"id":"user-bob","name":"Bob Smith"},{"id":"user-2","name":"Bob Smith","usd":1.0}]'
    bob, other = json.loads(with_pseudonyms(page, BOB))
    assert bob["name"].startswith("Forgotten person ")
    assert other == {"id": "user-2", "name": "Bob Smith", "usd": 1.0}


def test_a_line_of_a_table_of_text_is_one_row() -> None:
    after = with_pseudonyms(b"id,name\nuser-bob,Bob Smith\nuser-2,Bob Smith\n", BOB).decode()
    assert "Bob Smith" not in after.splitlines()[1]
    assert after.splitlines()[2] == "user-2,Bob Smith"
