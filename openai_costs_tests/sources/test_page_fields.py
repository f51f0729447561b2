"""Odd numbers on a page refuse the day they are of, and no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_costs.sources.chatgpt_workspace.assets import CHATGPT_WORKSPACE
from openai_costs.sources.chatgpt_workspace.frames import ledger as credit_ledger
from openai_costs.sources.chatgpt_workspace.frames import used as credit_usage
from openai_costs.sources.github_copilot.assets import GITHUB_COPILOT
from openai_costs.sources.github_copilot.frames import ledger as copilot_ledger
from openai_costs.sources.litellm.assets import LITELLM
from openai_costs.sources.litellm.frames import ledger as proxy_ledger
from openai_costs.sources.litellm.frames import used as proxy_usage
from openai_costs.sources.openrouter.assets import OPENROUTER
from openai_costs.sources.openrouter.frames import ledger as router_ledger
from openai_costs.sources.openrouter.frames import used as router_usage
from openai_costs.sources.page_fields import plain
from openai_costs.tables.core.spend import Spend
from openai_costs_tests.sources.vendor_pages import DAY, kept

if TYPE_CHECKING:
    from openai_costs.sources.provider import Clean, Provider
    from openai_costs.storage.slices import Batch

TOO_MANY = "99999999999999999999"
ODD = ['"NaN"', '"sNaN"', '"Infinity"', "1e30", "1e400"]


def batch(clean: Clean, provider: Provider, bodies: dict[str, bytes], **more: Any) -> Batch:  # noqa: ANN401 - settings
    connection = provider.connection(name="one", **more)
    (found,) = clean([kept(provider.name, bodies)], connection)
    return found


def refusal(found: Batch) -> str:
    assert (found.frame.height, found.read_at) == (0, {})
    (refused,) = found.refused.values()
    return str(refused)


def event(cost: str = "3", tokens: str = "7", model: str | None = "m") -> bytes:
    billing = (
        f'{{"sku":"Codex - Input","cost":{{"value":{cost},"unit":"CREDITS"}},'
        f'"quantity":{{"value":{tokens},"unit":"TOKENS"}}}}'
    )
    payload = f'{{"identity":{{}},"model":{json.dumps(model)},"billing":[{billing}]}}'
    return f'{{"event_id":"{model!r}","payload":{payload}}}\n'.encode()


@pytest.mark.parametrize("number", ODD)
@pytest.mark.parametrize("rate", [None, "0.04"])
def test_credits_that_cannot_be_added_up_refuse_their_day(number: str, rate: str | None) -> None:
    settings = {"organization_id": "org-a", "usd_per_credit": rate}
    bodies = {"file.a": event(cost=number)}
    assert "cost.value" in refusal(batch(credit_ledger, CHATGPT_WORKSPACE, bodies, **settings))


@pytest.mark.parametrize("number", [*ODD, TOO_MANY])
def test_tokens_that_have_no_room_refuse_their_day(number: str) -> None:
    bodies = {"file.a": event(tokens=number)}
    found = batch(credit_usage, CHATGPT_WORKSPACE, bodies, organization_id="org-a")
    assert "quantity.value" in refusal(found)


@pytest.mark.parametrize("name", ["requests", "prompt_tokens", "completion_tokens"])
def test_a_count_of_openrouter_without_room_refuses_its_day(name: str) -> None:
    entry = (
        f'{{"date":"{DAY}","model":"a/m","usage":1,"byok_usage_inference":0,"{name}":{TOO_MANY}}}'
    )
    bodies = dict.fromkeys(("ledger", "control"), f'{{"data":[{entry}]}}'.encode())
    assert f"data[0].{name}" in refusal(batch(router_usage, OPENROUTER, bodies))
    assert f"data[0].{name}" in refusal(batch(router_ledger, OPENROUTER, bodies))


@pytest.mark.parametrize("odd", [{"spend": "NaN"}, {"prompt_tokens": int(TOO_MANY)}])
def test_a_number_of_litellm_without_room_refuses_its_day(odd: dict[str, Any]) -> None:
    usual = {"spend": 1, "prompt_tokens": 1, "completion_tokens": 1}
    models = {"openai/m": {"metrics": usual, "api_key_breakdown": {"k": {"metrics": usual | odd}}}}
    day = {"date": str(DAY), "metrics": usual, "breakdown": {"models": models}}
    bodies = {"daily.0": json.dumps({"results": [day]}).encode()}
    address = {"base_url": "https://proxy.example"}
    assert "k" in refusal(batch(proxy_ledger, LITELLM, bodies, **address))
    assert "k" in refusal(batch(proxy_usage, LITELLM, bodies, **address))


def test_a_number_without_room_in_a_field_that_is_new_to_us_refuses_nothing() -> None:
    assert plain(b'{"data":[{"of_tomorrow":1e400}]}', "data") == [{"of_tomorrow": "1e400"}]


def test_a_model_without_a_name_is_no_model_and_one_line() -> None:
    item = {"product": "Copilot", "sku": "Seat", "grossQuantity": 1, "grossAmount": 2}
    items = [{**item, "netAmount": 2, "model": name} for name in ("", None)]
    bodies = {"whole": json.dumps({"usageItems": items}).encode()}
    bill = batch(copilot_ledger, GITHUB_COPILOT, bodies, organization_id="acme").frame
    assert (bill["model"].to_list(), Spend.broken_rules(bill)) == ([None], [])
    events = {"file.a": event(model="") + event(model=None)}
    used = batch(credit_ledger, CHATGPT_WORKSPACE, events, organization_id="org-a").frame
    assert (used["model"].to_list(), Spend.broken_rules(used)) == ([None], [])
