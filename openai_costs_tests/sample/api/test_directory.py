from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.directory_lists import DIRECTORY_LISTS
from openai_costs.sample.api.options import (
    NO_SCOPE_ADMIN_KEY,
    SAMPLE_ADMIN_KEY,
    USAGE_ONLY_ADMIN_KEY,
)
from openai_costs.sample.api.serving import InProcessTransport
from openai_costs.sample.company.organisation import sample_organisation
from openai_costs_tests.sample.asking import (
    NOW,
    ORGANISATION,
    TODAY,
    ask,
    ask_directory,
    ask_usage,
    client,
    error,
    listed,
)

Thing = dict[str, Any]
FIXTURES = ORGANISATION.fixtures
PATHS = [one.path.removeprefix("/v1/organization/") for one in DIRECTORY_LISTS]
PLACES = [path.format(project_id="proj_labs") for path in PATHS]


def ids(path: str, params: Thing | None = None, *, now: datetime = NOW) -> list[str]:
    return [thing["id"] for thing in listed(path, params, now=now)]


def at(days_ago: int) -> datetime:
    return NOW - timedelta(days=days_ago)


@pytest.mark.parametrize("path", PLACES)
def test_a_list_says_where_it_begins_and_ends(path: str) -> None:
    page = ask_directory(path).json()
    assert page["object"] == "list"
    things = [thing["id"] for thing in page["data"]]
    assert [page["first_id"], page["last_id"]] == (
        [things[0], things[-1]] if things else [None, None]
    )
    assert page["has_more"] is False


def test_a_page_holds_20_things_by_default_and_100_at_most() -> None:
    app = create_app(sample_organisation(TODAY, rows_per_day=5_000), now=lambda: NOW)
    path = "/v1/organization/projects/proj_route_planner/api_keys"
    headers = {"Authorization": f"Bearer {SAMPLE_ADMIN_KEY}"}
    with httpx.Client(
        transport=InProcessTransport(app), base_url="http://sample", headers=headers
    ) as asker:
        assert len(asker.get(path).json()["data"]) == 20
        page = asker.get(path, params={"limit": 100}).json()
    assert len(page["data"]) == 100
    assert page["has_more"] is True


@pytest.mark.parametrize("limit", [0, 101, -1, "many"])
def test_a_limit_outside_1_to_100_is_refused(limit: object) -> None:
    assert error(ask_directory("users", {"limit": limit}))["param"] == "limit"


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(PLACES), st.integers(1, 20))
def test_pages_of_any_size_put_together_are_the_whole_list(path: str, limit: int) -> None:
    things: list[str] = []
    params: Thing = {"limit": limit}
    while True:
        page = ask_directory(path, params).json()
        things += [thing["id"] for thing in page["data"]]
        if not page["has_more"]:
            break
        params["after"] = page["last_id"]
    assert things == ids(path)


def test_a_list_cannot_go_on_after_something_that_is_not_in_it() -> None:
    assert error(ask_directory("users", {"after": "user-nobody"}))["param"] == "after"


@pytest.mark.parametrize("path", PLACES)
def test_an_unknown_parameter_is_refused(path: str) -> None:
    assert error(ask_directory(path, {"page": "x"}))["code"] == "unknown_parameter"


def test_some_lists_can_be_turned_round() -> None:
    keys = ids("admin_api_keys")
    assert ids("admin_api_keys", {"order": "desc"}) == keys[::-1]
    assert error(ask_directory("admin_api_keys", {"order": "up"}))["param"] == "order"


@pytest.mark.parametrize("path", PLACES)
def test_a_thing_can_be_asked_for_by_its_id(path: str) -> None:
    for thing in listed(path):
        assert ask_directory(f"{path}/{thing['id']}").json() == thing
    assert ask_directory(f"{path}/nobody").status_code == 404


def test_a_list_of_a_project_that_does_not_exist_is_not_found() -> None:
    refused = ask_directory("projects/proj_nobody/api_keys")
    assert refused.status_code == 404
    assert "proj_nobody" in error(refused)["message"]


def test_archived_projects_are_listed_only_for_those_who_ask() -> None:
    everything = listed("projects", {"include_archived": "true"})
    active = listed("projects")
    (archived,) = (project for project in everything if project not in active)
    assert (archived["id"], archived["status"]) == ("proj_atlas_2024", "archived")
    assert archived["archived_at"] is not None
    assert {project["status"] for project in active} == {"active"}
    assert ask_directory("projects/proj_atlas_2024").json() == archived


def test_a_project_is_active_until_its_archive_day() -> None:
    (atlas,) = (one for one in listed("projects", now=at(77)) if one["id"] == "proj_atlas_2024")
    assert (atlas["status"], atlas["archived_at"]) == ("active", None)


def test_what_was_made_later_is_not_listed_yet() -> None:
    assert "key_labs_new" in ids("projects/proj_labs/api_keys")
    assert "key_labs_new" not in ids("projects/proj_labs/api_keys", now=at(8))
    assert "proj_hack_week" not in ids("projects", now=at(151))
    assert ask_directory("projects/proj_hack_week/api_keys", now=at(151)).status_code == 404
    assert "invite-zeynep" not in ids("invites", now=at(5))
    assert "key_admin_costs" not in ids("admin_api_keys", now=at(112))
    assert ids("spend_alerts", now=at(500)) == []


def test_deleted_keys_vanish_on_their_day() -> None:
    path = "projects/proj_voice_guide/api_keys"
    assert "key_voice_trial" in ids(path, now=at(49))
    assert "key_voice_trial" not in ids(path)
    assert ask_directory(f"{path}/key_voice_trial").status_code == 404


def test_the_ledger_knows_a_key_that_no_list_has() -> None:
    known = {
        key
        for project in listed("projects", {"include_archived": "true"})
        for key in ids(f"projects/{project['id']}/api_keys", {"owner_project_access": "any"})
    }
    billed = {
        line.api_key_id
        for age in range(121)
        for line in ORGANISATION.ledger(TODAY - timedelta(days=age), NOW)
        if line.api_key_id
    }
    assert billed - known == {"key_atlas_batch", "key_voice_trial"}


def test_someone_who_left_vanishes_from_all_lists_and_the_key_stays() -> None:
    for path in ("users", "projects/proj_labs/users"):
        assert "user-jonas" in ids(path, now=at(26))
        assert "user-jonas" not in ids(path)
    path = "projects/proj_labs/api_keys"
    assert "key_labs_jonas" in ids(path, {"owner_project_access": "any"})
    assert ids(path, {"owner_project_access": "inactive"}) == ["key_labs_jonas"]
    assert "key_labs_jonas" not in ids(path, {"owner_project_access": "active"})


def test_keys_of_people_without_access_are_left_out_unless_asked_for() -> None:
    path = "projects/proj_labs/api_keys"
    assert "key_labs_jonas" not in ids(path)
    assert error(ask_directory(path, {"owner_project_access": "all"}))["param"] == (
        "owner_project_access"
    )


def test_a_key_has_an_owner_who_is_a_person_or_a_service_account() -> None:
    keys = {key["id"]: key for key in listed("projects/proj_finance_close/api_keys")}
    person, robot = keys["key_finance_freya"]["owner"], keys["key_finance_close"]["owner"]
    assert person["type"] == "user"
    assert person["user"]["id"] == "user-freya"
    assert person["user"]["email"] == "freya@tidewater-maps.example"
    assert robot["type"] == "service_account"
    assert robot["service_account"]["id"] == "svc_acct_ledger_close"
    assert "user" not in robot


def test_no_key_is_ever_shown() -> None:
    for project in FIXTURES.project_names:
        for key in listed(f"projects/{project}/api_keys"):
            assert "****" in key["redacted_value"]


def test_a_key_in_use_was_used_just_now_and_one_that_was_never_used_says_so() -> None:
    keys = {key["id"]: key for key in listed("projects/proj_labs/api_keys")}
    assert keys["key_labs_hyejin"]["last_used_at"] == int(NOW.timestamp())
    assert keys["key_labs_unused"]["last_used_at"] is None
    assert keys["key_labs_signe"]["last_used_at"] < int(at(120).timestamp())


@pytest.mark.parametrize("days_ago", [0, 30, 100, 119])
def test_nothing_in_a_list_lies_in_the_future(days_ago: int) -> None:
    now = at(days_ago)
    paths = [f"projects/{project}/api_keys" for project in ids("projects", now=now)] + [
        "projects",
        "users",
        "admin_api_keys",
        "invites",
    ]
    for path in paths:
        for thing in listed(path, now=now):
            for field in ("created_at", "added_at", "last_used_at", "accepted_at"):
                assert (thing.get(field) or 0) <= now.timestamp()


def test_users_are_people_and_service_accounts_by_the_ids_of_the_bill() -> None:
    users = {user["id"]: user for user in listed("users")}
    assert users["user-svc-route_api"]["is_service_account"] is True
    assert users["user-svc-route_api"]["email"] is None
    assert users["user-ines"]["is_service_account"] is False
    assert users["user-ines"]["role"] == "owner"
    billed = {line.user_id for line in ORGANISATION.ledger(TODAY - timedelta(days=3), NOW)}
    assert {user_id for user_id in billed if user_id} - {"user-jonas"} <= set(users)


def test_users_can_be_looked_up_by_email() -> None:
    found = listed("users", {"emails[]": ["olu@tidewater-maps.example", "x@y.example"]})
    assert [user["id"] for user in found] == ["user-olu"]


def test_a_service_account_of_a_project_has_the_id_of_an_owner() -> None:
    accounts = listed("projects/proj_support_desk/service_accounts")
    assert [account["id"] for account in accounts] == ["svc_acct_helpdesk_bot"]


def test_an_invitation_is_pending_then_expired_unless_it_was_accepted() -> None:
    def states(now: datetime) -> dict[str, str]:
        return {invite["id"]: invite["status"] for invite in listed("invites", now=now)}

    assert states(NOW) == {
        "invite-freya": "accepted",
        "invite-bogdan": "expired",
        "invite-zeynep": "pending",
    }
    assert states(at(38))["invite-bogdan"] == "pending"
    assert states(at(261))["invite-freya"] == "pending"


def test_thresholds_are_cents_and_most_projects_have_no_limit() -> None:
    limit = ask_directory("spend_limit").json()
    assert (limit["object"], limit["threshold_amount"]) == ("organization.spend_limit", 2_500_000)
    assert limit["enforcement"] == {"status": "enforcing"}
    of_project = ask_directory("projects/proj_labs/spend_limit").json()
    assert (of_project["object"], of_project["threshold_amount"]) == (
        "project.spend_limit",
        300_000,
    )
    assert of_project["enforcement"] == {"status": "inactive"}
    assert ask_directory("projects/proj_voice_guide/spend_limit").status_code == 404
    assert ask_directory("spend_limit", now=at(500)).status_code == 404


def test_alerts_name_the_mailboxes_they_go_to() -> None:
    assert ids("spend_alerts") == ["alert_bill", "alert_bill_high"]
    (alert,) = listed("projects/proj_labs/spend_alerts")
    assert alert["object"] == "project.spend_alert"
    assert alert["threshold_amount"] == 100_000
    assert alert["notification_channel"]["recipients"] == [
        "hyejin@tidewater-maps.example",
        "tobias@tidewater-maps.example",
    ]
    assert listed("projects/proj_voice_guide/spend_alerts") == []


def test_an_admin_key_belongs_to_an_owner_of_the_organization() -> None:
    owners = {person.id for person in FIXTURES.people if person.role == "owner"}
    keys = listed("admin_api_keys")
    assert {key["owner"]["id"] for key in keys} <= owners
    assert any(key["expires_at"] for key in keys)


def test_usage_scope_reads_money_and_usage_and_nothing_of_the_directory() -> None:
    assert ask(key=USAGE_ONLY_ADMIN_KEY).status_code == 200
    with client(key=USAGE_ONLY_ADMIN_KEY) as asker:
        question = {"start_time": int(at(2).timestamp())}
        assert asker.get("/v1/organization/usage/images", params=question).status_code == 200
    for path in (*PLACES, "spend_limit", "users/user-ines"):
        refused = ask_directory(path, key=USAGE_ONLY_ADMIN_KEY)
        assert refused.status_code == 403
        assert "Missing scopes: api.management.read" in error(refused)["message"]


def test_a_key_without_scopes_reads_nothing() -> None:
    with client(key=NO_SCOPE_ADMIN_KEY) as asker:
        refused = asker.get("/v1/organization/usage/completions")
    assert refused.status_code == 403
    assert "Missing scopes: api.usage.read" in error(refused)["message"]
    assert ask_directory("projects", key=NO_SCOPE_ADMIN_KEY).status_code == 403


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_the_directory_can_only_be_read(method: str) -> None:
    with client() as asker:
        assert asker.request(method, "/v1/organization/users/user-ines").status_code == 405
        assert asker.request(method, "/v1/organization/projects").status_code == 405


def test_the_same_moment_gives_the_same_directory() -> None:
    assert listed("users") == listed("users")
    again = sample_organisation(TODAY).fixtures
    assert again == FIXTURES
    assert FIXTURES.api_keys[0].created_at.tzinfo is UTC


def test_faults_of_one_list_leave_the_others_alone() -> None:
    spec = "users:500@every,api_keys:429@1"
    assert ask_directory("users", spec=spec).status_code == 500
    assert ask_directory("projects", spec=spec).status_code == 200
    assert ask_directory("projects/proj_labs/api_keys", spec=spec).status_code == 429
    assert ask_usage("completions", spec=spec).status_code == 200
