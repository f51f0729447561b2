from datetime import date
from pathlib import Path

import httpx
import pytest
import stamina

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import MissingKey
from openai_costs.sources.openai.diagnosis import WITHOUT, ScopeFound, probe_scopes
from openai_costs.sources.provider import Reach
from openai_costs_tests.sources.openai.organization.wire import Desk, Lists, Said

DAY = DayRange(date(2026, 3, 9), date(2026, 3, 9))
USAGE = "/organization/usage/completions"
PROJECTS = "/organization/projects"
NO = (403, "Missing scopes.")


def probed(desk: Desk, wire: httpx.BaseTransport) -> dict[str, ScopeFound]:
    reach = Reach(lambda _connection: wire)
    with stamina.set_testing(True, attempts=1):
        found = list(probe_scopes(desk.settings, desk.connection, reach, DAY))
    return {one.scope: one for one in found}


@pytest.mark.parametrize(
    ("lists", "usage", "management"),
    [
        ({}, True, True),
        ({PROJECTS: NO}, True, False),
        ({USAGE: NO, PROJECTS: NO}, False, False),
        ({PROJECTS: (401, "Missing scopes.")}, True, False),
        ({PROJECTS: (503, "Down.")}, True, None),
    ],
)
def test_each_scope_is_there_or_not_as_its_own_path_answers(
    tmp_path: Path, lists: dict[str, Said], *, usage: bool | None, management: bool | None
):
    found = probed(Desk(tmp_path), Lists(lists))
    assert found["api.usage.read"].is_there is usage
    assert found["api.management.read"].is_there is management


def test_one_row_of_each_is_asked_for(tmp_path: Path):
    wire = Lists({})
    probed(Desk(tmp_path), wire)
    assert wire.asked == [USAGE, PROJECTS]
    assert [params["limit"] for params in wire.params] == ["1", "1"]


def test_a_missing_scope_has_the_providers_message_and_what_is_missing_without_it(tmp_path: Path):
    found = probed(Desk(tmp_path), Lists({PROJECTS: NO}))["api.management.read"]
    assert found.message == "HTTP 403: Missing scopes."
    assert found.path == PROJECTS
    assert found.without == WITHOUT["api.management.read"]
    assert "core.api_keys" in found.without


def test_a_connection_that_gives_costs_only_is_not_asked(tmp_path: Path):
    wire = Lists({})
    found = probed(Desk(tmp_path, access="costs_only"), wire)
    assert {one.is_there for one in found.values()} == {None}
    assert {one.message for one in found.values()} == {"not requested: access is costs_only"}
    assert wire.asked == []


def test_a_missing_key_is_an_error_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("ACME_KEY", raising=False)
    wire = Lists({})
    with pytest.raises(MissingKey):
        probed(Desk(tmp_path, base_url="http://127.0.0.1/v1", admin_key_env="ACME_KEY"), wire)
    assert wire.asked == []
