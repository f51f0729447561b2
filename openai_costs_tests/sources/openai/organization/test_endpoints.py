import re

import pytest

from openai_costs.sources.openai.organization.endpoints import (
    ALLOWED_PATTERNS,
    ENDPOINTS,
    ListEndpoint,
)

every_list = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.entry_object)


@every_list
def test_a_list_knows_the_object_of_its_entries_and_where_it_is_documented(endpoint: ListEndpoint):
    assert "object" in endpoint.fields
    assert endpoint.entry_object
    assert endpoint.vendor_page.startswith("https://platform.openai.com/docs/")


@every_list
def test_a_list_that_is_not_a_single_object_knows_its_ids(endpoint: ListEndpoint):
    assert ("id" in endpoint.fields) != endpoint.is_single


def test_no_two_lists_have_the_same_name_at_the_same_level():
    named = [(one.name, one.is_per_project) for one in ENDPOINTS]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    "path",
    [
        "/organization/projects",
        "/organization/users",
        "/organization/admin_api_keys",
        "/organization/projects/proj_aB-9/api_keys",
        "/organization/projects/proj_aB-9/spend_limit",
    ],
)
def test_a_path_of_the_directory_is_allowed_by_one_pattern(path: str):
    assert sum(bool(re.fullmatch(pattern, path)) for pattern in ALLOWED_PATTERNS) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/organization/projects/proj_a",
        "/organization/projects/proj_a/api_keys/key_b",
        "/organization/projects/../users/api_keys",
        "/organization/projects/a%2Fb/api_keys",
        "/organization/projects//api_keys",
        "/organization/projects/proj_a/api_keys\n",
        "/organization/audit_logs",
        "/organization/users/user-a",
    ],
)
def test_any_other_path_is_not(path: str):
    assert not any(re.fullmatch(pattern, path) for pattern in ALLOWED_PATTERNS)
