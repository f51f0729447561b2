from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.formatting import (
    NONE,
    cents,
    change_share,
    counted,
    dollars,
    dollars_of,
    exact_dollars,
    listed,
    share,
    shared_cents,
    signed_dollars,
    signed_dollars_of,
    total_usd,
)

AMOUNTS = st.lists(st.decimals(-(10**12), 10**12, places=18), max_size=12)


def test_shared_cents_add_up_to_a_difference_of_two_amounts_in_cents() -> None:
    """10.005 - 5.015 is 4.99, and 10.00 - 5.02 is what a reader calculates."""
    for parts in ([Decimal("4.99")], [Decimal("2.99"), Decimal(2)]):
        shared = shared_cents(parts, cents(Decimal("10.005")) - cents(Decimal("5.015")))
        assert sum(shared) == 498
    assert shared_cents([Decimal("5.012")], cents(Decimal("10.016")) - 500) == [502]


@given(st.decimals(-(10**9), 10**9, places=6), AMOUNTS.filter(bool))
def test_shared_cents_add_up_to_any_difference_of_two_amounts(
    before: Decimal, parts: list[Decimal]
) -> None:
    whole = cents(total_usd([before, *parts])) - cents(before)
    assert sum(shared_cents(parts, whole)) == whole


@given(AMOUNTS)
def test_shared_cents_add_up_to_the_exact_sum_in_cents(parts: list[Decimal]) -> None:
    assert sum(shared_cents(parts)) == cents(total_usd(parts))


@given(AMOUNTS)
def test_no_part_is_a_cent_or_more_from_the_truth(parts: list[Decimal]) -> None:
    for part, shown in zip(parts, shared_cents(parts), strict=True):
        assert abs(Decimal(shown) - part * 100) < 1


def test_a_part_without_a_remainder_is_left_alone() -> None:
    assert shared_cents([Decimal("0.005"), Decimal(0), Decimal("0.006")]) == [0, 0, 1]


@pytest.mark.parametrize(
    ("value", "shown"), [(123456789, "$1,234,567.89"), (-5, "-$0.05"), (0, "$0.00")]
)
def test_cents_are_shown_as_dollars(value: int, shown: str) -> None:
    assert dollars_of(value) == shown


def test_a_change_carries_its_sign_and_nothing_moved_has_none() -> None:
    assert [signed_dollars_of(150), signed_dollars_of(-150), signed_dollars_of(0)] == [
        "+$1.50",
        "-$1.50",
        "$0.00",
    ]


def test_a_share_of_nothing_is_a_dash() -> None:
    assert [share(1, 0), change_share(1, 0), share(1, 3)] == [NONE, NONE, "33.3 %"]


def test_a_percentage_is_of_exact_amounts_and_a_half_goes_to_the_even_tenth() -> None:
    assert [share(1, 160), change_share(210, 160), share(3, 800)] == ["0.6 %", "+31.2 %", "0.4 %"]
    assert change_share(Decimal("0.0049"), Decimal("0.0007")) == "+600.0 %"


def test_exact_dollars_are_written_one_way_in_every_sentence() -> None:
    amounts = [Decimal(text) for text in ("1234.5", "-3.2", "-0.004", "0.005", "0.015")]
    assert [dollars(usd) for usd in amounts] == ["$1,234.50", "-$3.20", "$0.00", "$0.00", "$0.02"]
    assert [signed_dollars(usd) for usd in amounts[:3]] == ["+$1,234.50", "-$3.20", "$0.00"]


def test_a_list_says_how_many_it_leaves_out() -> None:
    assert listed(["a", "b"], 2, "day") == "a, b"
    assert listed(["a", "b", "c"], 2, "day") == "a, b and 1 more day"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert listed(["a.", "b.", "c."], 2, "line", "; ") == "a.; b.; and 1 more line"


def test_one_of_something_is_singular() -> None:
    assert [counted(n, "day") for n in (0, 1, 2, 1200)] == [
        "0 days",
        "1 day",
        "2 days",
        "1,200 days",
    ]


def test_an_exact_amount_keeps_every_digit_and_has_cents() -> None:
    amounts = ("1234.5", "-0.000001", "0", "12345678901234567890.000000000000000001", "100")
    assert [exact_dollars(Decimal(text)) for text in amounts] == [
        "$1,234.50",
        "-$0.000001",
        "$0.00",
        "$12,345,678,901,234,567,890.000000000000000001",
        "$100.00",
    ]
