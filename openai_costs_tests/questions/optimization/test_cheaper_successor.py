from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openai_costs.questions.optimization.cheaper_successor import SUCCESSORS, cheaper_successor
from openai_costs.questions.optimization.list_cost import ListedModel, token_prices
from openai_costs.questions.prices.price_lists import AWS, LISTS, makers_name
from openai_costs_tests.questions.optimization.month import (
    LAST,
    Month,
    billed,
    coverage,
    line,
    projects,
)
from openai_costs_tests.questions.usage.frames import tokens, usage

if TYPE_CHECKING:
    from openai_costs.questions.optimization.facts import Saving


def found(*lines: dict[str, Any], **tables: Any) -> list[Saving]:  # noqa: ANN401 - tables
    return list(cheaper_successor(Month(spend=billed(*lines), **tables).facts))


def test_the_same_tokens_at_the_successors_prices_are_what_could_be_saved() -> None:
    lines = (
        line("gpt-4.1-2025-04-14, input", "20", "10000000"),
        line("gpt-4.1-2025-04-14, cached input", "1", "2000000"),
        line("gpt-4.1-2025-04-14, output", "8", "1000000"),
    )
    (saving,) = found(*lines, projects=projects({"id": "p", "name": "search"}))
    assert saving.saving_usd == Decimal(29) - Decimal("1.52")
    assert (saving.subject, saving.subject_name) == ("p gpt-4.1-2025-04-14", "search")
    assert saving.billed_usd == 29
    assert saving.because == (
        "The project used gpt-4.1-2025-04-14: (10,000,000 input x $2.00 + 2,000,000 cached input x "
        "$0.50 + 1,000,000 output x $8.00) per million tokens = $29.00. With gpt-6-luna, the "
        "vendor's recommended replacement since 2026-10-14: (10,000,000 input x $0.10 + 2,000,000 "
        "cached input x $0.01 + 1,000,000 output x $0.50) per million tokens = $1.52, $27.48 less. "
        "Evaluate it on a day's traffic before you switch."
    )


def test_projects_are_distinct_and_spend_without_one_is_shown_too() -> None:
    one = line("gpt-4.1, input", "20", "10000000")
    subjects = [saving.subject for saving in found(one, one | {"project_id": None})]
    assert subjects == ["no project gpt-4.1", "p gpt-4.1"]


@pytest.mark.parametrize(
    "other",
    [
        line("gpt-5.4, input", "25", "10000000"),
        line("gpt-99-nova, input", "25", "10000000"),
        line("ft-gpt-4o-2024-08-06, input", "37.5", "10000000"),
        line("batch | gpt-4.1, input", "10", "10000000"),
        line("priority | gpt-5.6-sol, input, long context", "160", "10000000"),
        line("gpt-4.1, input", "20", None),
        line("gpt-4.1, input", "20", "10000000", quantity_unit="images"),
        line("gpt-4.1, input", "0.2", "100000"),
    ],
    ids=lambda row: str(row["line_item"]),
)
def test_what_has_no_successor_or_is_no_usual_text_is_left_alone(other: dict[str, Any]) -> None:
    assert found(other) == []


def test_a_successor_that_was_not_there_yet_saves_nothing() -> None:
    day = date(2026, 10, 13)
    rows = [line("gpt-4.1, input", "20", "10000000", day=day)]
    assert found(*rows, coverage=coverage([day])) == []


@pytest.mark.parametrize("host", LISTS)
def test_every_successor_is_in_the_list_of_who_invoices_and_not_dearer(host: str) -> None:
    region = "us-east-1" if host == AWS else None
    priced = 0
    for older, successor in SUCCESSORS.items():
        before = token_prices(ListedModel(older, host, region), LAST)
        newer = ListedModel(successor.model, host, region)
        after = token_prices(newer, LAST, is_long=successor.is_dearest)
        if before is None:  # who invoices does not offer it
            continue
        priced += 1
        assert after is not None, older
        pairs = [(a, b) for a, b in zip(before, after, strict=True) if a is not None]
        assert all(new is not None and new <= old for old, new in pairs), older
    assert priced >= 1


def test_every_model_with_a_successor_is_someones() -> None:
    listed = {makers_name(older, host) for older in SUCCESSORS for host in LISTS}
    assert SUCCESSORS.keys() <= listed


CLAUDE: dict[str, Any] = {
    "provider": "anthropic",
    "host": "anthropic",
    "model": "claude-haiku-4-5-20251001",
}


def test_a_bill_without_quantities_is_measured_by_its_usage_report() -> None:
    # $1, $0.10, $1.25, $2 and $5 a million; the successor above 100,000 tokens costs half.
    counts = tokens(2_000_000, cached=1_000_000, output=1_000_000, write=3_000_000)
    hour = {"input_cache_write_1h_tokens": 1_000_000}
    ours = {"provider": "anthropic", "model": CLAUDE["model"], "day": LAST}
    report = usage({"endpoint": "messages"} | ours | counts | hour)
    bill = billed(line("Claude Haiku 4.5, output", "11.6", None) | CLAUDE)
    facts = Month(usage=report, spend=bill).facts
    (saving,) = cheaper_successor(facts)
    whole = Decimal(2) + Decimal("0.1") + 2 * Decimal("1.25") + 2 + 5
    assert (saving.saving_usd, saving.subject) == (whole / 2, "p claude-haiku-4-5-20251001")
    assert "at its price for long requests" in saving.because


def test_a_cloud_is_measured_by_the_quantities_on_its_bill_in_each_region() -> None:
    sonnet = {"provider": "anthropic", "host": "aws", "model": "claude-sonnet-4-6"}
    rows = [
        line("input", "33", "10000000") | sonnet | {"usage_type": "input", "region": region}
        for region in ("us-east-1", "global")
    ]
    discount = rows[0] | {"charge_category": "adjustment", "billed_usd": Decimal(-3)}
    anywhere, regional = cheaper_successor(Month(spend=billed(*rows, discount)).facts)
    assert (regional.subject, regional.saving_usd) == ("p claude-sonnet-4-6 us-east-1", 11)
    assert (anywhere.subject, anywhere.saving_usd) == ("p claude-sonnet-4-6 global", 10)
