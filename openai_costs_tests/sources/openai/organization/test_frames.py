from datetime import date
from itertools import permutations
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from openai_costs.kernel.errors import PageRefused
from openai_costs.sources.openai.organization.listings import listing
from openai_costs.sources.organization.frames import Usable, folded, usable
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.core.users import Users
from openai_costs_tests.sources.openai.organization.wire import (
    ids,
    key,
    kind_of,
    made,
    project,
    read,
    recorded,
    rows,
    seconds,
    user,
)

TENTH, ELEVENTH, TWELFTH = (date(2026, 3, day) for day in (10, 11, 12))
SEEN = "id name status first_seen_day last_seen_day is_current"


def projects(*entries: dict[str, Any], **when: int) -> KeptRead:
    return read({"projects": list(entries)}, **when)


def test_a_thing_that_is_listed_is_current_and_seen_on_every_day_it_was():
    assert rows(Projects, SEEN, projects(project("a")), projects(project("a"), days=2)) == [
        ("proj_a", "A", "active", TENTH, TWELFTH, True)
    ]


def test_a_renamed_thing_has_its_new_name_and_is_one_row():
    reads = projects(project("a", name="Before")), projects(project("a", name="After"), days=1)
    assert rows(Projects, SEEN, *reads) == [("proj_a", "After", "active", TENTH, ELEVENTH, True)]


def test_a_name_that_is_no_longer_listed_is_remembered():
    reads = projects(project("a", name="Before")), projects(project("a", name=None), days=1)
    assert rows(Projects, "name is_current", *reads) == [("Before", True)]


def test_what_vanishes_keeps_its_last_name_and_the_last_day_it_was_listed():
    reads = projects(project("a"), project("b")), projects(project("b"), days=1)
    assert rows(Projects, SEEN, *reads) == [
        ("proj_a", "A", "vanished", TENTH, TENTH, False),
        ("proj_b", "B", "active", TENTH, ELEVENTH, True),
    ]


def test_what_returns_is_current_again_and_was_first_seen_at_first():
    reads = projects(project("a")), projects(days=1), projects(project("a"), days=2)
    assert rows(Projects, SEEN, *reads) == [("proj_a", "A", "active", TENTH, TWELFTH, True)]


def test_an_archived_project_is_archived_and_stays_so_when_it_vanishes():
    gone = project("a", status="archived", archived_at=seconds(TENTH))
    assert rows(Projects, "status is_current", projects(gone)) == [("archived", True)]
    assert rows(Projects, "status is_current", projects(gone), projects(days=1)) == [
        ("archived", False)
    ]


def test_a_project_without_a_status_is_archived_when_it_says_since_when():
    read_once = read({"projects": recorded("directory_projects", "active_and_archived")})
    assert rows(Projects, "id status", read_once) == [
        ("proj_harbour", "active"),
        ("proj_kites", "archived"),
        ("proj_nameless", "active"),
    ]
    silent = project("a", status=None, archived_at=seconds(TENTH))
    assert rows(Projects, "status", projects(silent)) == [("archived",)]


def keys(*entries: dict[str, Any], of: str = "a", **when: int) -> KeptRead:
    return read({f"api_keys.proj_{of}": list(entries)}, **when)


@pytest.mark.parametrize(
    ("expires", "reads", "status"),
    [
        (None, [0], "active"),
        (TWELFTH, [0, 1], "active"),
        (ELEVENTH, [0, 1], "expired"),
        (TENTH, [0], "expired"),
    ],
)
def test_a_key_is_expired_once_a_read_is_later_than_its_end(
    expires: date | None, reads: list[int], status: str
):
    one = key("k", expires_at=expires and seconds(expires))
    assert rows(ApiKeys, "status", *(keys(one, days=days) for days in reads)) == [(status,)]


@pytest.mark.parametrize(("expires", "status"), [(ELEVENTH, "expired"), (TWELFTH, "vanished")])
def test_a_key_that_vanished_has_expired_only_if_it_had_when_it_was_missed(
    expires: date, status: str
):
    one = key("k", expires_at=seconds(expires))
    reads = keys(one), keys(days=1), keys(days=5)
    assert rows(ApiKeys, "status is_current", *reads) == [(status, False)]


def test_keys_are_current_against_the_newest_list_of_their_own_project():
    first = read({"api_keys.proj_a": [key("k")], "api_keys.proj_b": [key("m")]})
    second = read({"api_keys.proj_a": []}, days=1, absent=["api_keys.proj_b"])
    assert rows(ApiKeys, SEEN, first, second) == [
        ("key_k", "k", "vanished", TENTH, TENTH, False),
        ("key_m", "m", "active", TENTH, TENTH, True),
    ]


def test_a_project_that_vanishes_takes_its_keys_along():
    first = read({"api_keys.proj_a": [key("k")], "api_keys.proj_b": [key("m")]})
    second = read({"api_keys.proj_a": [key("k")]}, days=1)
    assert rows(ApiKeys, SEEN, first, second) == [
        ("key_k", "k", "active", TENTH, ELEVENTH, True),
        ("key_m", "m", "vanished", TENTH, TENTH, False),
    ]


def test_a_list_of_the_organization_that_is_refused_leaves_its_things_as_they_were():
    reads = read({"users": [user("ada")]}), read({}, days=1, absent=["users"])
    assert rows(Users, SEEN, *reads) == [("user-ada", "Ada", "active", TENTH, TENTH, True)]


def test_a_list_that_was_never_asked_for_proves_nothing():
    assert rows(Users, "status", read({"users": [user("ada")]}), read({}, days=1)) == [("active",)]


def test_a_user_is_what_keeps_it_out():
    once = read({"users": recorded("directory_users", "flat_and_nested")})
    assert dict(rows(Users, "id status", once)) == {
        "user-runa": "active",
        "user-nils": "active",
        "user-odd": "banned",
        "user-off": "disabled",
        "user-bot": "active",
    }


def test_an_invite_is_expired_by_its_date_and_an_accepted_one_that_is_gone_stays_accepted():
    body = recorded("directory_invites", "every_status")
    then = read({"invites": body}, absent=[]), read({"invites": []}, days=1)
    assert rows(Invites, "id status", then[0]) == [
        ("invite-1", "pending"),
        ("invite-2", "accepted"),
        ("invite-3", "expired"),
        ("invite-4", "expired"),
    ]
    assert rows(Invites, "status", *then) == [
        ("vanished",),
        ("accepted",),
        ("expired",),
        ("expired",),
    ]


def test_an_admin_key_expires_like_any_other():
    body = recorded("directory_admin_api_keys", "person_and_robot")
    assert rows(AdminKeys, "id status", read({"admin_api_keys": body})) == [
        ("key_admin_a", "active"),
        ("key_admin_b", "expired"),
    ]


def test_a_member_of_two_projects_is_two_rows_and_leaves_one_of_them():
    both = [{"id": "user-ada", "role": "member"}]
    first = read({"members.proj_a": both, "members.proj_b": both})
    second = read({"members.proj_a": both, "members.proj_b": []}, days=1)
    assert rows(ProjectMembers, "project_id id status", first, second) == [
        ("proj_a", "user-ada", "active"),
        ("proj_b", "user-ada", "vanished"),
    ]


def test_a_service_account_that_moves_to_another_project_is_there():
    robot = {"id": "svc_a", "name": "robot"}
    first = read({"service_accounts.proj_a": [robot], "service_accounts.proj_b": []})
    second = read({"service_accounts.proj_a": [], "service_accounts.proj_b": [robot]}, days=1)
    assert rows(ServiceAccounts, "id project_id is_current", first, second) == [
        ("svc_a", "proj_b", True)
    ]


def test_a_limit_that_is_taken_away_has_vanished():
    limit = {"threshold_amount": 100, "currency": "USD", "enforcement": {"status": "enforcing"}}
    reads = read({"spend_limit.proj_a": limit}), read({"spend_limit.proj_a": b""}, days=1)
    assert rows(SpendLimits, "id status is_current", *reads[:1]) == [
        ("spend_limit.proj_a", "enforcing", True)
    ]
    assert rows(SpendLimits, "id status is_current", *reads) == [
        ("spend_limit.proj_a", "vanished", False)
    ]


def test_an_id_of_the_ledger_that_no_list_knows_is_a_row_that_says_so():
    bill = ids(("key_old", TENTH, TWELFTH, "3.50"), ("key_k", TENTH, TENTH, "1"))
    found = made(ApiKeys, keys(key("k")), ledger=bill)
    assert found.frame.select(SEEN.split()).rows() == [
        ("key_k", "k", "active", TENTH, TENTH, True),
        ("key_old", None, "not_listed", TENTH, TWELFTH, False),
    ]
    assert found.unlisted["id"].to_list() == ["key_old"]
    assert ApiKeys.broken_rules(found.frame) == []


def test_an_id_that_was_listed_once_is_not_called_unlisted():
    found = made(ApiKeys, keys(key("k")), keys(days=1), ledger=ids(("key_k", TENTH, TENTH, "1")))
    assert found.frame["status"].to_list() == ["vanished"]
    assert found.unlisted.is_empty()


def test_an_id_that_another_table_knows_is_not_called_unlisted():
    bill = ids(("svc_a", TENTH, TENTH, "1"), ("user-x", TENTH, TENTH, "1"))
    found = folded(kind_of(Users), ("acme", "openai"), Usable([], None), bill, ["svc_a"])
    assert found.frame["id"].to_list() == ["user-x"]


def test_without_any_read_every_id_of_the_ledger_is_a_row():
    found = made(Projects, ledger=ids(("proj_a", TENTH, TWELFTH, "2")))
    assert found.frame.select(SEEN.split()).rows() == [
        ("proj_a", None, "not_listed", TENTH, TWELFTH, False)
    ]
    assert (found.refused, found.remark, found.shrunk) == (None, "", None)


def test_a_read_with_a_page_that_cannot_be_used_leaves_the_table_as_it_was():
    before = made(Projects, projects(project("a")))
    broken = read({"projects": recorded("directory_projects", "without_id")}, days=1)
    after = made(Projects, projects(project("a")), broken)
    assert_frame_equal(after.frame, before.frame)
    assert isinstance(after.refused, PageRefused)
    assert "missing required field `id`" in str(after.refused)


def test_a_read_that_could_not_be_used_is_not_spoken_of_once_a_newer_one_can():
    broken = read({"projects": recorded("directory_projects", "without_id")})
    assert made(Projects, broken, projects(project("a"), days=1)).refused is None


def test_a_page_that_one_table_cannot_use_is_no_harm_to_the_others():
    broken = read(
        {"projects": recorded("directory_projects", "without_id"), "users": [user("ada")]}
    )
    assert made(Users, broken).frame["id"].to_list() == ["user-ada"]


def test_a_damaged_file_is_reported_and_the_other_reads_are_used():
    damaged = DamagedRead("acme", ELEVENTH, PageRefused("page", "the file", "is damaged"))
    reads = [projects(project("a")), damaged]
    kind = kind_of(Projects)
    found = folded(kind, ("acme", "openai"), usable([kind], listing, reads)[Projects], ids())
    assert found.frame["id"].to_list() == ["proj_a"]
    assert found.refused is damaged.error


def test_only_what_is_new_in_the_newest_read_is_remarked_on():
    new = read({"projects": recorded("directory_projects", "unknown_field")})
    assert made(Projects, new).remark == "unknown, kept in raw: projects.colour"
    assert made(Projects, new, projects(project("a"), days=1)).remark == ""


def many(count: int, **when: int) -> KeptRead:
    return projects(*(project(f"p{number}") for number in range(count)), **when)


@pytest.mark.parametrize(
    ("sizes", "shrunk"),
    [
        ([10], None),
        ([10, 10], None),
        ([10, 5], None),
        ([10, 4], (10, 4)),
        ([10, 0], (10, 0)),
        ([3, 1], (3, 1)),
        ([1, 0], None),
        ([4, 10], None),
        ([10, 4, 4], None),
    ],
)
def test_a_list_that_lost_more_than_half_of_its_rows_is_reported_with_both_numbers(
    sizes: list[int], shrunk: tuple[int, int] | None
):
    reads = (many(size, days=days) for days, size in enumerate(sizes))
    assert made(Projects, *reads).shrunk == shrunk


def test_looking_again_on_the_same_day_does_not_hide_that_a_list_shrank():
    reads = many(10), many(4, days=1), many(4, days=1, hours=1)
    assert made(Projects, *reads).shrunk == (10, 4)


def test_a_list_that_was_refused_has_not_shrunk():
    first = read({"api_keys.proj_a": [key("k"), key("m")], "api_keys.proj_b": [key("n")]})
    second = read({"api_keys.proj_b": [key("n")]}, days=1, absent=["api_keys.proj_a"])
    assert made(ApiKeys, first, second).shrunk is None


def test_projects_that_vanish_make_the_lists_of_keys_shrink():
    first = read({"api_keys.proj_a": [key("k"), key("m")], "api_keys.proj_b": [key("n")]})
    second = read({"api_keys.proj_b": [key("n")]}, days=1)
    assert made(ApiKeys, first, second).shrunk == (3, 1)


def people(*names: str, **when: int) -> KeptRead:
    return read({"users": [user(name) for name in names]}, **when)


MEMBERS = ("ada", "bo", "cleo", "dan")
ONE_IS_THERE = [(f"user-{name}", name == "ada") for name in MEMBERS]
ALL_ARE_THERE = [(f"user-{name}", True) for name in MEMBERS]


def test_what_a_list_that_shrank_lacks_is_gone_when_a_list_of_another_day_has_as_few():
    reads = people(*MEMBERS), people("ada", days=1), people("ada", days=1, hours=1)
    assert rows(Users, "id is_current", *reads) == ALL_ARE_THERE
    assert rows(Users, "id is_current", *reads, people("ada", days=2)) == ONE_IS_THERE


def test_who_a_list_that_shrank_has_is_as_it_says():
    first, second = people(*MEMBERS), read({"users": [user("ada", role="owner")]}, days=1)
    assert rows(Users, "id role last_seen_day", first, second)[:2] == [
        ("user-ada", "owner", ELEVENTH),
        ("user-bo", "reader", TENTH),
    ]


@pytest.mark.parametrize("after", [1, 2, 7])
def test_an_empty_list_of_members_is_not_believed_however_often_it_comes(after: int):
    reads = people(*MEMBERS), *(people(days=days) for days in range(1, after + 1))
    assert rows(Users, "id is_current", *reads) == ALL_ARE_THERE
    assert made(Users, *reads).shrunk == (4, 0)
    again = *reads, people(*MEMBERS[1:], days=8)
    assert [who for who, there in rows(Users, "id is_current", *again) if not there] == ["user-ada"]
    assert made(Users, *again).shrunk is None
    assert made(Users, *reads, people("ada", days=8)).shrunk == (4, 1)


def test_keys_may_all_be_deleted():
    reads = keys(key("k"), key("m")), keys(days=1)
    assert rows(ApiKeys, "is_current", *reads) == [(True,), (True,)]
    assert rows(ApiKeys, "is_current", *reads, keys(days=2)) == [(False,), (False,)]


def test_where_no_project_was_listed_nothing_is_known_of_their_keys():
    first = read({"projects": [project("a")], "api_keys.proj_a": [key("k")]})
    reads = first, read({}, days=1), read({}, days=2)
    assert rows(ApiKeys, "is_current", *reads) == [(True,)]


def test_a_list_that_was_refused_in_between_hides_nothing():
    reads = people(*MEMBERS), read({}, days=1, absent=["users"]), people("ada", days=2)
    assert made(Users, *reads).shrunk == (4, 1)
    assert rows(Users, "id is_current", *reads) == ALL_ARE_THERE


def test_invites_come_and_go():
    first = read({"invites": recorded("directory_invites", "every_status")})
    assert made(Invites, first, read({"invites": []}, days=1)).shrunk is None


STORY = (
    read({"projects": [project("a"), project("b")], "api_keys.proj_a": [key("k")]}),
    read({"projects": [project("a", name="New")], "api_keys.proj_a": []}, days=1),
    read({"projects": [project("a")]}, days=1, hours=2, absent=["api_keys.proj_a"]),
    read({"projects": [project("a")], "api_keys.proj_a": [key("k")]}, days=3),
)


@pytest.mark.parametrize("table", [Projects, ApiKeys])
def test_the_order_in_which_reads_are_folded_does_not_matter(table: Any):  # noqa: ANN401
    usual = made(table, *STORY)
    for order in permutations(STORY):
        assert_frame_equal(made(table, *order).frame, usual.frame)


@pytest.mark.parametrize("table", [Projects, ApiKeys])
def test_a_read_that_is_folded_twice_is_folded_once(table: Any):  # noqa: ANN401
    assert_frame_equal(made(table, *STORY, *STORY).frame, made(table, *STORY).frame)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=6))
def test_a_row_is_current_exactly_if_the_newest_list_that_is_believed_has_it(lists: list[set[str]]):
    reads = [
        projects(*(project(name) for name in sorted(names)), days=days)
        for days, names in enumerate(lists)
    ]
    found = made(Projects, *reads)
    frame = found.frame
    assert set(frame["id"]) == {f"proj_{name}" for names in lists for name in names}
    current = frame.filter("is_current")
    newest = {f"proj_{name}" for name in lists[-1]}
    assert set(current["id"]) >= newest
    assert found.shrunk or set(current["id"]) == newest
    assert set(current["status"]) <= {"active"}
    assert set(frame.filter(~pl.col("is_current"))["status"]) <= {"vanished"}
    assert (frame["first_seen_day"] <= frame["last_seen_day"]).all()


WHOLE = {
    "projects": recorded("directory_projects", "active_and_archived"),
    "users": recorded("directory_users", "flat_and_nested"),
    "invites": recorded("directory_invites", "every_status"),
    "admin_api_keys": recorded("directory_admin_api_keys", "person_and_robot"),
    "spend_limit": recorded("directory_spend_limit", "organization"),
    "spend_alerts": recorded("directory_spend_alerts", "to_three_people"),
    "api_keys.proj_harbour": recorded("directory_api_keys", "every_owner"),
    "members.proj_harbour": recorded("directory_members", "two_roles"),
    "service_accounts.proj_harbour": recorded("directory_service_accounts", "every_role"),
    "spend_limit.proj_harbour": recorded("directory_spend_limit", "project"),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table.table_name())
def test_every_table_keeps_its_contract_with_and_without_rows(kind: Kind):
    for reads in ((), (read({}),), (read(WHOLE),), (read(WHOLE), read({}, days=1))):
        found = made(kind.table, *reads)
        assert kind.table.broken_rules(found.frame) == []
    assert not made(kind.table, read(WHOLE)).frame.is_empty()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table.table_name())
def test_an_address_is_in_the_columns_of_members_and_invites_only(kind: Kind):
    frame = made(kind.table, read(WHOLE)).frame
    columns = {name for name in frame.columns if "@" in frame.select(name).write_csv()}
    assert columns == ({"email"} if kind.table in {Users, Invites} else set())
