"""The same person in several directories, or twice in one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_costs_tests.sources.people.test_people import listed, scim

BACKSTAGE = """\
kind: User
metadata: {name: ada}
spec: {profile: {displayName: Ada Min, email: Ada@tide.example}, memberOf: ["group:default/maps"]}
"""


def people(*files: tuple[str, str]) -> list[dict[str, Any]]:
    return listed(*files).frame.rows(named=True)


def test_an_address_in_two_directories_is_one_person_and_is_counted() -> None:
    found = listed(
        ("catalog.yaml", BACKSTAGE),
        ("hr.csv", "email,name,cost_center\nada@tide.example,Ada Minova,CC-7\n"),
    )
    (row,) = found.frame.rows(named=True)
    assert (row["person_id"], row["name"], row["team"]) == ("ada", "Ada Min", "maps")
    assert (row["cost_center"], row["status"]) == ("CC-7", "active")
    assert row["origin"] == "catalog.yaml, line 1; hr.csv, line 2"
    assert found.overlaps == 1


@pytest.mark.parametrize("hr_is_first", [True, False])
def test_who_left_according_to_one_directory_has_left(hr_is_first: bool) -> None:  # noqa: FBT001
    files = [
        ("catalog.yaml", BACKSTAGE),
        ("hr.csv", "email,status,left_day\nada@tide.example,Terminated,2026-11-04\n"),
    ]
    (row,) = people(*(reversed(files) if hr_is_first else files))
    assert (row["status"], str(row["left_day"])) == ("left", "2026-11-04")


def test_who_came_back_is_active_although_an_older_row_of_the_same_file_left() -> None:
    hr = "person_id,email,status\n1,ada@tide.example,terminated\n2,ada@tide.example,active\n"
    (row,) = people(("hr.csv", hr), ("catalog.yaml", BACKSTAGE))
    assert (row["person_id"], row["status"], row["team"]) == ("2", "active", "maps")


def test_ids_of_one_file_that_differ_in_case_alone_are_two_people() -> None:
    hr = "person_id,email,status\np2,ben@t.example,left\nP2,bea@t.example,active\n"
    rows = people(("hr.csv", hr))
    assert {row["person_id"]: (row["email"], row["status"]) for row in rows} == {
        "p2": ("ben@t.example", "left"),
        "P2": ("bea@t.example", "active"),
    }


def test_an_id_that_is_an_address_is_one_person_in_any_case() -> None:
    hr = "person_id,name\nben@t.example,Ben\nBEN@t.example,Ben\n"
    assert len(people(("hr.csv", hr))) == 1


def test_an_alias_that_is_a_main_address_elsewhere_is_the_same_person() -> None:
    mails = [{"value": "a.min@tide.example", "primary": True}, {"value": "ada@tide.example"}]
    idp = scim({"id": "7", "userName": "amin", "emails": mails})
    (row,) = people(("idp.json", idp), ("catalog.yaml", BACKSTAGE))
    assert row["email"] == "a.min@tide.example"
    assert row["aliases"] == "ada@tide.example,Ada@tide.example"


def test_a_shared_mailbox_makes_no_two_people_one() -> None:
    one = "email,aliases\nada@tide.example,desk@tide.example\njon@tide.example,desk@tide.example\n"
    other = "email,aliases,status\ncy@t.example,desk@tide.example,left\ndesk@tide.example,,left\n"
    rows = people(("a.csv", one), ("b.csv", other))
    assert {row["email"]: row["status"] for row in rows} == {
        "ada@tide.example": "active",
        "jon@tide.example": "active",
        "cy@t.example": "left",
        "desk@tide.example": "left",
    }


def test_one_id_of_two_directories_is_two_people_when_their_addresses_differ() -> None:
    rows = people(
        ("a.csv", "person_id,email\n7,ada@tide.example\n"),
        ("b.csv", "person_id,email\n7,jon@tide.example\n"),
    )
    assert {row["person_id"]: row["email"] for row in rows} == {
        "7": "ada@tide.example",
        "b:7": "jon@tide.example",
    }


def test_a_team_is_one_however_a_catalog_writes_it() -> None:
    refs = {"a": '["infra"]', "b": '["group:default/infra"]', "c": '["default/infra"]', "d": "[]"}
    users = [
        f"kind: User\nmetadata: {{name: {name}}}\nspec: {{memberOf: {ref}}}\n"
        for name, ref in refs.items()
    ]
    groups = "kind: Group\nmetadata: {name: infra}\nspec: {members: [d]}\n"
    rows = people(("users.yaml", "---\n".join(users)), ("groups.yaml", groups))
    assert {row["team"] for row in rows} == {"infra"}
    assert len(rows) == 4


def test_the_catalogs_api_names_teams_as_relations() -> None:
    user = {
        "kind": "User",
        "metadata": {"name": "ada"},
        "relations": [{"type": "memberOf", "targetRef": "group:default/infra"}],
    }
    (row,) = people(("entities.json", json.dumps({"items": [user]})))
    assert row["team"] == "infra"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "kind: User\nmetadata: {name: lin.park@acme.example}\n"),
        ("a.csv", "person_id,name\nlin.park@acme.example,Lin\n"),
        ("a.json", scim({"userName": "lin.park@acme.example"})),
    ],
)
def test_a_name_that_is_an_address_is_the_address(name: str, text: str) -> None:
    (row,) = people((name, text))
    assert row["email"] == "lin.park@acme.example"


ROW = "p{n}@tide.example,active,\n"


def test_one_odd_row_is_named_and_refuses_no_other() -> None:
    text = "email,status,left_day\n" + "".join(ROW.format(n=n) for n in range(20))
    odd = (
        "q@tide.example,moonlighting,\n"
        "r@tide.example,active,,extra\n"
        "s@tide.example,left,31.10.2026\n"
    )
    found = listed(("people.csv", text + odd))
    status = {row["email"]: row["status"] for row in found.frame.rows(named=True)}
    assert len(status) == 23
    assert [status[f"{name}@tide.example"] for name in "qrs"] == ["active", "active", "left"]
    assert [remark.partition(": ")[0] for remark in found.remarks] == [
        "people.csv, line 23",
        "people.csv, line 22",
        "people.csv, line 24",
    ]
    assert not any("@" in remark for remark in found.remarks)


def test_a_file_with_many_odd_rows_is_refused_with_the_first() -> None:
    rows = "".join(f"p{n}@tide.example,x{n}\n" for n in range(5))
    with pytest.raises(Exception, match=r"line 2: the status 'x0' is unknown.*5 rows of 5"):
        listed(("people.csv", f"email,status\n{rows}"))


def test_states_of_current_employees_are_no_reason_to_doubt() -> None:
    words = ["PASSWORD_EXPIRED", "LOCKED_OUT", "RECOVERY", "STAGED", "On Leave", "Active", "1"]
    rows = "".join(f"p{n}@tide.example,{word}\n" for n, word in enumerate(words))
    found = listed(("okta.csv", f"email,status\n{rows}g@tide.example,Retired\n"))
    assert found.remarks == ()
    assert found.frame["status"].to_list().count("active") == len(words)


def test_each_file_may_have_its_own_columns_and_separator() -> None:
    rows = listed(
        ("entra.csv", "mail;dept\nada@tide.example;maps\n"),
        columns={"email": "mail", "team": "dept"},
        separator=";",
    ).frame
    assert rows.select("email", "team").rows() == [("ada@tide.example", "maps")]


@pytest.mark.parametrize(
    ("heads", "cells"),
    [
        ("login,firstName,lastName,email,status", "a@x.example,Ada,Min,ada@tide.example,ACTIVE"),
        ("userPrincipalName,givenName,surname,mail", "a@x.example,Ada,Min,ada@tide.example"),
        ("Employee ID,Worker,Email - Work,Worker Status", "7,Ada Min,ada@tide.example,On Leave"),
        ("first_name,last_name,email", "Ada,Min,ada@tide.example"),
    ],
    ids=["okta", "entra", "workday", "ours"],
)
def test_a_csv_export_of_a_known_directory_needs_no_columns(heads: str, cells: str) -> None:
    (row,) = people(("people.csv", f"{heads}\n{cells}\n"))
    assert (row["name"], row["email"]) == ("Ada Min", "ada@tide.example")
