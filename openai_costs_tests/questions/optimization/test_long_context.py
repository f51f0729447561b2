from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from openai_costs.questions.optimization.long_context import long_context
from openai_costs_tests.questions.optimization.month import Month, billed, line

if TYPE_CHECKING:
    from openai_costs.questions.optimization.facts import Saving


def found(*lines: dict[str, Any]) -> list[Saving]:
    return list(long_context(Month(spend=billed(*lines)).facts))


def test_the_surcharge_on_the_tokens_is_what_could_be_saved() -> None:
    label = "gpt-5.4, input, long context"
    half = line(label, "25", "5000000")
    (saving,) = found(half, half | {"api_key_id": "k2"})
    assert (saving.subject_kind, saving.subject) == ("line_item", label)
    assert (saving.saving_usd, saving.billed_usd) == (Decimal(25), Decimal(50))
    assert saving.because == (
        "10,000,000 tokens of gpt-5.4 in requests above the usual context cost $5.00 instead of "
        "$2.50 per million: $25.00 more. Find the prompts that are this long."
    )


def test_the_surcharge_is_the_one_of_the_tier() -> None:
    (saving,) = found(line("priority | gpt-5.6-sol, output, long context", "60", "1000000"))
    assert saving.saving_usd == 20


@pytest.mark.parametrize(
    "other",
    [
        line("gpt-5.4, input", "25", "10000000"),
        line("gpt-5-mini, input, long context", "25", "10000000"),
        line("gpt-5.4, input, long context", "25", None),
        line("gpt-5.4, input, long context", "0.5", "100000"),
    ],
    ids=lambda row: str(row["line_item"]),
)
def test_without_a_known_surcharge_there_is_no_row(other: dict[str, Any]) -> None:
    assert found(other) == []
