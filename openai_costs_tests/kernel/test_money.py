from decimal import Decimal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_costs.kernel.money import (
    MONEY,
    NotAnAmount,
    TooPrecise,
    dollars_from_cents,
    exact,
    exact_amounts,
    exact_quantities,
    exact_where_known,
    share_rounding,
    sum_with_room,
    total,
)
from openai_costs_tests.sources.openai.wire import exact_sum, rounded_once

SMALLEST = Decimal("1E-18")

plain = st.decimals(-(10**11), 10**11, allow_nan=False, places=18)
scientific = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(scale),
    st.integers(-(10**11), 10**11),
    st.integers(-60, 0),
)
amounts = st.one_of(plain, scientific)


@pytest.mark.parametrize(
    ("text", "usd"),
    [
        ("0.06", "0.06"),
        ("12.50", "12.5"),
        ("0.173915", "0.173915"),
        ("0.1739150000000000000000000000", "0.173915"),
        ("0.004182500000000000000000000000000000", "0.0041825"),
        ("0E-6176", "0"),
        ("1e-7", "0.0000001"),
        ("1.3E-07", "0.00000013"),
        ("2E+3", "2000"),
        ("-4.25", "-4.25"),
        ("-0", "0"),
        ("999999999999.999999999999999999", "999999999999.999999999999999999"),
    ],
)
def test_every_way_to_write_an_amount_gives_its_exact_dollars(text: str, usd: str):
    assert exact([text]).to_list() == [Decimal(usd)]


@pytest.mark.parametrize(
    ("cents", "usd"),
    [
        ("1", "0.01"),
        ("-250.5", "-2.505"),
        ("1e3", "10"),
        ("123456789012.1234567890123456", "1234567890.121234567890123456"),
    ],
)
def test_cents_become_exact_dollars_whatever_their_length(cents: str, usd: str):
    assert dollars_from_cents([cents]) == [Decimal(usd)]


def test_cents_that_are_no_number_are_refused_with_their_row_and_text():
    with pytest.raises(NotAnAmount, match="'NaN'") as refused:
        dollars_from_cents(["1", "NaN"])

    assert refused.value.row == 1


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "nan",
        "sNaN",
        "Infinity",
        "-Infinity",
        "inf",
        "",
        " ",
        "1 ",
        " 1",
        "1\n",
        "1_000",
        "1,5",
        "0x10",
        "--1",
        "1e",
        "e1",
        "$1",
        "٣",
        "\uff11\uff12",
        "None",
        "True",
        "1e99999",
    ],
)
def test_a_text_that_is_no_finite_number_is_refused_with_its_position(text: str):
    for read in (exact, exact_amounts):
        with pytest.raises(NotAnAmount, match="not a finite number") as refused:
            read(["1.5", text, "2.5"])
        assert refused.value.row == 1


@pytest.mark.parametrize("text", ["1000000000000", "-1e12", "1e309", "9" * 30, "1E+9999"])
def test_an_amount_of_a_trillion_dollars_is_a_mistake(text: str):
    with pytest.raises(NotAnAmount, match="trillion"):
        exact([text])


@pytest.mark.parametrize("text", ["0.5", ".5", "5.", "+5", "05", "-.5"])
def test_an_amount_is_believed_or_refused_whatever_stands_beside_it(text: str):
    def is_believed(*texts: str) -> bool:
        try:
            exact(texts)
        except NotAnAmount:
            return False
        return True

    assert is_believed(text) == is_believed(text, "1e-7") == is_believed(text, "1e-19")


def test_no_amounts_are_an_empty_money_column():
    assert exact([]).dtype == MONEY
    assert total(exact([])) == Decimal(0)


def test_up_to_18_decimals_nothing_is_rounded():
    texts = ["0.000000000000000001", "123456789012.123456789012345678", "-0.000000000000000009"]
    assert exact(texts).to_list() == [Decimal(text) for text in texts]


def test_what_is_cut_behind_the_18th_decimal_goes_to_the_largest_remainder():
    thirds = ["0.0000000000000000012", "0.0000000000000000016", "0.0000000000000000012"]
    assert exact(thirds).to_list() == [SMALLEST, 2 * SMALLEST, SMALLEST]


def test_three_halves_of_the_smallest_unit_add_up_to_two():
    halves = exact(["0.0000000000000000005"] * 3).to_list()
    assert sorted(halves) == [Decimal(0), SMALLEST, SMALLEST]


@given(st.lists(amounts, max_size=8))
@example([Decimal("5E-19"), Decimal("1E-300")])
@example([Decimal("5E-19"), Decimal("-1E-6176")])
def test_the_sum_of_the_column_is_the_sum_of_the_texts_rounded_once(wire: list[Decimal]):
    column = exact([str(amount) for amount in wire])
    assert total(column) == rounded_once(exact_sum(wire))


@given(st.lists(amounts, max_size=8))
@example([Decimal("5E-19"), Decimal("1E-300")])
def test_a_page_has_the_same_amounts_as_a_column(wire: list[Decimal]):
    texts = list(map(str, wire))
    assert exact_amounts(texts) == exact(texts).to_list()


@given(st.lists(amounts, min_size=1, max_size=8))
def test_no_amount_moves_by_a_whole_unit(wire: list[Decimal]):
    for before, now in zip(wire, exact([str(amount) for amount in wire]), strict=True):
        assert exact_sum([before, now.copy_negate()]).copy_abs() < SMALLEST


@given(plain)
def test_number_text_padded_text_and_exponent_are_one_amount(usd: Decimal):
    same = [f"{usd:f}", f"{usd:f}" + "0" * 9, f"{usd:E}"]
    assert set(exact(same)) == {usd}


def test_shares_of_no_amounts_are_no_amounts():
    assert share_rounding([]) == []


def test_the_total_of_a_column_is_exact_where_a_float_is_not():
    assert total(exact(["0.1"] * 3)) == Decimal("0.3")
    assert total(pl.Series([], dtype=MONEY)) == 0


@pytest.mark.parametrize(
    "texts", [[], [None], ["1.5"], [None, "-0", None, "2.000000000000000000", "1e3"]]
)
def test_an_amount_that_is_not_known_is_null_and_never_zero(texts: list[str | None]) -> None:
    made = exact_where_known(texts)
    assert made.dtype == MONEY
    assert made.to_list() == [None if one is None else Decimal(one) for one in texts]


def test_amounts_that_are_known_are_rounded_as_one_total() -> None:
    third = "0.3333333333333333333"
    made = exact_where_known([third, None, third, third])
    assert made.to_list()[1] is None
    assert made.drop_nulls().to_list() == exact([third] * 3).to_list()
    with pytest.raises(TooPrecise):
        exact_where_known([None, third], may_round=False)
    with pytest.raises(NotAnAmount):
        exact_where_known([None, "NaN"])


def test_a_quantity_of_a_trillion_is_no_mistake_and_one_without_room_is_not_known():
    found = exact_quantities(["2814749767106560", None, "1e20", "-1E+9999", "0.5"])
    assert found.to_list() == [Decimal(2814749767106560), None, None, None, Decimal("0.5")]
    assert exact_quantities(["9" * 19, "1e-19"]).to_list() == [Decimal("9" * 19), Decimal(0)]


def test_a_quantity_that_is_no_number_is_refused_with_its_position_beside_one_without_room():
    with pytest.raises(NotAnAmount, match="not a finite number") as refused:
        exact_quantities(["1e20", None, "many"])
    assert refused.value.row == 1


def test_a_sum_of_quantities_without_room_is_not_known():
    rows = pl.DataFrame(
        {
            "line": ["a", "a", "b", "b"],
            "many": [Decimal("9" * 20), Decimal("9" * 20), Decimal(1), Decimal(1)],
        },
        schema={"line": pl.String, "many": MONEY},
    )
    summed = rows.group_by("line", maintain_order=True).agg(sum_with_room(pl.col("many")))
    assert summed.rows() == [("a", None), ("b", Decimal(2))]
