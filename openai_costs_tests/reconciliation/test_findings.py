from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from openai_costs.reconciliation.findings import found
from openai_costs.tables.finding import Finding
from openai_costs.tables.mart.cost_reconciliation import EXPLANATIONS, CostReconciliation
from openai_costs_tests.org import day


def gap(when: int, cause: str, billed: str, metered: str, **said: object) -> dict[str, object]:
    difference = Decimal(billed) - Decimal(metered)
    return {
        "day": day(when),
        "connection": "acme",
        "provider": "openai",
        "api_key_id": "key_ana",
        "model": "gpt-5.4",
        "level": "key",
        "billed_usd": Decimal(billed),
        "metered_usd": Decimal(metered),
        "gap_usd": difference,
        "cause": cause,
        "is_settled": True,
        "is_within_tolerance": False,
        **dict.fromkeys((f"{part}_usd" for part in EXPLANATIONS), Decimal(0)),
    } | said


def said_of(*gaps: dict[str, object]) -> pl.DataFrame:
    return found(pl.DataFrame([*gaps], schema=CostReconciliation.types()))


def test_the_days_of_a_cause_are_one_finding_with_both_numbers() -> None:
    said = said_of(gap(4, "cached_tokens", "10", "10.85"), gap(6, "cached_tokens", "2", "2.15"))
    assert Finding.broken_rules(said) == []
    row = said.row(0, named=True)
    assert (row["rule"], row["subject_id"]) == ("reconciliation.gap", "acme/cached_tokens")
    assert (row["since_day"], row["day"], row["impact_usd"]) == (day(4), day(6), Decimal(1))
    assert "billed 12.00, metered 13.00 USD, -1.00 USD from 2026-11-04" in row["because"]
    assert "key_ana with gpt-5.4 -1.00" in row["because"]


@pytest.mark.parametrize(
    "said",
    [
        {"is_within_tolerance": True},
        {"is_settled": False},
        {"cause": "bypass"},
        {"cause": "agrees"},
    ],
)
def test_what_is_small_unsettled_or_told_elsewhere_is_no_finding(said: dict[str, object]) -> None:
    assert said_of(gap(4, "cached_tokens", "10", "5") | said).is_empty()
