from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.gateway_bypass.findings import found
from openai_costs.tables.finding import Finding
from openai_costs.tables.mart.gateway_bypass import GatewayBypass
from openai_costs_tests.org import day


def key(when: int, usd: str, **said: object) -> dict[str, object]:
    """A day of a key; what is not said is of a key that no token names."""
    return {
        "day": day(when),
        "connection": "acme",
        "provider": "openai",
        "api_key_id": "key_ana",
        "key_name": "ana laptop",
        "owner": "Ana",
        "project_name": "Labs",
        "billed_usd": Decimal(usd),
        "at_risk_usd": Decimal(usd),
        "tokens": 100,
        "new_since_day": day(3),
        "reason": "unregistered",
        "confidence": "none",
        "is_allowed": False,
        "because": "",
    } | said


def rows(*keys: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([*keys], schema=GatewayBypass.types())


def test_the_days_of_a_key_are_one_finding_with_its_dollars_and_its_owner() -> None:
    said = found(rows(key(4, "10.5"), key(6, "2")))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["subject_id"]) == ("gateway_bypass.unregistered", "key_ana")
    assert (row["since_day"], row["day"], row["impact_usd"]) == (day(3), day(6), Decimal("12.5"))
    assert row["owner"] == "Ana"
    assert (
        "ana laptop of Ana, Labs, was billed 12.50 USD for 200 tokens on 2 days" in row["because"]
    )
    assert "Round the gateway since 2026-11-03." in row["because"]


def test_what_is_allowed_or_not_at_risk_is_no_finding() -> None:
    assert found(rows(key(4, "10", is_allowed=True), key(5, "0"))).is_empty()
    assert found(GatewayBypass.no_rows()).is_empty()


def test_a_key_that_goes_on_after_its_exception_ended_counts_from_then_on() -> None:
    said = found(rows(key(4, "10", is_allowed=True), key(5, "7")))
    assert said["impact_usd"].to_list() == [Decimal(7)]


def test_a_registered_key_that_is_hardly_metered_has_a_rule_of_its_own() -> None:
    said = found(rows(key(4, "10", reason="unmetered", new_since_day=None), key(5, "600")))
    assert dict(said.select("rule", "severity").rows()) == {
        "gateway_bypass.unmetered": "warning",
        "gateway_bypass.unregistered": "critical",
    }
    assert said.filter(rule="gateway_bypass.unmetered")["since_day"].to_list() == [day(4)]


def test_spend_without_a_key_is_no_finding_and_an_owner_known_by_an_address_stays_unnamed() -> None:
    assert found(rows(key(4, "1", reason="without_key", api_key_id=None))).is_empty()
    row = found(rows(key(4, "1", owner="ana@acme.example"))).row(0, named=True)
    assert row["owner"] is None
    assert "@" not in row["because"]
    assert row["day"] == date(2026, 11, 4)
