"""Two connections that settings alone show to read the same organization."""

from pathlib import Path

import pytest

from openai_costs.kernel.errors import SettingsError
from openai_costs.settings.load import Settings, load_settings
from openai_costs.sources.registry import connection_kinds

KEY = "sk-admin-Tq7ZqLx2vHn9KpW4"
NAMES = ("acme", "again")


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_ADMIN_KEY", "OPENAI_BASE_URL", "OPENAI_COSTS_CONFIG", "A_KEY", "B_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def loaded(acme: str, again: str) -> Settings:
    tables = (
        f'[[connections]]\nname = "{n}"\n{more}\n'
        for n, more in zip(NAMES, (acme, again), strict=True)
    )
    Path("openai_costs.toml").write_text("".join(tables), encoding="utf-8")
    return load_settings(connection_kinds())


def refusal(acme: str, again: str) -> str:
    with pytest.raises(SettingsError) as refused:
        loaded(acme, again)
    return str(refused.value)


def test_one_organization_in_two_connections_is_refused_with_both_names_and_lines() -> None:
    said = refusal(
        'admin_key_env = "A_KEY"\norganization_id = "org-1"',
        'admin_key_env = "B_KEY"\norganization_id = "org-1"',
    )
    assert (
        "connections acme (line 1, org-1) and again (line 5, org-1) have the same organization_id: "
        "their costs would be counted twice. Remove one of them."
    ) in said


def test_an_organization_in_another_case_is_the_same_one() -> None:
    github = 'provider = "github_copilot"\nadmin_key_env = "{}_KEY"\norganization_id = "{}"'
    said = refusal(github.format("A", "Octo"), github.format("B", "octo"))
    assert "have the same organization_id" in said


def test_a_proxy_is_one_account_whatever_the_key() -> None:
    proxy = 'provider = "litellm"\nadmin_key_env = "{}_KEY"\nbase_url = "http://127.0.0.1:4000{}"'
    assert "have the same base_url" in refusal(proxy.format("A", ""), proxy.format("B", "/"))


def test_two_accounts_of_cost_explorer_have_two_profiles() -> None:
    asked = 'provider = "bedrock"\ncost_explorer = true\nprofile = "{}"'
    assert len(loaded(asked.format("paris"), asked.format("oslo")).connections) == len(NAMES)
    assert (
        "acme (line 1, profile oslo) and again (line 6, profile oslo) have the same files or "
        "profile: their costs would be counted twice."
    ) in refusal(asked.format("oslo"), asked.format("oslo"))


def test_two_organizations_with_two_keys_are_accepted() -> None:
    settings = loaded(
        'admin_key_env = "A_KEY"\norganization_id = "org-1"',
        'admin_key_env = "B_KEY"\norganization_id = "org-2"',
    )
    assert [one.name for one in settings.connections] == list(NAMES)


@pytest.mark.parametrize(
    "again",
    [
        'admin_key_env = "OPENAI_ADMIN_KEY"',
        'base_url = "https://api.openai.com/v1/"',
        'base_url = "https://API.OpenAI.com:443/v1"',
    ],
)
def test_one_variable_and_one_address_are_refused_however_they_are_written(again: str) -> None:
    assert (
        "acme (line 1, OPENAI_ADMIN_KEY) and again (line 4, OPENAI_ADMIN_KEY) have the same key "
        "and the same address"
    ) in refusal("", again)


def test_two_variables_that_hold_one_key_are_refused_without_showing_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    monkeypatch.setenv("B_KEY", f" {KEY}\n")
    said = refusal("", 'admin_key_env = "B_KEY"')
    assert "OPENAI_ADMIN_KEY) and again" in said
    assert "B_KEY) have the same key and the same address" in said
    assert KEY not in said


def test_one_key_for_two_addresses_and_two_variables_that_are_not_set_are_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert loaded('admin_key_env = "A_KEY"', 'admin_key_env = "B_KEY"').connections
    monkeypatch.setenv("A_KEY", KEY)
    elsewhere = 'admin_key_env = "A_KEY"\nbase_url = "https://eu.api.openai.com/v1"'
    assert loaded('admin_key_env = "A_KEY"', elsewhere).connections
