import json
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from openai_costs.kernel.errors import FileRefused
from openai_costs.settings import Directory, DirectoryFile
from openai_costs.sources.people.frames import Content, Listed, judged, read_people
from openai_costs.tables.core.engineers import Engineers

RULES = Directory()


def listed(*files: tuple[str, str], **said: Any) -> Listed:  # noqa: ANN401
    """What some files list; `columns` and `separator` are those of the file."""
    of_file = {name: said.pop(name) for name in ("separator",) if name in said}
    contents = [
        Content(name, text.encode(), DirectoryFile.model_validate({"path": name} | of_file))
        for name, text in files
    ]
    found = read_people(contents, Directory.model_validate(said))
    assert Engineers.broken_rules(found.frame) == []
    return found


def read(name: str, text: str, **said: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return listed((name, text), **said).frame.rows(named=True)


CATALOGUE = """\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: maps}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata:
  name: mira
  annotations:
    openai.com/user-id: user-mira
    finops/aliases: m.okafor@tide.example, mira@tide-labs.example
    finops/cost-center: CC-7
spec:
  profile: {displayName: Mira Okafor, email: Mira@tide.example}
  memberOf: [maps, everyone]
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jon, annotations: {finops/left-day: 2026-02-01}}
spec: {memberOf: []}
"""


def test_backstage_users_are_people_and_other_kinds_are_not():
    jon, mira = read("catalogue.yaml", CATALOGUE)
    assert (mira["person_id"], mira["name"], mira["email"]) == (
        "mira",
        "Mira Okafor",
        "Mira@tide.example",
    )
    assert mira["aliases"] == "m.okafor@tide.example,mira@tide-labs.example"
    assert (mira["team"], mira["cost_center"], mira["openai_user_id"]) == (
        "maps",
        "CC-7",
        "user-mira",
    )
    assert mira["origin"] == "catalogue.yaml, line 5"
    assert (jon["status"], str(jon["left_day"]), jon["email"]) == ("left", "2026-02-01", None)


def test_the_catalogues_own_api_says_the_same_in_json():
    user = {"kind": "User", "metadata": {"name": "mira"}, "spec": {"memberOf": ["maps"]}}
    (row,) = read("entities.json", json.dumps([user]))
    assert (row["person_id"], row["team"], row["status"]) == ("mira", "maps", "active")


def test_a_csv_with_our_columns_needs_no_mapping():
    text = (
        "email,name,team,status,aliases\n"
        "mira@tide.example,Mira,maps,active,m@tide.example; x@tide.example\n"
        "jon@tide.example,Jon,,terminated,\n"
    )
    mira, jon = sorted(read("people.csv", text), key=lambda row: row["name"], reverse=True)
    assert mira["aliases"] == "m@tide.example,x@tide.example"
    assert mira["person_id"].startswith("person-")
    assert "@" not in mira["person_id"]
    assert (jon["status"], jon["origin"]) == ("left", "people.csv, line 3")


def test_declared_columns_find_ours_in_an_export():
    columns = {"email": "Login", "team": "Org", "status": "State"}
    (row,) = read(
        "okta.csv", "Login,Org,State\nmira@tide.example,maps,DEPROVISIONED\n", columns=columns
    )
    assert (row["team"], row["status"]) == ("maps", "left")


def test_a_google_workspace_export_is_known_by_its_heads():
    heads = (
        "First Name [Required],Last Name [Required],Email Address [Required],Status [READ ONLY],"
        "Work Secondary Email,Department,Cost Center"
    )
    (row,) = read(
        "users.csv",
        f"\ufeff{heads}\nMira,Okafor,mira@tide.example,Suspended,m@tide.example,Maps,CC-7\n",
    )
    assert (row["name"], row["aliases"], row["team"]) == ("Mira Okafor", "m@tide.example", "Maps")
    assert row["status"] == "left"


def scim(*users: dict[str, Any], total: int | None = None) -> str:
    return json.dumps({"totalResults": len(users) if total is None else total, "Resources": users})


def test_scim_users_have_a_primary_address_and_others():
    work = {"department": "Maps", "costCenter": "CC-7"}
    mails = [{"value": "m@tide.example"}, {"value": "mira@tide.example", "primary": True}]
    user = {
        "id": "7",
        "userName": "mira.okafor@tide.example",
        "displayName": "Mira",
        "emails": mails,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": work,
    }
    (row,) = read("scim.json", scim(user))
    assert (row["person_id"], row["email"], row["team"]) == ("7", "mira@tide.example", "Maps")
    assert row["aliases"] == "m@tide.example,mira.okafor@tide.example"
    (gone,) = read("scim.json", scim({"userName": "jon", "active": False}))
    assert (gone["person_id"], gone["status"], gone["email"]) == ("jon", "left", None)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "kind: User\nmetadata: {name: [\n", ["a.yaml, line", "is not YAML", "Fix"]),
        ("a.yaml", "[" * 5000, ["a.yaml, line 1", "is not YAML (maximum recursion", "Fix"]),
        (
            "a.yaml",
            "---\nkind: Group\n---\nkind: User\nmetadata: {}\n",
            ["a.yaml, line 4", "metadata.name"],
        ),
        (
            "a.csv",
            "mail,name\nx@tide.example,X\n",
            ["a.csv, line 2", "neither an email", "the file has: mail, name"],
        ),
        (
            "a.json",
            '{"Resources": [{}], "totalResults": 1}',
            ["a.json", "neither an id"],
        ),
        ("a.json", '{"Resources": [7], "totalResults": 1}', ["a.json", "not a SCIM user"]),
        ("a.json", '{"Resources": ', ["a.json", "is not JSON", "as it is"]),
        ("a.json", '{"people": []}', ["a.json", "not a list of people", "Okta, Microsoft Entra"]),
        ("a.json", "[]", ["a.json", "not a list of people"]),
        ("a.json", '{"value": []}', ["a.json", "lists no people"]),
        ("a.csv", "email,name\n", ["a.csv", "lists no people"]),
        ("a.json", '{"value": [{}], "@odata.nextLink": "https://x"}', ["one page", "nextLink"]),
        ("a.json", '{"users": [{}], "nextPageToken": "x"}', ["one page", "nextPageToken"]),
        ("a.csv", "x@tide.example\ny@tide.example\n", ["a.csv, line 1", "Add a first line"]),
        ("a.csv", "x@tide.example,x@tide.example\n", ["a.csv, line 1", "Add a first line"]),
        ("a.json", scim({"userName": "a"}, total=300), ["a.json", "1 of 300 people", "count"]),
        ("a.txt", "x", ["a.txt", ".txt"]),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_its_remedy(name: str, text: str, said: list[str]):
    with pytest.raises(FileRefused) as refused:
        read(name, text)
    for part in said:
        assert part in str(refused.value)
    assert "x@tide.example" not in str(refused.value).casefold()


def people(active: int, left: int = 0) -> pl.DataFrame:
    lines = [f"p{n}@tide.example,active" for n in range(active)]
    lines += [f"q{n}@tide.example,left" for n in range(left)]
    text = "\n".join(["email,status", *lines])
    return listed(("people.csv", text)).frame


NO_ONE = Engineers.no_rows()
OTHERS = listed(("b.csv", "\n".join(["email", *(f"z{n}@other.example" for n in range(10))]))).frame
SAME_WITH_OTHER_IDS = listed(
    ("b.json", scim(*({"id": n, "userName": f"P{n}@tide.example"} for n in range(10))))
).frame


@pytest.mark.parametrize(
    ("now", "then", "doubt"),
    [
        (NO_ONE, NO_ONE, "no active person"),
        (people(0, left=9), people(9), "no active person"),
        (people(5), people(10), "5 active people where there were 10: 50 % are missing"),
        (people(6), people(10), ""),
        (people(1), NO_ONE, ""),
        (people(5, left=5), people(10), "50 % are missing"),
        (OTHERS, people(10), "10 active people where there were 10: 100 % are missing"),
        (SAME_WITH_OTHER_IDS, people(10), ""),
    ],
)
def test_a_directory_that_is_empty_or_shrank_by_half_is_not_used(
    now: pl.DataFrame, then: pl.DataFrame, doubt: str
):
    found = judged(now, then, RULES).doubt
    assert (doubt in found) if doubt else found == ""


def test_how_much_may_be_missing_is_a_setting():
    rules = Directory(largest_drop_pct=Decimal(90))
    assert judged(people(2), people(10), rules).doubt == ""


@pytest.mark.parametrize(
    ("active", "status"),
    [(None, "active"), ("True", "active"), ("false", "left"), ("False", "left"), (True, "active")],
)
def test_scim_may_write_truth_as_text_and_leave_out_what_it_does_not_know(
    active: Any,  # noqa: ANN401
    status: str,
):
    mails = [{"value": None}, {"type": "work"}, {"value": "m@tide.example", "primary": "True"}]
    user = {"id": 7, "userName": "mira", "active": active, "emails": mails}
    (row,) = read("scim.json", scim(user))
    assert (row["person_id"], row["status"], row["email"]) == ("7", status, "m@tide.example")
    (bare,) = read("scim.json", scim({"userName": "jon", "active": active, "emails": None}))
    assert (bare["email"], bare["status"]) == (None, status)


def test_a_later_page_of_scim_is_no_directory():
    page = json.loads(scim({"userName": "a"}, total=150)) | {"startIndex": 101}
    with pytest.raises(FileRefused, match="1 of 150 people"):
        read("scim.json", json.dumps(page))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "person_id,email\nmira@tide.example,mira@tide.example\n"),
        ("a.json", scim({"userName": "mira@tide.example"})),
        ("a.yaml", "kind: User\nmetadata: {name: Mira@tide.example}\n"),
    ],
)
def test_an_address_is_never_an_id(name: str, text: str):
    (row,) = read(name, text)
    assert row["person_id"] == read("b.csv", "email\nmira@tide.example\n")[0]["person_id"]
    assert "@" not in row["person_id"]


def test_aliases_may_stand_on_lines_of_their_own():
    (row,) = read("a.csv", 'email,aliases\na@tide.example,"b@tide.example\nc@tide.example"\n')
    assert row["aliases"] == "b@tide.example,c@tide.example"


def test_yaml_with_characters_that_are_no_text_is_refused_by_its_line():
    user = 'kind: User\nmetadata: {name: a, annotations: {finops/left-day: "\a"}}\n'
    with pytest.raises(FileRefused, match="special characters are not allowed") as refused:
        read("a.yaml", f"---\n{user}")
    assert "a.yaml, line " in str(refused.value)


@pytest.mark.parametrize("day", ["2026-02-30", "soon"])
def test_a_day_that_is_none_is_a_remark_and_the_person_counts_as_active(day: str):
    notes = f"{{finops/left-day: {day}}}"
    found = listed(("a.yaml", f"kind: User\nmetadata: {{name: a, annotations: {notes}}}\n"))
    assert found.frame["status"].to_list() == ["active"]
    (remark,) = found.remarks
    assert remark == f"a.yaml, line 1: '{day}' is not a day; write days as 2026-03-10"
