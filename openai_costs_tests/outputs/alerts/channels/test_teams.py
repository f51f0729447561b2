from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from openai_costs.outputs.alerts.channels import teams
from openai_costs.outputs.alerts.channels.channel import Address
from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import Addresses, Line, Message, Picture, message
from openai_costs_tests.outputs.alerts.fixtures import NOW, SPIKE, change, finding
from openai_costs_tests.outputs.alerts.servers import http_inbox


def made(kind: str = "opened", **other: Any) -> Message:  # noqa: ANN401 - any column
    return message(
        finding(18, 20, **other),
        change(kind=kind),
        SPIKE,
        at=Addresses(dagster="https://d.example"),
    )


def texts(card: dict[str, Any]) -> list[str]:
    return ["".join(run["text"] for run in block["inlines"]) for block in card["body"]]


def test_a_message_arrives_as_an_adaptive_card() -> None:
    with http_inbox() as inbox:
        inbox.answers = [(202, "")]
        assert teams.send(made(), Address("teams", NOW, SecretStr(inbox.url))) == ""
    (body,) = inbox.bodies
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    title, observed, *_ = texts(card)
    assert title == made().title
    assert observed == "Observed: $425.00 on 2026-11-20, against $12.50 expected (+3,300 %)"
    assert texts(card)[-1] == "Rule: anomalies.spike"
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Details", "url": made().link},
    ]


def test_names_are_shown_as_they_are_and_make_no_link() -> None:
    card = teams.card(made(owner="[team](https://evil.example) *data_platform*"))
    assert "Owner: [team](https://evil.example) *data_platform*" in texts(card)
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


def test_the_colour_of_the_title_is_the_severity_and_green_when_closed() -> None:
    assert teams.card(made())["body"][0]["inlines"][0]["color"] == "warning"
    assert teams.card(made("closed"))["body"][0]["inlines"][0]["color"] == "good"


def test_without_a_link_there_is_no_button() -> None:
    without = message(finding(), change(), SPIKE)
    assert "actions" not in teams.card(without)


def test_a_long_digest_stays_within_the_size_that_teams_accepts() -> None:
    many = digest("teams", [made(subject_id=f"key_{n}", because="ü" * 500) for n in range(300)])
    card = teams.card(many)
    assert len(json.dumps(card)) < 28_000
    assert "more lines: `openai-costs findings` lists all findings." in texts(card)[-1]


def test_a_picture_is_embedded_and_takes_the_place_of_its_text() -> None:
    picture = Picture(b"PNG", (560, 120), "Dollars per day", instead_of="Day by day")
    lines = [Line("Day by day", "bars"), Line("User", "Ana", "https://costs.example/#user=ana")]
    drawn = Message("w", "1", "weekly", "info", "November", lines, picture=picture)
    _, image, user = teams.card(drawn)["body"]
    assert (image["url"], image["altText"]) == ("data:image/png;base64,UE5H", picture.alt)
    opened = {"type": "Action.OpenUrl", "url": "https://costs.example/#user=ana"}
    assert user["inlines"][1]["selectAction"] == opened
