from __future__ import annotations

from decimal import Decimal

from openai_costs.outputs.alerts.digest import digest
from openai_costs.outputs.alerts.message import message
from openai_costs.questions.rules import Rule
from openai_costs_tests.outputs.alerts.fixtures import SPIKE, change, finding

SUM = Rule("gateway_bypass.unmetered", title="{who} spent {usd} {when}", span="{when}")


def test_a_digest_begins_with_the_most_dollars_and_names_the_mute_of_each() -> None:
    small = message(
        finding(finding_id="aaa", subject_id="key_a"),
        change(finding_id="aaa", severity="critical", impact_usd=Decimal(9)),
        SPIKE,
    )
    large = message(finding(finding_id="bbb"), change(), SPIKE)
    over = message(
        finding(finding_id="ccc", subject_id="key_c"),
        change(2, "closed", finding_id="ccc", impact_usd=Decimal(9000)),
        SPIKE,
    )
    made = digest("finops", [over, small, large])
    assert made.title == f"3 findings changed. The largest: {large.title}"
    assert digest("finops", [small]).title == f"1 finding changed. {small.title}"
    assert f"\n\n{small.title}\nConnection: acme\nWhy: " in made.text
    headings = [line.text for line in made.lines if not line.label]
    assert headings == [large.title, small.title, over.title]
    assert made.severity == "critical"
    assert "openai-costs mute aaa" in made.text
    assert "openai-costs mute bbb" in made.text


def test_a_digest_reports_the_thresholds_of_a_budget_with_the_budget() -> None:
    ids = ("labs/2026-11-01/50%", "labs/2026-11-01", "labs/2026-12-01")
    messages = [
        message(
            finding(finding_id=one, subject_kind="budget", subject_id=one),
            change(finding_id=one),
            SPIKE,
        )
        for one in ids
    ]
    made = digest("finops", messages)
    assert [line.label for line in made.lines if line.label in ("", "Also")] == ["", "Also", ""]


def test_a_digest_reports_two_findings_about_one_key_together() -> None:
    new = message(finding(finding_id="aaa"), change(finding_id="aaa"), SPIKE)
    bypass = message(
        finding(finding_id="bbb", rule="gateway_bypass.unregistered"),
        change(finding_id="bbb", impact_usd=Decimal(100)),
        SUM,
    )
    made = digest("finops", [bypass, new])
    assert [line.text for line in made.lines if not line.label] == [new.title]
    assert [line.text for line in made.lines if line.label == "Also"] == [bypass.title]
    assert made.text.count("Owner: ") == 1
    assert "openai-costs mute bbb" in made.text
    assert made.title.startswith("2 findings changed.")


def test_a_finding_that_opened_and_grew_is_one_that_changed() -> None:
    opened, grown = (message(finding(), one, SPIKE) for one in (change(), change(2, "growing")))
    assert digest("finops", [opened, grown]).title.startswith("1 finding changed. ")
