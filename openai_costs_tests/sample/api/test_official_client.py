"""The vendor's own client reads the sample API over a real socket, without a warning."""

from __future__ import annotations

import importlib
from multiprocessing import Pipe
from typing import TYPE_CHECKING

import pytest

from openai_costs.sample.api.app import create_app
from openai_costs.sample.api.options import SAMPLE_ADMIN_KEY, USAGE_ONLY_ADMIN_KEY
from openai_costs.sample.api.serving import serve
from openai_costs.sample.api.usage_endpoints import USAGE_ENDPOINTS
from openai_costs_tests.processes import started
from openai_costs_tests.sample.asking import NOW, ORGANISATION, ago, listed, unix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from types import ModuleType

    from openai.resources.admin.organization import Organization

START, END = unix(ago(4)), unix(ago(3))


def _serve(ready: Connection) -> None:
    serve(create_app(ORGANISATION, now=lambda: NOW), 0, ready.send)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    told, ready = Pipe(duplex=False)
    server = started(_serve, ready)
    try:
        assert told.poll(60)
        yield f"{told.recv()}/v1"
    finally:
        server.kill()
        server.join()
        told.close()
        ready.close()


@pytest.fixture(scope="module")
def openai() -> ModuleType:
    """The vendor's package, which loads for as long as some of these tests take."""
    return importlib.import_module("openai")


@pytest.fixture(scope="module")
def organization(openai: ModuleType, address: str) -> Iterator[Organization]:
    with openai.OpenAI(admin_api_key=SAMPLE_ADMIN_KEY, base_url=address) as client:
        yield client.admin.organization


def test_projects_are_listed_page_by_page(organization: Organization) -> None:
    projects = list(organization.projects.list(limit=3, include_archived=True))
    expected = [thing["id"] for thing in listed("projects", {"include_archived": "true"})]
    assert [project.id for project in projects] == expected
    assert {project.status for project in projects} == {"active", "archived"}


def test_users_are_listed_and_retrieved(organization: Organization) -> None:
    users = list(organization.users.list(limit=5))
    assert [user.id for user in users] == [thing["id"] for thing in listed("users")]
    ines = organization.users.retrieve("user-ines")
    assert (ines.email, ines.is_service_account) == ("ines@tidewater-maps.example", False)


def test_the_keys_of_a_project_are_listed_with_their_owners(organization: Organization) -> None:
    keys = list(
        organization.projects.api_keys.list("proj_labs", limit=2, owner_project_access="any")
    )
    assert {key.owner.user.id for key in keys if key.owner.user} == {
        "user-hyejin",
        "user-jonas",
        "user-signe",
    }
    assert organization.projects.retrieve("proj_labs").name == "Labs"


def test_members_and_service_accounts_of_a_project_are_listed(organization: Organization) -> None:
    members = organization.projects.users.list("proj_route_planner")
    assert {member.id for member in members} == {"user-ruben", "user-signe", "user-naima"}
    (account,) = organization.projects.service_accounts.list("proj_route_planner")
    assert account.name == "route-api"


def test_admin_keys_invites_and_alerts_are_listed(organization: Organization) -> None:
    assert len(list(organization.admin_api_keys.list(limit=1))) == 3
    assert {invite.status for invite in organization.invites.list()} == {
        "accepted",
        "expired",
        "pending",
    }
    assert [alert.threshold_amount for alert in organization.spend_alerts.list()] == [
        800_000,
        1_500_000,
    ]
    assert organization.spend_limit.retrieve().threshold_amount == 2_500_000


@pytest.mark.parametrize("endpoint", USAGE_ENDPOINTS)
def test_usage_is_read_from_every_endpoint(organization: Organization, endpoint: str) -> None:
    page = getattr(organization.usage, endpoint)(
        start_time=START, end_time=END, group_by=["project_id"]
    )
    (bucket,) = page.data
    assert bucket.results
    assert {result.object for result in bucket.results} == {USAGE_ENDPOINTS[endpoint].result_object}


def test_completions_are_grouped_and_add_up(organization: Organization) -> None:
    page = organization.usage.completions(
        start_time=START, end_time=END, group_by=["project_id", "api_key_id", "model", "batch"]
    )
    for result in page.data[0].results:
        assert result.object == "organization.usage.completions.result"
        assert result.input_tokens == sum(
            part or 0
            for part in (
                result.input_uncached_tokens,
                result.input_cached_tokens,
                result.input_cache_write_tokens,
            )
        )


def test_costs_are_read(organization: Organization) -> None:
    page = organization.usage.costs(start_time=START, end_time=END, group_by=["line_item"])
    (bucket,) = page.data
    found = {
        result.line_item: result.amount.value
        for result in bucket.results
        if result.object == "organization.costs.result" and result.amount
    }
    assert found["gpt-6-astra, input_tokens"] == pytest.approx(19.2)


def test_the_directory_is_refused_in_the_clients_own_words(
    openai: ModuleType, address: str
) -> None:
    with openai.OpenAI(
        admin_api_key=USAGE_ONLY_ADMIN_KEY, base_url=address, max_retries=0
    ) as client:
        organization = client.admin.organization
        assert organization.usage.costs(start_time=START, end_time=END).data
        with pytest.raises(openai.PermissionDeniedError, match=r"api\.management\.read"):
            organization.projects.list()
