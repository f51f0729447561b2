"""Anthropic's lists: read to their end, and understood as projects, keys, people and invites."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import stamina
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import AccessRefused, IncompleteRead, PageRefused
from openai_costs.kernel.money import MONEY
from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.organization.listings import listing
from openai_costs.sources.anthropic.organization.source import AnthropicOrganization
from openai_costs.sources.organization.frames import folded, usable
from openai_costs.sources.organization.kinds import KINDS
from openai_costs.sources.organization.listings import Listing, entry_columns
from openai_costs.sources.provider import Reach
from openai_costs.storage.archive import Archive, DayRead, KeptRead
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.users import Users
from openai_costs.tables.entity import Known
from openai_costs_tests.sources.anthropic.wire import (
    CLAUDE,
    KEY,
    LISTS,
    READ_AT,
    AnthropicWire,
    error,
)

TODAY = READ_AT.date()
FORBIDDEN = error(403, "permission_error", "An admin key is required.")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def read(home: Path, wire: AnthropicWire) -> KeptRead:
    settings = Settings(home=str(home), config_file=home / "none.toml", connections=(CLAUDE,))
    reader = AnthropicOrganization(
        settings, Archive(UPath(home)), lambda: READ_AT, Reach(lambda _: wire)
    )
    (found,) = reader.read(CLAUDE, DayRange(TODAY, TODAY), wire.told.append)
    return as_kept(found)


def as_kept(found: DayRead) -> KeptRead:
    return KeptRead(UPath("raw/claude"), found.manifest(), dict(found.bodies))


def of(table: type[Known], found: KeptRead) -> Listing:
    (kind,) = (one for one in KINDS if one.table is table)
    return listing(kind, found)


def rows(table: type[Known], found: KeptRead) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in of(table, found).rows.iter_rows(named=True)}


def with_entry(name: str, /, **changes: object) -> Mapping[str, list[dict[str, Any]]]:
    return {**LISTS, name: [LISTS[name][0] | changes]}


def test_every_list_is_read_to_its_end_with_archived_workspaces_and_the_default_one(tmp_path: Path):
    wire = AnthropicWire()
    found = read(tmp_path, wire)
    assert [*found.bodies] == ["workspaces.0", "api_keys.0", "api_keys.1", "users.0", "invites.0"]
    first = dict(wire.asked[0].url.params)
    assert first == {"limit": "1000", "include_archived": "true", "include_default": "true"}
    assert dict(wire.asked[2].url.params)["after_id"] == "apikey_web"


def test_a_parameter_that_an_organization_does_not_know_is_left_out(tmp_path: Path):
    class Older(AnthropicWire):
        def handle_request(self, request: Any) -> Any:  # noqa: ANN401
            if "include_default" in request.url.params:
                return error(400, "invalid_request_error", "include_default: extra inputs")
            return super().handle_request(request)

    assert "workspaces.0" in read(tmp_path, Older()).bodies


def test_a_workspace_is_a_project_and_the_one_without_an_id_has_a_name(tmp_path: Path):
    found = rows(Projects, read(tmp_path, AnthropicWire()))
    assert {one: line["name"] for one, line in found.items()} == {
        "wrkspc_prod": "Production",
        "default": "Default workspace",
    }
    assert found["wrkspc_prod"]["created_at"] == datetime(2026, 2, 1, 8)  # noqa: DTZ001 - UTC without a zone


def test_a_key_belongs_to_whom_it_acts_as_or_else_to_who_made_it(tmp_path: Path):
    found = rows(ApiKeys, read(tmp_path, AnthropicWire()))
    owners = {one: (line["owner_type"], line["owner_id"]) for one, line in found.items()}
    assert owners == {
        "apikey_web": ("user", "user_ada"),
        "apikey_ci": ("service_account", "svac_ci"),
    }
    assert found["apikey_web"]["project_id"] == "wrkspc_prod"
    assert found["apikey_web"]["redacted_value"] == "sk-ant-api03-R2D...igAA"


@pytest.mark.parametrize(
    ("changes", "project"),
    [
        ({"scope": {"type": "organization"}}, None),
        ({"scope": None, "workspace_id": "wrkspc_old"}, "wrkspc_old"),
        ({"scope": None, "workspace_id": None}, "default"),
        ({"scope": {"type": "workspace", "workspace_id": None}}, "default"),
    ],
)
def test_a_keys_project_is_its_workspace(
    tmp_path: Path, changes: dict[str, Any], project: str | None
):
    wire = AnthropicWire(lists=with_entry("api_keys", **changes))
    assert rows(ApiKeys, read(tmp_path, wire))["apikey_web"]["project_id"] == project


def test_a_key_without_a_known_creator_has_no_owner(tmp_path: Path):
    wire = AnthropicWire(lists=with_entry("api_keys", created_by=None))
    found = rows(ApiKeys, read(tmp_path, wire))["apikey_web"]
    assert (found["owner_type"], found["owner_id"]) == (None, None)


@pytest.mark.parametrize("status", ["active", "inactive", "archived"])
def test_a_key_has_the_status_that_the_vendor_reports(tmp_path: Path, status: str):
    wire = AnthropicWire(lists=with_entry("api_keys", status=status))
    (kind,) = (one for one in KINDS if one.table is ApiKeys)
    ids = {"id": pl.String(), "first_day": pl.Date(), "last_day": pl.Date(), "billed_usd": MONEY}
    found = usable([kind], listing, [read(tmp_path, wire)])[ApiKeys]
    (row,) = folded(kind, ("claude", "anthropic"), found, pl.DataFrame(schema=ids)).frame.rows(
        named=True
    )
    assert (row["id"], row["status"], row["provider"]) == ("apikey_web", status, "anthropic")


def test_service_accounts_are_known_by_the_keys_that_act_as_them(tmp_path: Path):
    found = rows(ServiceAccounts, read(tmp_path, AnthropicWire()))
    assert {one: line["project_id"] for one, line in found.items()} == {"svac_ci": "wrkspc_prod"}


def test_users_and_invites_have_their_addresses_and_roles(tmp_path: Path):
    found = read(tmp_path, AnthropicWire())
    assert rows(Users, found)["user_ada"]["email"] == "ada@kestrel.example"
    assert rows(Users, found)["user_ada"]["role"] == "admin"
    invite = rows(Invites, found)["invite_1"]
    assert (invite["status"], invite["email"]) == ("pending", "new@kestrel.example")
    assert invite["created_at"] < invite["expires_at"]


def test_a_name_that_is_an_address_is_no_name(tmp_path: Path):
    wire = AnthropicWire(lists=with_entry("users", name="ada@kestrel.example"))
    assert rows(Users, read(tmp_path, wire))["user_ada"]["name"] is None


def test_a_kind_that_anthropic_does_not_list_is_neither_complete_nor_refused(tmp_path: Path):
    found = read(tmp_path, AnthropicWire())
    others = [one for one in KINDS if one.table.table_name() in {"admin_keys", "spend_limits"}]
    assert len(others) == 2
    for kind in others:
        nothing = listing(kind, found)
        assert (nothing.rows.height, nothing.complete, nothing.absent) == (0, set(), set())
        assert nothing.rows.columns == ["list", *entry_columns(kind.table)]


def test_a_list_that_the_key_is_not_given_is_absent_and_the_others_are_read(tmp_path: Path):
    found = read(tmp_path, AnthropicWire(refusals={"users": FORBIDDEN}))
    users = of(Users, found)
    assert (users.rows.height, users.complete, users.absent) == (0, set(), {"users"})
    assert of(ApiKeys, found).complete == {"api_keys"}
    assert "An admin key is required." in found.manifest.absent["users"]


def test_without_workspaces_there_is_no_organization(tmp_path: Path):
    with pytest.raises(AccessRefused, match=r"need an admin key \(sk-ant-admin"):
        read(tmp_path, AnthropicWire(refusals={"workspaces": FORBIDDEN}))


def test_a_list_that_comes_to_no_end_is_not_complete(tmp_path: Path):
    class Endless(AnthropicWire):
        def _list(self, entries: list[dict[str, Any]], params: Any) -> dict[str, Any]:  # noqa: ANN401
            return super()._list(entries, params) | {"has_more": True, "last_id": "wrkspc_prod"}

    with pytest.raises(IncompleteRead, match="came back"):
        read(tmp_path, Endless())


def test_an_entry_without_its_id_refuses_its_table_and_a_new_field_is_named(tmp_path: Path):
    wire = AnthropicWire(lists=with_entry("users", planet="mars"))
    found = read(tmp_path, wire)
    assert of(Users, found).remark == "unknown, kept in raw: users.planet"
    nameless = {**found.bodies, "users.0": json.dumps({"data": [{"name": "Ada"}]}).encode()}
    broken = KeptRead(found.path, found.manifest, nameless)
    with pytest.raises(PageRefused, match=r"users\.0"):
        of(Users, broken)
