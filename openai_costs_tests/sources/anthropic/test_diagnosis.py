"""What the doctor reports of an Anthropic connection, in Anthropic's words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from openai_costs.settings.load import Settings
from openai_costs.sources.anthropic.diagnosis import diagnose
from openai_costs.sources.provider import Diagnosis, Reach
from openai_costs_tests.sources.anthropic.wire import CLAUDE, KEY, READ_AT, AnthropicWire, error

TODAY = READ_AT.date()
FORBIDDEN = error(403, "permission_error", "This key lacks read:analytics.")
UNKNOWN = error(401, "authentication_error", "invalid x-api-key")
OPENAIS_WORDS = ("OpenAI", "sk-admin-", "api.usage.read", "api.management.read")


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", KEY)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def found(wire: AnthropicWire, access: str = "full") -> dict[str, Diagnosis]:
    one = CLAUDE.model_copy(update={"access": access})
    settings = Settings(home="nowhere", config_file=Path("none.toml"), connections=(one,))
    facts = {fact.about: fact for fact in diagnose(settings, one, Reach(lambda _: wire), TODAY)}
    assert not [word for word in OPENAIS_WORDS for fact in facts.values() if word in fact.text]
    return facts


def test_a_key_with_all_rights_is_ok_after_one_small_call_each():
    wire = AnthropicWire()
    assert {fact.state for fact in found(wire).values()} == {"OK"}
    assert wire.paths == ["analytics/cost", "workspaces"]
    assert "group_by[]" not in wire.asked[0].url.params


def test_costs_only_asks_for_costs_only():
    wire = AnthropicWire()
    facts = found(wire, "costs_only")
    assert wire.paths == ["analytics/cost"]
    assert facts["GET /organizations/workspaces"].text == "not requested: access is costs_only"


def test_an_organization_without_the_analytics_api_sees_what_it_lacks():
    facts = found(AnthropicWire(refusals={"analytics/cost": FORBIDDEN}))
    fact = facts["GET /organizations/analytics/cost"]
    assert fact.state == "WARN"
    assert (
        "HTTP 403: This key lacks read:analytics; costs come from the older cost report"
        in fact.text
    )


def test_a_key_that_may_read_no_costs_at_all_fails():
    wire = AnthropicWire(refusals={"analytics/cost": FORBIDDEN, "cost_report": FORBIDDEN})
    fact = found(wire)["GET /organizations/analytics/cost"]
    assert fact.state == "FAIL"
    assert "read:analytics" in fact.text
    assert "ANTHROPIC_ADMIN_KEY" in fact.text


def test_an_unknown_key_fails_with_the_vendors_message_and_without_the_key():
    fact = found(AnthropicWire(refusals={"analytics/cost": UNKNOWN}))[
        "GET /organizations/analytics/cost"
    ]
    assert (fact.state, "invalid x-api-key" in fact.text, KEY in fact.text) == ("FAIL", True, False)


def test_a_key_without_the_right_to_lists_sees_what_is_missing():
    fact = found(AnthropicWire(refusals={"workspaces": FORBIDDEN}))["GET /organizations/workspaces"]
    assert fact.state == "WARN"
    assert "no names and no owners of keys" in fact.text


def test_a_key_of_another_vendor_is_noticed_before_it_is_sent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-proj-123456")
    fact = found(AnthropicWire())["key"]
    assert fact.state == "WARN"
    assert "sk-ant-admin" in fact.text


def test_without_a_key_there_is_one_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    wire = AnthropicWire()
    fact = found(wire)["key"]
    assert fact.state == "FAIL"
    assert "Claude Console" in fact.text
    assert wire.asked == []
