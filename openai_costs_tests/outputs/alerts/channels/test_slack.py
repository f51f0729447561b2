from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import slack
from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import Addresses, Line, Message, message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import http_inbox


def made(**other: Any) -> Message:  # noqa: ANN401 - any column
    return message(
        finding(18, 20, **other), change(), SPIKE, at=Addresses(dagster="https://d.example")
    )


def test_a_message_arrives_with_blocks_and_a_plain_text() -> None:
    with http_inbox() as inbox:
        slack.send(made(), Address("finops", NOW, SecretStr(inbox.url)))
    (body,) = inbox.bodies
    assert body["text"].startswith(
        "Warning: Spend of API key etl was $412.50 above expected from 2026-11-18 to 2026-11-20"
    )
    header, section = body["blocks"]
    assert header["type"] == "header"
    assert "*Owner:* data-platform" in section["text"]["text"]
    assert "`openai-costs mute f1a2b3c4d5e6" in section["text"]["text"]


def test_a_name_cannot_mention_a_person_or_make_a_link() -> None:
    body = str(list(slack.blocks(made(owner="<!channel> & <https://evil.example|team>")))[1:])
    assert "<" not in body
    assert "&lt;!channel&gt; &amp; " in body


def test_a_link_stays_as_it_is() -> None:
    shown = str(list(slack.blocks(made())))
    assert "https://d.example/assets/mart/spend_anomalies?partition=2026-11-20" in shown


def test_slacks_limits_are_kept() -> None:
    lines = [Line(label, "x" * 5000) for _ in range(60) for label in ("", "Why", "Owner")]
    long = Message("k", "k-1", "digest", "info", "t" * 500, lines)
    blocks = list(slack.blocks(long))
    assert len(blocks) <= 50
    assert len(blocks[0]["text"]["text"]) == 150
    assert max(len(block["text"]["text"]) for block in blocks) <= 3000
    assert "openai-costs findings" in blocks[-1]["text"]["text"]


def test_a_text_to_copy_is_not_changed() -> None:
    with_rule = {"subject_id": "key_route_*`1`", "docs": "docs/alerts.md#budgets-forecast_exceeds"}
    made = message(finding(18, 20, **with_rule), change(), SPIKE)
    shown = str(list(slack.blocks(made)))
    assert "API key id: `key_route_*\u02cb1\u02cb`" in shown
    assert "Details: `docs/alerts.md#budgets-forecast_exceeds`" in shown


def test_a_rule_id_and_a_name_with_underscores_can_be_searched_for() -> None:
    one = made(subject_name="_nightly_ key_route_prod", rule="gateway_bypass.unmetered")
    both = digest("finops", [one, made(subject_id="key_b")])
    shown = "".join(block["text"]["text"] for block in list(slack.blocks(both))[1:])
    assert "`gateway_bypass.unmetered`" in shown
    assert "key_route_prod" in shown
    assert "_nightly_" not in shown


def test_the_text_of_a_long_digest_is_cut() -> None:
    many = digest("finops", [made() for _ in range(300)])
    with http_inbox() as inbox:
        slack.send(many, Address("finops", NOW, SecretStr(inbox.url)))
    assert len(inbox.bodies[0]["text"]) <= 3000


def test_a_line_that_leads_somewhere_is_a_link_with_its_text_escaped() -> None:
    line = Line("User", "Ana <b>", "https://costs.example/#by=model&user=ana")
    linked = Message("weekly", "1", "weekly", "info", "November so far", [line])
    section = list(slack.blocks(linked))[1]["text"]["text"]
    assert section == "*User:* <https://costs.example/#by=model&amp;user=ana|Ana &lt;b&gt;>"
