"""The sentences of savings, calculated again with their own numbers."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.optimization.batch_or_flex import batch_or_flex
from openai_costs.questions.optimization.cache_reads import cache_reads
from openai_costs.questions.optimization.cheaper_successor import cheaper_successor
from openai_costs.questions.optimization.long_context import long_context
from openai_costs_tests.questions.optimization.month import (
    LAST,
    Month,
    billed,
    daily,
    every_day,
    line,
    used,
)
from openai_costs_tests.questions.usage.frames import tokens

if TYPE_CHECKING:
    from openai_costs.questions.optimization.facts import Saving

USD = r"\$([\d,]+\.\d+)"
COST = re.compile(rf"\(([^()]+)\) per million tokens = {USD}")
TERM = re.compile(rf"([\d,]+) [a-z ]+ x {USD}")
LESS = re.compile(rf"{USD} less")
HALF = re.compile(rf"\({USD} - {USD}\) / 2 = {USD}")
MORE = re.compile(rf"([\d,]+) tokens .* cost {USD} instead of {USD} per million: {USD} more")
PAID = re.compile(rf"; x {USD} billed / {USD} at list price = {USD}")


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def to_cents(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def saved(text: str) -> Decimal:
    """Return the saving of a sentence by a calculator; every other number is checked on the way."""
    costs = []
    for terms, usd in COST.findall(text):
        products = (number(count) * number(price) for count, price in TERM.findall(terms))
        assert number(usd) == to_cents(sum(products, Decimal(0)) / 1_000_000)
        costs.append(number(usd))
    for count, above, below, usd in MORE.findall(text):
        more = number(count) * (number(above) - number(below)) / 1_000_000
        assert number(usd) == to_cents(more)
        saving = number(usd)
    for usd in LESS.findall(text):
        saving = number(usd)
        assert saving == costs[0] - costs[1]
    for before, after, usd in HALF.findall(text):
        assert [number(before), number(after)] == costs
        saving = number(usd)
        assert saving == to_cents((costs[0] - costs[1]) / 2)
    for paid, listed, usd in PAID.findall(text):
        assert number(usd) == to_cents(saving * number(paid) / number(listed))
        saving = number(usd)
    return saving


def assert_repeatable(savings: list[Saving]) -> None:
    assert savings
    for one in savings:
        assert saved(one.because) == one.saving_usd, one.because


COUNTS = st.integers(1_000_000, 9_999_999)
PRICES = st.decimals("0.1", "60", places=6)
"""What was billed for a million tokens, most often less than list price."""


@settings(max_examples=40, deadline=None)
@given(COUNTS, COUNTS, COUNTS, PRICES)
def test_a_cheaper_successor_is_repeatable(
    some: int, cached: int, output: int, usd: Decimal
) -> None:
    lines = (
        line("gpt-4.1, input", f"{usd}", str(7 * some)),
        line("gpt-4.1, cached input", "0.5", str(cached)),
        line("gpt-4.1, output", "8", str(output)),
    )
    assert_repeatable(list(cheaper_successor(Month(spend=billed(*lines)).facts)))


@settings(max_examples=15, deadline=None)
@given(COUNTS, COUNTS, COUNTS, st.decimals("0.01", "1.99", places=4))
def test_cache_reads_and_batches_are_repeatable(
    uncached: int, cached: int, output: int, usd: Decimal
) -> None:
    spend = billed(line("gpt-4.1, input", f"{usd + 1}", "1000000"))
    steady = Month(every_day(uncached, cached, output), spend)
    assert_repeatable(list(batch_or_flex(steady.facts)))
    good_week = daily(
        lambda day: tokens(cached, uncached) if day.day < 8 else tokens(uncached + cached)
    )
    assert_repeatable(list(cache_reads(Month(used(*good_week), spend).facts)))


@settings(max_examples=15, deadline=None)
@given(COUNTS, PRICES)
def test_long_requests_are_repeatable(count: int, usd: Decimal) -> None:
    label = "gpt-5.6-sol, input, long context"
    spend = billed(line(label, f"{usd + 10}", f"{count}", day=LAST))
    assert_repeatable(list(long_context(Month(spend=spend).facts)))
