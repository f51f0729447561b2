"""What the wire says of one person together, and what it says of others in the same place."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from openai_costs.kernel.json_texts import with_pseudonyms
from openai_costs.kernel.known_texts import known
from openai_costs.kernel.person_records import Cell
from openai_costs.kernel.pseudonyms import Pseudonyms

KEY: Final = b"a key of this test"
OLD: Final = (("id", "user-ben"), ("name", "Ben Bos"), ("email", "ben@acme.example"))
BEN: Final = Pseudonyms(KEY, [known(KEY, kind, text, "user-ben") for kind, text in OLD])
NAME, NEW = "Benjamin Bosman", "bosman@newco.example"
ANA: Final = {"id": "user-ana", "name": "Ana Alves", "email": "ana@acme.example"}


def after(entry: object, people: Pseudonyms = BEN) -> Any:  # noqa: ANN401 - parsed JSON
    return json.loads(with_pseudonyms(json.dumps(entry).encode(), people))


NAMED_ANEW: Final = {
    "a member": {"object": "organization.user", "id": "user-ben", "name": NAME, "email": NEW},
    "a member whose name is one level down": {
        "object": "organization.user",
        "user": {"object": "user", "name": NAME, "email": NEW},
        "id": "user-ben",
    },
    "the owner of a key": {
        "object": "organization.project.api_key",
        "id": "key_1",
        "owner": {"type": "user", "user": {"id": "user-ben", "name": NAME, "email": NEW}},
    },
    "the owner of an admin key": {
        "id": "key_2",
        "owner": {"type": "user", "id": "user-ben", "name": NAME, "role": "owner"},
    },
    "whoever used a workspace": {"identity": {"user_id": "user-ben", "email": NEW, "name": NAME}},
    "an actor": {"type": "user_actor", "user_id": "user-ben", "email_address": NEW, "name": NAME},
    "whoever holds a seat": {"assignee": {"login": "user-ben", "name": NAME, "type": "User"}},
    "a line of a bill": {"user_id": "user-ben", "user_email": NEW, "project_name": "search"},
    "a key of a gateway": {"token": "t1", "key_alias": "search", "user_id": "user-ben"}
    | {"user_alias": NAME, "user_email": NEW},
    "a request of a gateway": {"user_api_key_user_id": "user-ben", "user_api_key_user_email": NEW},
    "a pseudonym of before": {"id": BEN.text("user-ben"), "name": NAME, "email": NEW},
    "a known address": {"id": "user-9", "name": NAME, "email": "Ben@Acme.example"},
}


@pytest.mark.parametrize("entry", NAMED_ANEW.values(), ids=NAMED_ANEW)
def test_a_new_name_and_address_beside_what_is_known_go_too(entry: object) -> None:
    text = json.dumps(after(entry))
    assert not any(one in text for one in (NAME, NEW, "user-ben", "Acme.example"))
    assert "orgotten" in text


def test_what_is_not_of_the_person_stays_in_the_same_object() -> None:
    entry = {"id": "user-ben", "name": "owner", "role": "owner", "invited_by": ANA, "usd": 1.5}
    assert after(entry) | {"id": "", "name": ""} == entry | {"id": "", "name": ""}
    assert after(entry)["name"].startswith("Forgotten person ")


OF_OTHERS: Final = {
    "someone else": ANA,
    "someone with the same new name": {"id": "user-7", "name": NAME, "email": "b@x.example"},
    "a project": {"object": "organization.project", "id": "proj_1", "name": NAME},
    "the owner beside a key of theirs": {"id": "key_1", "name": "search", "owner": ANA},
}


@pytest.mark.parametrize("entry", OF_OTHERS.values(), ids=OF_OTHERS)
def test_others_stay_as_they_are(entry: object) -> None:
    both = [NAMED_ANEW["a member"], entry]
    assert after(both)[1] == entry


@pytest.mark.parametrize("key", [{"object": "organization.project.api_key"}, {"type": "api_key"}])
def test_a_key_whose_id_carries_a_name_keeps_a_new_name_of_its_own(key: dict[str, str]) -> None:
    people = Pseudonyms(KEY, [known(KEY, "id", "key_benbos", "user-ben")])
    entry = after({**key, "id": "key_benbos", "name": "search"}, people)
    assert entry["id"].startswith("key_forgotten-")
    assert entry["name"] == "search"


def test_an_invitation_keeps_its_own_id() -> None:
    entry = {"object": "organization.invite", "id": "invite-1", "email": "ben@acme.example"}
    assert after(entry)["id"] == "invite-1"
    assert after(entry)["email"].endswith("@forgotten.invalid")


def test_all_names_have_one_pseudonym_and_each_address_its_own() -> None:
    one = after(NAMED_ANEW["a member"])
    assert one["name"] == BEN.text("Ben Bos")
    assert one["email"] == after({"user_id": "user-ben", "email": NEW})["email"]
    assert one["email"] != BEN.text("ben@acme.example")


def test_a_word_that_is_a_name_of_theirs_is_no_identity() -> None:
    people = Pseudonyms(KEY, [known(KEY, "name", "Ada", "user-ada")])
    entry = {"login": "ada", "name": "Ada Byron", "email": "byron@acme.example"}
    assert after(entry, people)["name"] == "Ada Byron"


def test_an_id_that_everyone_with_the_master_key_has_is_of_no_one() -> None:
    shared = {"token": "t1", "user_id": "default_user_id", "user_email": "ben@acme.example"}
    made = after(shared)
    assert made["user_id"] == "default_user_id"
    assert made["user_email"] != shared["user_email"]


def test_a_new_id_beside_a_known_address_stays_as_the_bill_names_it() -> None:
    """Tables would have one account twice: days that were read before any list have the id."""
    made = after({"id": "user-9", "name": NAME, "email": "ben@acme.example"})
    assert made["id"] == "user-9"
    assert BEN.new_identities([Cell("id", "user-9"), Cell("email", "ben@acme.example")]) == []
