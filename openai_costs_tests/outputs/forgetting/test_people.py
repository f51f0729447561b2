from __future__ import annotations

import polars as pl

from openai_costs.kernel.person_records import Cell, Record
from openai_costs.outputs.forgetting.people import Person, bare_ids, called, labelled, people

USERS = pl.DataFrame(
    {
        "connection": ["acme", "acme", "beta"],
        "id": ["user-ada", "user-bob", "user-7"],
        "name": ["Ada Byron", "Bob", "Ada Byron"],
        "email": ["ada@acme.example", None, "other@acme.example"],
    }
)
COMPANY = pl.DataFrame(
    {
        "person_id": ["p-9"],
        "name": ["Ada"],
        "email": ["A@acme.example"],
        "aliases": ["ADA@acme.example,x@y.example"],
    }
)


def test_rows_with_an_address_in_common_are_one_person() -> None:
    [ada] = called(people([USERS, COMPANY]), "p-9")
    assert ada.ids == {"user-ada", "p-9"}
    assert ada.emails == {"ada@acme.example", "ADA@acme.example", "A@acme.example", "x@y.example"}
    assert str(ada) == "Ada, Ada Byron (p-9, user-ada; connection acme)"


def test_people_with_one_name_stay_two() -> None:
    assert len(called(people([USERS, COMPANY]), "ada byron")) == 2
    assert len(called(people([USERS, COMPANY]), "USER-ADA")) == 1
    assert called(people([USERS]), "carol") == []


def test_a_name_that_findings_distinguish_by_the_end_of_an_id_is_theirs() -> None:
    ada = Person(ids={"user-lovelace"}, names={"Ada Byron"})
    assert ("name", "Ada Byron \u00b7 velace") in ada.texts()
    assert str(ada) == "Ada Byron (user-lovelace)"


def test_a_key_that_carries_the_name_of_its_owner_names_them_too() -> None:
    ada = Person(ids={"user-1"}, names={"Ada Byron"})
    carrying = labelled(ada, [("key_1", "ada-laptop"), ("key_byron", "ci"), ("key_3", "adapter")])
    assert (carrying.ids, carrying.names) == ({"key_byron"}, {"ada-laptop"})


def test_an_account_that_has_its_login_for_a_name_may_be_of_whose_name_it_carries() -> None:
    ada, others = (
        Person(ids={"user-ada"}, names={"Ada Byron"}),
        [
            Person(ids={"user/ada"}),
            Person(ids={"ada-b"}, names={"ada-b"}),
            Person(ids={"ada-c"}, names={"Ada Clare"}),
            Person(ids={"ada-d"}, names={"ada-d"}, emails={"d@acme.example"}),
        ],
    )
    assert bare_ids(ada, [ada, *others]) == {"user/ada", "ada-b"}


def test_old_pages_add_what_stands_beside_an_id_and_no_address_that_was_handed_on() -> None:
    gus = Person(ids={"user-gus"}, names={"Gus Gil"}, emails={"intern@acme.example"})
    ana = Person(ids={"user-ana"}, names={"Ana Alves"}, emails={"ana@acme.example"})
    before: list[Record] = [
        of_person("user-ana", "Ana Alves", "intern@acme.example"),
        of_person("user-gus", "Gustavo Gil", "gil@old.example"),
        of_person("user-gus", "Gus Gil", "ana@acme.example"),
    ]
    gus.add_records(before, [ana])
    assert (gus.ids, gus.names) == ({"user-gus"}, {"Gus Gil", "Gustavo Gil"})
    assert gus.emails == {"intern@acme.example", "gil@old.example"}
    ana.add_records(before, [gus])
    assert (ana.ids, ana.names, ana.emails) == (
        {"user-ana"},
        {"Ana Alves"},
        {"ana@acme.example"},
    )


def of_person(account: str, name: str, address: str) -> Record:
    return {
        Cell("id", account): "id",
        Cell("name", name): "name",
        Cell("email", address): "email",
    }
