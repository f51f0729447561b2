from __future__ import annotations

import re
from decimal import Decimal

import pytest

from openai_costs.outputs.alerts.rules import all_rules, find_rule
from openai_costs.outputs.alerts.titles import amount, one_line, span_of, title_of
from openai_costs.questions.rules import Rule
from openai_costs_tests.outputs.alerts.fixtures import finding


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_a_sentence_with_a_name_and_a_day_and_without_its_id(rule: Rule) -> None:
    title = title_of(finding(18, 20, rule=rule.id), rule)
    assert rule.title != Rule("other.rule").title
    assert re.search(r"etl|acme", title)
    assert re.search(r"2026-11-(18|20)", title)
    assert rule.id not in title
    assert title[0].isupper()
    assert "{" not in title + span_of(finding(18, 20, rule=rule.id), rule)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_about_spend_has_dollars_in_its_title(rule: Rule) -> None:
    assert rule.is_about_data or re.search(r"\$\d", title_of(finding(18, 20), rule))


def test_a_rule_that_is_no_longer_in_the_code_keeps_a_plain_title() -> None:
    title = title_of(finding(18, 20), find_rule("spend.removed"))
    assert title == "API key etl: $412.50 at stake from 2026-11-18 to 2026-11-20"


def test_dollars_at_stake_have_no_sign() -> None:
    dropped = finding(18, impact_usd=Decimal("-412.50"))
    title = title_of(dropped, find_rule("anomalies.drop"))
    assert title == "Spend of API key etl stopped: $412.50 below expected on 2026-11-18"


def test_the_spend_of_a_budget_names_the_first_day_of_its_period() -> None:
    rule = find_rule("budgets.exceeded")
    over = finding(18, 20, subject_kind="budget", subject_id="labs/2026-11-01", subject_name="labs")
    assert title_of(over, rule) == (
        "Budget labs was $412.50 over its limit on 2026-11-20 (over since 2026-11-18)"
    )
    assert span_of(over, rule) == "from 2026-11-01 to 2026-11-20"


@pytest.mark.parametrize("rule", ["budgets.exceeded", "budgets.forecast_exceeds"])
def test_a_title_names_the_first_day_only_where_it_is_an_earlier_one(rule: str) -> None:
    about = {"subject_kind": "budget", "subject_id": "labs/2026-11-01", "subject_name": "labs"}
    assert "since" not in title_of(finding(20, 20, **about), find_rule(rule))
    assert title_of(finding(18, 20, **about), find_rule(rule)).endswith("since 2026-11-18)")


def test_a_name_with_braces_is_a_name() -> None:
    assert "API key {usd}" in title_of(finding(subject_name="{usd}"), find_rule("anomalies.spike"))


def test_an_amount_has_its_unit_in_the_singular_or_plural() -> None:
    assert amount(Decimal("1234.5"), "USD") == "$1,234.50"
    assert amount(Decimal(1), "days") == "1 day"
    assert amount(Decimal("3.000"), "messages") == "3 messages"


def test_foreign_text_stays_on_one_line_of_bounded_length() -> None:
    assert one_line("a\r\nSubject: b\x00c") == "a Subject: b c"
    assert len(one_line("x" * 10_000)) == 600


def test_a_threshold_is_named_with_its_percent_and_dollars() -> None:
    rule = find_rule("budgets.threshold")
    name = {"subject_kind": "budget", "subject_name": "labs", "subject_id": "labs/2026-11-01/12.5%"}
    passed = finding(18, 20, rule=rule.id, threshold=Decimal(75), **name)
    assert title_of(passed, rule) == (
        "Budget labs passed 12.5 % of its limit ($75.00) on 2026-11-18"
    )


def test_a_forecast_below_the_limit_says_its_range_and_no_zero_dollars() -> None:
    outlook = "$95.00 forecast by 2026-11-30; 80 % range: $90.00 to $104.00."
    about = {"subject_kind": "budget", "subject_id": "labs/2026-11-01", "subject_name": "labs"}
    risk = finding(18, 20, impact_usd=Decimal(0), outlook=outlook, **about)
    assert title_of(risk, find_rule("budgets.forecast_exceeds")) == (
        "On 2026-11-20, budget labs could still exceed its limit: $95.00 forecast by 2026-11-30; "
        "80 % range: $90.00 to $104.00 (at risk since 2026-11-18)"
    )
