"""Lists of people as the APIs of directories return them; every one has one active and one gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_costs_tests.sources.people.test_people import listed

Row = dict[str, Any]
OKTA = [
    {
        "id": "00u1",
        "status": "LOCKED_OUT",
        "profile": {
            "login": "ada.min@tide.example",
            "email": "ada@tide.example",
            "firstName": "Ada",
            "lastName": "Min",
            "department": "maps",
            "costCenter": "CC-7",
        },
    },
    {"id": "00u2", "status": "DEPROVISIONED", "profile": {"login": "jon@tide.example"}},
]
ENTRA = {
    "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#users",
    "value": [
        {
            "id": "e-1",
            "displayName": "Ada Min",
            "mail": "ada@tide.example",
            "userPrincipalName": "ada.min@tide.example",
            "proxyAddresses": ["SMTP:ada@tide.example", "smtp:ada.min@tide.example"],
            "department": "maps",
            "accountEnabled": True,
        },
        {"id": "e-2", "userPrincipalName": "jon@tide.example", "accountEnabled": False},
    ],
}
GOOGLE = {
    "kind": "admin#directory#users",
    "users": [
        {
            "id": "1",
            "primaryEmail": "ada@tide.example",
            "name": {"givenName": "Ada", "familyName": "Min"},
            "emails": [{"address": "ada@tide.example", "primary": True}],
            "aliases": ["ada.min@tide.example"],
            "organizations": [{"department": "maps", "costCenter": "CC-7", "primary": True}],
            "suspended": False,
        },
        {"id": "2", "primaryEmail": "jon@tide.example", "suspended": True},
    ],
}
GITHUB = [
    {"login": "ada", "id": 1, "name": "Ada Min", "email": "ada@tide.example", "type": "User"},
    {"login": "jon", "id": 2, "email": "jon@tide.example", "suspended_at": "2026-02-01T00:00:00Z"},
    {"login": "ci", "id": 3, "type": "Bot"},
]
WORKDAY_REPORT = {
    "Report_Entry": [
        {
            "Employee_ID": "7",
            "Worker": "Ada Min",
            "Email_Address": "ada@tide.example",
            "Worker_Status": "On Leave",
            "Supervisory_Organization": "maps",
        },
        {"Employee_ID": "8", "Email_Address": "jon@tide.example", "Worker_Status": "Terminated"},
    ]
}
WORKDAY_API = {
    "total": 2,
    "data": [
        {"id": "a1", "descriptor": "Ada Min", "primaryWorkEmail": "ada@tide.example"},
        {
            "id": "a2",
            "descriptor": "Jon Ek",
            "primaryWorkEmail": "jon@tide.example",
            "workerStatus": {"descriptor": "Terminated"},
        },
    ],
}
SCIM_OF_STRINGS = {
    "totalResults": 2,
    "Resources": [
        {
            "id": "7",
            "userName": "admin",
            "emails": ["ada@tide.example"],
            "name": {"givenName": "Ada", "familyName": "Min"},
        },
        {"id": "8", "userName": "jon@tide.example", "active": "False"},
    ],
}
LISTS = {
    "okta": OKTA,
    "entra": ENTRA,
    "google": GOOGLE,
    "github": GITHUB,
    "workday report": WORKDAY_REPORT,
    "workday api": WORKDAY_API,
    "scim with plain texts": SCIM_OF_STRINGS,
}


@pytest.mark.parametrize("document", LISTS.values(), ids=LISTS)
def test_the_list_of_a_directory_is_read_as_it_was_saved(document: object) -> None:
    found = listed(("people.json", json.dumps(document)))
    assert found.remarks == ()
    by_address = {row["email"]: row for row in found.frame.rows(named=True)}
    ada, jon = by_address["ada@tide.example"], by_address["jon@tide.example"]
    assert len(by_address) == 2
    assert (ada["name"], ada["status"]) == ("Ada Min", "active")
    assert jon["status"] == "left"


@pytest.mark.parametrize("document", [OKTA, ENTRA, GOOGLE], ids=["okta", "entra", "google"])
def test_every_other_address_is_an_alias_and_the_department_is_the_team(document: object) -> None:
    rows = listed(("people.json", json.dumps(document))).frame.rows(named=True)
    ada = next(row for row in rows if row["email"] == "ada@tide.example")
    assert (ada["aliases"], ada["team"]) == ("ada.min@tide.example", "maps")


def test_an_entry_of_another_kind_is_set_aside_and_its_addresses_are_known() -> None:
    entries = [*OKTA, {"mail": "cy@tide.example"}]
    found = listed(("people.json", json.dumps(entries)))
    assert "cy@tide.example" in found.frame["email"].to_list()
    (remark,) = found.remarks
    assert remark == "people.json, entry 3: is not a user of a directory we know"
