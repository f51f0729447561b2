from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.formatting import (
    MINUS,
    NONE,
    cents,
    change_share,
    dollars,
    share,
    shared_cents,
    signed,
    total_usd,
)

AMOUNTS = st.lists(st.decimals(-(10**12), 10**12, places=18), max_size=12)


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
    ("value", "shown"), [(123456789, "$1,234,567.89"), (-5, f"{MINUS}$0.05"), (0, "$0.00")]
)
def test_cents_are_shown_as_dollars(value: int, shown: str) -> None:
    assert dollars(value) == shown


def test_a_change_carries_its_sign_and_nothing_moved_has_none() -> None:
    assert [signed(150), signed(-150), signed(0)] == ["+$1.50", f"{MINUS}$1.50", "$0.00"]


def test_a_share_of_nothing_is_a_dash() -> None:
    assert [share(1, 0), change_share(1, 0), share(1, 3)] == [NONE, NONE, "33.3 %"]
