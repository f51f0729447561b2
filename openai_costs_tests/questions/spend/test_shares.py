from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.shares import shared_out
from openai_costs_tests.org import added
from openai_costs_tests.questions.spend.acme import TINY

UNIT = Fraction(1, 10**18)
amounts = st.decimals(-(10**11), 10**11, allow_nan=False, places=18)
tokens = st.lists(st.integers(1, 10**15), min_size=1, max_size=7)


def shares(usd: Decimal, weights: list[int]) -> pl.DataFrame:
    """One line shared out among users named by their position."""
    line = pl.DataFrame([("a", usd)], {"pool": pl.String, "billed_usd": MONEY}, orient="row")
    of_pool = {"pool": "a", "user_id": [str(i) for i in range(len(weights))], "tokens": weights}
    return shared_out(line, pl.DataFrame(of_pool), ["pool"]).sort("user_id")


def usds(usd: str, *weights: int) -> list[str]:
    return [f"{one:f}" for one in shares(Decimal(usd), list(weights))["billed_usd"]]


def test_thirds_of_a_dollar_are_a_dollar() -> None:
    third = "0.333333333333333333"
    assert usds("1", 1, 1, 1) == ["0.333333333333333334", third, third]


def test_units_that_are_left_go_to_the_largest_remainders() -> None:
    # 2.5, 1.5 and 1 units: the halves come before the whole one, the first of them first.
    assert usds("0.000000000000000005", 5, 3, 2) == [
        "0.000000000000000003",
        "0.000000000000000001",
        "0.000000000000000001",
    ]


def test_a_credit_is_shared_out_as_its_charge_would_be() -> None:
    assert usds("-1", 1, 1, 1) == [f"-{one}" for one in usds("1", 1, 1, 1)]


def test_the_share_is_reported_in_percent() -> None:
    assert shares(Decimal(8), [3, 1])["share_pct"].to_list() == [Decimal(75), Decimal(25)]


def test_each_line_of_a_pool_is_shared_out_for_itself() -> None:
    lines = pl.DataFrame(
        {"pool": [None, None, "b"], "key": ["x", "y", "z"], "billed_usd": [4, 8, 9]},
        schema={"pool": pl.String, "key": pl.String, "billed_usd": MONEY},
    )
    weights = pl.DataFrame({"pool": [None, None], "user_id": ["ana", None], "tokens": [1, 3]})
    found = shared_out(lines, weights.cast({"pool": pl.String}), ["pool"])
    assert sorted(found.select("key", "user_id", "billed_usd").rows(), key=repr) == [
        ("x", "ana", Decimal(1)),
        ("x", None, Decimal(3)),
        ("y", "ana", Decimal(2)),
        ("y", None, Decimal(6)),
    ]


@settings(max_examples=100, deadline=None)
@given(amounts, tokens)
@example(Decimal("999999999999.999999999999999999"), [10**15, 1, 10**15 - 1])
@example(Decimal(TINY), [1, 1])
@example(Decimal(0), [1])
def test_parts_add_up_to_the_line_and_none_is_a_whole_unit_off(
    usd: Decimal, weights: list[int]
) -> None:
    parts = shares(usd, weights)["billed_usd"].to_list()
    assert added(parts) == usd
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(usd) * weight / sum(weights)) < UNIT
        assert part * usd >= 0
