from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from openai_costs.kernel.errors import CurrencyRefused, PageRefused
from openai_costs.sources.openai.organization.listings import listing
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.sources.organization.listings import Listing, entry_columns
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend_limits import SpendLimits
from openai_costs.tables.core.users import Users
from openai_costs.tables.entity import Known
from openai_costs_tests.sources.openai.organization.wire import (
    instant,
    key,
    kind_of,
    page,
    project,
    read,
    recorded,
    user,
)

JANUARY = instant(2024, 1, 10, 10)
MARCH_2024 = instant(2024, 3, 1)
MARCH_2026 = instant(2026, 3, 1)


def listed(table: type[Known], **lists: Any) -> Listing:  # noqa: ANN401
    """What one read lists: lists by name, a dot written as two underscores."""
    return listing(kind_of(table), read({k.replace("__", "."): v for k, v in lists.items()}))


def rows(found: Listing, columns: str) -> list[tuple[Any, ...]]:
    return found.rows.select(columns.split()).rows()


def test_a_project_is_what_its_entry_has_and_what_is_absent_is_null():
    found = listed(Projects, projects=recorded("directory_projects", "active_and_archived"))
    assert rows(found, "id name status created_at archived_at residency") == [
        (
            *("proj_harbour", "Harbour lights", "active", JANUARY, None),
            "EU_STORAGE_PROCESSING",
        ),
        (
            *("proj_kites", "Kites", "archived", instant(2024, 5, 1), instant(2025, 1, 1)),
            "GLOBAL",
        ),
        ("proj_nameless", None, None, instant(2024, 11, 1), None, None),
    ]


def test_a_key_has_the_owner_that_is_nested_below_its_type():
    found = listed(ApiKeys, api_keys__proj_a=recorded("directory_api_keys", "every_owner"))
    assert rows(found, "id project_id owner_type owner_id owner_name owner_project_access") == [
        ("key_person", "proj_a", "user", "user-runa", "Runa Vik", "active"),
        ("key_robot", "proj_a", "service_account", "svc_indexer", "indexer", "inactive"),
        ("key_untyped", "proj_a", "user", "user-runa", None, None),
        ("key_orphan", "proj_a", None, None, None, None),
    ]
    assert rows(found, "redacted_value created_at last_used_at expires_at")[0] == (
        *("sk-proj-****aa11", MARCH_2024, MARCH_2026),
        None,
    )


def test_zero_seconds_are_never_and_not_1970():
    never = project("proj_a", created_at=0, archived_at=0)
    found = listed(Projects, projects=[never])
    assert rows(found, "created_at archived_at") == [(None, None)]


def test_an_address_in_a_name_is_taken_out_of_it():
    found = listed(ApiKeys, api_keys__proj_a=recorded("directory_api_keys", "every_owner"))
    assert rows(found, "name")[3] == ("asked by [e-mail address]",)


def test_a_users_name_and_address_may_be_one_level_down():
    found = listed(Users, users=recorded("directory_users", "flat_and_nested"))
    assert rows(found, "id name email role status is_service_account") == [
        ("user-runa", "Runa Vik", "runa@harbour.example", "owner", None, False),
        ("user-nils", "Nils Aas", "nils@harbour.example", "reader", None, None),
        ("user-odd", None, None, None, "banned", None),
        ("user-off", None, None, None, "disabled", None),
        ("user-bot", "indexer", None, "reader", None, True),
    ]
    assert rows(found, "created_at added_at last_used_at")[0] == (
        *(instant(2024, 1, 9, 10), JANUARY),
        MARCH_2026,
    )


def test_an_invite_has_an_address_and_no_name():
    found = listed(Invites, invites=recorded("directory_invites", "every_status"))
    assert rows(found, "id name email role status accepted_at")[1] == (
        *("invite-2", None, "tor@harbour.example", "owner", "accepted"),
        instant(2024, 1, 11, 10),
    )


def test_an_admin_keys_owner_is_known_at_once():
    found = listed(
        AdminKeys, admin_api_keys=recorded("directory_admin_api_keys", "person_and_robot")
    )
    assert rows(found, "id owner_type owner_id expires_at") == [
        ("key_admin_a", "user", "user-runa", None),
        ("key_admin_b", "service_account", "svc_infra", instant(2025, 1, 1)),
    ]


def test_members_and_service_accounts_are_of_the_project_whose_list_they_are_in():
    people = listed(ProjectMembers, members__proj_a=recorded("directory_members", "two_roles"))
    robots = listed(
        ServiceAccounts,
        service_accounts__proj_b=recorded("directory_service_accounts", "every_role"),
    )
    assert rows(people, "project_id id name role added_at") == [
        ("proj_a", "user-runa", "Runa Vik", "owner", JANUARY),
        ("proj_a", "user-nils", None, "member", MARCH_2024),
    ]
    assert rows(robots, "project_id id name role") == [
        ("proj_b", "svc_indexer", "indexer", "member"),
        ("proj_b", "svc_idle", "idle", "none"),
    ]


def test_cents_become_dollars_exactly_and_a_limit_is_named_after_its_place():
    found = listed(
        SpendLimits,
        spend_limit=recorded("directory_spend_limit", "organization"),
        spend_limit__proj_a=recorded("directory_spend_limit", "project"),
        spend_alerts=recorded("directory_spend_alerts", "to_three_people"),
    )
    assert rows(found, "id kind project_id threshold_usd interval status recipients") == [
        ("spend_limit", "limit", None, Decimal("12500.50"), "month", "enforcing", None),
        ("spend_limit.proj_a", "limit", "proj_a", Decimal("0.01"), "month", "inactive", None),
        ("alert_soon", "alert", None, Decimal(5_000), "month", None, 3),
        ("alert_silent", "alert", None, Decimal("9999999999.99"), "month", None, None),
    ]


def test_a_limit_that_is_not_set_is_a_complete_list_without_rows():
    found = listed(SpendLimits, spend_limit=b"")
    assert found.rows.is_empty()
    assert found.complete == {"spend_limit"}


def test_recipients_are_counted_and_named_nowhere():
    found = listed(SpendLimits, spend_alerts=recorded("directory_spend_alerts", "to_three_people"))
    assert "@" not in found.rows.write_csv()


def test_a_threshold_in_another_currency_refuses_the_page():
    with pytest.raises(CurrencyRefused, match="currency is EUR"):
        listed(SpendLimits, spend_limit__proj_a=recorded("directory_spend_limit", "other_currency"))


@pytest.mark.parametrize(
    ("table", "name", "case", "words"),
    [
        (Projects, "projects", "without_id", r"data\[1\] .*missing required field `id`"),
        (Projects, "projects", "created_at_as_text", r"data\[0\]\.created_at .*got `str`"),
        (SpendLimits, "spend_limit", "without_threshold", "missing required field `threshold_am"),
    ],
)
def test_an_entry_without_what_we_rely_on_refuses_its_page(
    table: type[Known], name: str, case: str, words: str
):
    with pytest.raises(PageRefused, match=words) as refused:
        listed(table, **{name: recorded(f"directory_{name}", case)})
    assert f"raw/20260310T12.tar.zst!{name}.0.json" in str(refused.value)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"data": {}}', b'{"data": ["proj_a"]}', b"\xff"]
)
def test_a_page_that_is_no_page_is_refused(body: bytes):
    with pytest.raises(PageRefused):
        listed(Projects, projects=body)


@pytest.mark.parametrize("silly", [-1, 10**12, 1.5, True])
def test_an_instant_that_is_none_refuses_its_page(silly: object):
    with pytest.raises(PageRefused, match="created_at"):
        listed(Projects, projects=[project("a", created_at=silly)])


@pytest.mark.parametrize("cents", [-1, 10**15, 10.5, "100", None])
def test_a_threshold_that_is_no_number_of_cents_refuses_its_page(cents: object):
    limit = {"threshold_amount": cents, "currency": "USD"}
    with pytest.raises(PageRefused, match="threshold_amount"):
        listed(SpendLimits, spend_limit=limit)


@pytest.mark.parametrize(
    ("case", "remark"),
    [
        ("active_and_archived", ""),
        ("unknown_field", "unknown, kept in raw: projects.colour"),
        ("unknown_object", "unknown, kept in raw: object organization.workspace"),
    ],
)
def test_what_is_new_is_tolerated_and_remarked_on(case: str, remark: str):
    found = listed(Projects, projects=recorded("directory_projects", case))
    assert found.remark == remark
    assert found.rows["id"][0] == "proj_harbour"


def test_lists_of_other_kinds_are_left_alone():
    found = listed(ApiKeys, users=[user("ada")], members__proj_a=b"nonsense", api_keys__proj_a=[])
    assert found.complete == {"api_keys.proj_a"}


def test_all_pages_of_a_list_are_one_list():
    kept = read({"users": [user("ada")]})
    kept.bodies["users.1"] = page(user("bo"))  # type: ignore[index]  # a dict, seen as a Mapping
    found = listing(kind_of(Users), kept)
    assert found.rows["id"].to_list() == ["user-ada", "user-bo"]
    assert found.complete == {"users"}


def test_a_list_that_was_not_given_is_absent_and_not_complete():
    kept = read({"api_keys.proj_a": [key("k")]}, absent=["api_keys.proj_b", "users"])
    found = listing(kind_of(ApiKeys), kept)
    assert (found.complete, found.absent) == ({"api_keys.proj_a"}, {"api_keys.proj_b"})


def test_a_listing_is_of_its_reads_day_and_instant():
    found = listing(kind_of(Users), read({}, days=1, hours=3))
    assert (found.day, found.at) == (date(2026, 3, 11), instant(2026, 3, 11, 15))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table.table_name())
def test_rows_have_the_columns_and_types_of_the_contract(kind: Kind):
    found = listing(kind, read({}))
    assert dict(found.rows.drop("list").schema) == entry_columns(kind.table)
