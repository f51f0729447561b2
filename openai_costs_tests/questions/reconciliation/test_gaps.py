from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.reconciliation.gaps import Billed, Metered, Piece, explained
from openai_costs.questions.token_kinds import KINDS

NOTHING: dict[str, Decimal] = {}
RECORDED_INPUT, RECORDED_OUTPUT = Decimal(73_550), Decimal(20_480)
RECORDED_BILL, RECORDED_METER = Decimal("0.865846"), Decimal("0.939487")
"""40 calls, metered with 49,563 cached tokens and billed with 65,304: 8.51 % too much metered."""


def at(price: str, tokens: int) -> Billed:
    return Billed(Decimal(price) * tokens, Decimal(tokens))


def counts(**tokens: int) -> dict[str, Decimal]:
    return {kind: Decimal(n) for kind, n in tokens.items()}


def parts(pieces: list[Piece]) -> dict[str, Decimal]:
    added: dict[str, Decimal] = {}
    for piece in pieces:
        for cause, usd in piece.parts.items():
            added[cause] = added.get(cause, Decimal(0)) + usd
    return {cause: usd for cause, usd in added.items() if usd}


def recorded(input_price: Decimal, cached_price: Decimal) -> list[Piece]:
    plain = (Decimal(73_550 - 65_304) * input_price).quantize(Decimal("1E-18"))
    cached = (65_304 * cached_price).quantize(Decimal("1E-18"))
    lines = {
        "input": Billed(plain, Decimal(73_550 - 65_304)),
        "cached_input": Billed(cached, Decimal(65_304)),
        "output": Billed(RECORDED_BILL - plain - cached, RECORDED_OUTPUT),
    }
    metered = counts(input=73_550 - 49_563, cached_input=49_563, output=20_480)
    return explained(lines, Metered(RECORDED_METER, metered), NOTHING)


def test_the_recorded_case_of_forty_calls_is_cached_tokens_and_nothing_else():
    apart = (RECORDED_METER - RECORDED_BILL) / (65_304 - 49_563)
    pieces = recorded(Decimal("0.000005"), Decimal("0.000005") - apart)
    assert parts(pieces) == {"cached_tokens": RECORDED_BILL - RECORDED_METER}
    variance = -sum(piece.gap_usd for piece in pieces) / RECORDED_BILL * 100
    assert round(variance, 2) == Decimal("8.51")


def test_the_recorded_case_at_round_prices_is_still_mostly_cached_tokens():
    found = parts(recorded(Decimal("0.000005"), Decimal("0.0000005")))
    assert found == {
        "cached_tokens": Decimal("-0.0708345"),
        "price_differs": Decimal("-0.0028065"),
    }


def test_fewer_requests_in_the_same_mix_are_missing_and_not_cached_tokens():
    lines = {"input": at("0.01", 50), "cached_input": at("0.001", 50), "output": at("0.1", 10)}
    half = Metered(Decimal("0.775"), counts(input=25, cached_input=25, output=5))
    assert parts(explained(lines, half, NOTHING)) == {"missing_on_meter": Decimal("0.775")}


def test_calls_that_bypass_the_gateway_are_missing_in_their_own_mix_and_no_cached_tokens():
    prices = {"input": "0.00000125", "cached_input": "0.000000125", "output": "0.00001"}
    lines = {
        "input": at(prices["input"], 21_000_000),
        "cached_input": at(prices["cached_input"], 19_000_000),
        "output": at(prices["output"], 200_000),
    }
    seen = counts(input=1_000_000, cached_input=19_000_000, output=100_000)
    pieces = explained(lines, Metered(Decimal("4.625"), seen), NOTHING)
    assert parts(pieces) == {"missing_on_meter": Decimal(26)}


def test_equal_cached_tokens_on_both_sides_name_no_cached_tokens():
    lines = {"input": at("0.01", 900), "cached_input": at("0.001", 380), "output": at("0.1", 10)}
    seen = Metered(Decimal("6.38"), counts(input=500, cached_input=380, output=10))
    assert parts(explained(lines, seen, NOTHING)) == {"missing_on_meter": Decimal(4)}


def test_tokens_counted_as_another_kind_and_missing_tokens_are_distinct():
    lines = {"input": at("0.01", 40), "cached_input": at("0.001", 60)}
    seen = Metered(Decimal("0.63"), counts(input=60, cached_input=30))
    assert parts(explained(lines, seen, NOTHING)) == {
        "cached_tokens": Decimal("-0.18"),
        "missing_on_meter": Decimal("0.01"),
    }


def test_cached_tokens_that_the_meter_takes_for_written_ones_are_cache_writes():
    lines = {"cached_input": at("0.001", 30), "cache_write": at("0.0125", 10)}
    seen = Metered(Decimal("0.28"), counts(cached_input=10, cache_write=30, output=0))
    assert parts(explained(lines, seen, NOTHING)) == {
        "cache_writes": Decimal("-0.23"),
        "price_differs": Decimal("0.105"),
    }


def test_more_tokens_on_the_meter_are_missing_on_the_bill():
    lines = {"input": at("0.01", 50)}
    assert parts(explained(lines, Metered(Decimal(1), counts(input=100)), NOTHING)) == {
        "missing_on_bill": Decimal("-0.5")
    }


def test_the_same_tokens_at_another_price_are_a_price_that_differs():
    lines = {"input": at("0.01", 100), "output": at("0.1", 10)}
    metered = Metered(Decimal("1.5"), counts(input=100, output=10))
    pieces = explained(lines, metered, NOTHING)
    assert parts(pieces) == {"price_differs": Decimal("0.5")}
    assert [piece.metered_usd for piece in pieces] == [Decimal("0.75"), Decimal("0.75")]


def test_cache_writes_that_the_meter_takes_for_plain_input_are_cache_writes():
    lines = {
        "input": at("0.004", 14),
        "cached_input": at("0.0004", 155),
        "cache_write": at("0.005", 3),
    }
    metered = Metered(Decimal("0.130"), counts(input=17, cached_input=155, output=0))
    assert parts(explained(lines, metered, NOTHING)) == {"cache_writes": Decimal("0.003")}


def test_tokens_without_a_price_are_unpriced_and_not_free():
    lines = {"input": at("0.01", 100), "output": at("0.1", 10)}
    metered = Metered(Decimal(0), counts(input=100, output=10), Decimal(1))
    assert parts(explained(lines, metered, NOTHING)) == {"unpriced_model": Decimal(2)}


def test_a_share_without_a_price_leaves_the_rest_to_the_price():
    lines = {"input": at("0.01", 100)}
    metered = Metered(Decimal("0.5"), counts(input=100), Decimal("0.25"))
    assert parts(explained(lines, metered, NOTHING)) == {
        "unpriced_model": Decimal("0.25"),
        "price_differs": Decimal("0.25"),
    }


def test_a_key_the_meter_never_saw_is_missing_on_the_meter_by_usage_type():
    lines = {"input": at("0.01", 100), None: Billed(Decimal(3))}
    pieces = explained(lines, None, NOTHING)
    assert [(one.usage_type, one.parts) for one in pieces] == [
        ("input", {"missing_on_meter": Decimal(1)}),
        (None, {"missing_on_meter": Decimal(3)}),
    ]


def test_metered_tokens_without_a_bill_are_missing_on_the_bill_at_the_price_others_pay():
    prices = {"input": Decimal("0.01"), "output": Decimal("0.1")}
    metered = Metered(Decimal(2), counts(input=100, output=10))
    pieces = explained({}, metered, prices)
    assert parts(pieces) == {"missing_on_bill": Decimal(-2)}
    assert [piece.usage_type for piece in pieces] == ["input", "output"]


def test_metered_dollars_without_a_bill_or_a_price_are_missing_on_the_bill_as_one():
    (piece,) = explained({}, Metered(Decimal(2), counts(input=100)), NOTHING)
    assert (piece.usage_type, piece.parts) == (None, {"missing_on_bill": Decimal(-2)})


@pytest.mark.parametrize("prices", [NOTHING, {"input": Decimal("0.01")}])
def test_dollars_metered_below_zero_are_not_missing_on_the_bill(prices: dict[str, Decimal]):
    pieces = explained({}, Metered(Decimal("-1618.80"), counts(input=1_618)), prices)
    assert parts(pieces) == {"unexplained": Decimal("1618.80")}


def test_a_bill_without_quantities_is_unexplained_and_never_guessed():
    lines = {"input": Billed(Decimal(1)), "output": at("0.1", 10)}
    pieces = explained(lines, Metered(Decimal("1.5"), counts(input=90, output=10)), NOTHING)
    assert parts(pieces) == {"unexplained": Decimal("0.5")}


def test_a_meter_that_does_not_count_by_kind_is_unexplained():
    pieces = explained({"input": at("0.01", 100)}, Metered(Decimal("0.4")), NOTHING)
    assert parts(pieces) == {"unexplained": Decimal("0.6")}


def test_tokens_without_a_price_stay_unpriced_where_the_bill_has_no_quantities():
    lines = {"input": Billed(Decimal(1)), "output": Billed(Decimal(3))}
    half = Metered(Decimal("1.5"), counts(input=90, output=10), Decimal("0.5"))
    assert parts(explained(lines, half, NOTHING)) == {
        "unpriced_model": Decimal(2),
        "unexplained": Decimal("0.5"),
    }


def test_a_tool_that_no_gateway_meters_is_missing_on_the_meter():
    lines = {"input": at("0.01", 100), "web_search": Billed(Decimal(4))}
    pieces = explained(lines, Metered(Decimal(1), counts(input=100)), NOTHING)
    assert parts(pieces) == {"missing_on_meter": Decimal(4)}


def test_two_sides_that_agree_have_no_parts():
    lines = {"input": at("0.00000125", 777), "cached_input": at("0.000000125", 3_333)}
    usd = sum(line.usd for line in lines.values())
    assert (
        parts(explained(lines, Metered(usd, counts(input=777, cached_input=3_333)), NOTHING)) == {}
    )


money = st.decimals("0", "100000", places=18, allow_nan=False)
number = st.integers(0, 10**10)


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from((*KINDS, None, "web_search")), st.tuples(money, number | st.none())
    ),
    st.none()
    | st.tuples(
        money, st.dictionaries(st.sampled_from(KINDS), number), st.decimals(0, 1, places=6)
    ),
    st.dictionaries(st.sampled_from(KINDS), st.decimals("0", "0.001", places=9)),
)
def test_parts_add_up_to_the_gap_whatever_the_two_sides_say(bill, meter, prices):  # noqa: ANN001
    lines = {
        kind: Billed(usd, None if n is None else Decimal(n)) for kind, (usd, n) in bill.items()
    }
    metered = None
    if meter is not None:
        usd, tokens, share = meter
        metered = Metered(usd, {kind: Decimal(n) for kind, n in tokens.items()}, share)
    pieces = explained(lines, metered, prices)
    for piece in pieces:
        assert sum(piece.parts.values(), Decimal(0)) == piece.gap_usd
    assert sum(piece.billed_usd for piece in pieces) == sum(line.usd for line in lines.values())
    assert sum(piece.metered_usd for piece in pieces) == (metered.usd if metered else 0)
    assert len({piece.usage_type for piece in pieces}) == len(pieces)


@pytest.mark.parametrize("cached", range(0, 101, 10))
def test_the_cached_part_grows_with_the_tokens_that_are_counted_otherwise(cached: int):
    lines = {"input": at("0.01", 50), "cached_input": at("0.001", 50)}
    usd = Decimal(100 - cached) * Decimal("0.01") + cached * Decimal("0.001")
    pieces = explained(
        lines, Metered(usd, counts(input=100 - cached, cached_input=cached)), NOTHING
    )
    expected = (50 - cached) * Decimal("-0.009")
    assert parts(pieces) == ({"cached_tokens": expected} if expected else {})


@pytest.mark.parametrize("kind", ["input", "cached_input", "cache_write"])
def test_a_line_of_the_bill_without_tokens_has_no_price_and_stops_nothing(kind: str):
    lines = {"cached_input": at("0.001", 30), "output": at("0.1", 10)} | {kind: at("1", 0)}
    counted = {"cached_input": 40, "output": 10} if kind != "cached_input" else {"output": 8}
    pieces = explained(lines, Metered(Decimal(1), counts(**counted)), NOTHING)
    gap = sum(piece.gap_usd for piece in pieces)
    assert sum(parts(pieces).values()) == gap == sum(one.usd for one in lines.values()) - 1
