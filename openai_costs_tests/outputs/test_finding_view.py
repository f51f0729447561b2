"""The view that a finding's link opens: the days and the scope of its sentence."""

from __future__ import annotations

from datetime import date

import pytest

from openai_costs.outputs.alerts.rules import all_rules
from openai_costs.outputs.finding_view import view_of
from openai_costs_tests.outputs.alerts.fixtures import finding

LABS = {"labs": {"team": "labs"}}


@pytest.mark.parametrize(
    ("rule", "since", "first"),
    [
        ("anomalies.spike", 18, "2026-11-18"),
        ("gateway_bypass.unregistered", 18, "2026-10-22"),
        ("gateway_bypass.unmetered", 18, "2026-10-22"),
        ("seats.unmatched", 20, "2026-10-22"),
        ("seats.idle", 1, "2026-10-22"),
        ("seats.leaver_spends", 5, "2026-11-06"),
    ],
)
def test_the_view_has_the_days_that_the_dollars_are_of(rule: str, since: int, first: str) -> None:
    one = finding(since, 20, rule=rule, subject_kind="user", subject_id="ana")
    assert view_of(one) == f"#by=model&from={first}&to=2026-11-20&connection=acme&user=ana"


def test_a_leaver_who_spent_for_long_is_shown_with_the_days_of_the_sentence() -> None:
    one = finding(1, 20, rule="seats.leaver_spends", since_day=date(2026, 8, 1))
    assert "&from=2026-10-22&" in view_of(one)


def test_a_budget_is_shown_from_the_first_day_of_its_period_where_it_applies() -> None:
    over = {"subject_kind": "budget", "connection": "*", "rule": "budgets.exceeded"}
    one = finding(18, 20, **over, subject_id="labs/2026-11-01")
    assert view_of(one, LABS) == "#by=user&from=2026-11-01&to=2026-11-20&team=labs"
    half = finding(18, 20, **over, subject_id="labs/2026-11-01/50%")
    assert view_of(half, LABS) == view_of(one, LABS)


def test_what_spans_all_connections_has_no_connection() -> None:
    one = finding(18, 20, connection="*", subject_kind="team", subject_id="labs")
    assert "connection=" not in view_of(one)


def test_what_is_about_no_dollars_opens_its_row() -> None:
    for kind in ("source", "gateway", "route"):
        assert view_of(finding(subject_kind=kind)) == "#finding-f1a2b3c4d5e6"


def test_a_rule_whose_sentence_has_a_number_of_days_has_it_for_its_view() -> None:
    for rule in all_rules():
        assert ("30 days" in rule.title + rule.span) == bool(rule.window_days), rule.id
