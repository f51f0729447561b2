from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.formatting import cents
from openai_costs.questions.budgets.causes import as_text, causes
from openai_costs.questions.budgets.scopes import PARTS, Split

KEYS = Split("api_key")
Row = tuple[str | None, str | None, str | None, str, str]


def parts(*rows: Row) -> pl.DataFrame:
    money = [(*row[:3], Decimal(row[3]), Decimal(row[4])) for row in rows]
    return pl.DataFrame(money, schema=PARTS, orient="row")


def test_the_fewest_that_explain_the_change_are_named_and_the_rest_is_one_number() -> None:
    text, before = causes(
        parts(
            ("key_1", "etl", "big", "90", "10"),
            ("key_2", "web", "small", "30", "20"),
            ("key_3", None, "small", "1.5", "5"),
        ),
        KEYS,
    )
    assert before == 35
    assert as_text(text, 86_50) == (
        "API key etl +$80.00, other +$6.50; model big +$80.00, other +$6.50"
    )


def test_where_nothing_grew_the_largest_are_named_and_nothing_is_compared_with() -> None:
    for then in ("0", "100"):
        rows = parts(("key_1", "etl", "m", "60", then), (None, None, "m", "7", "0"))
        text, before = causes(rows, KEYS)
        assert before is None
        spent = as_text(text)
        assert spent == "API key etl $60.00, other $7.00; model m $67.00"


def test_the_cents_of_causes_add_up_to_what_was_spent() -> None:
    rows = parts(*((f"key_{n}", None, "m", usd, "0") for n, usd in enumerate(("3.006",) * 4)))
    by_key, by_model = as_text(causes(rows, KEYS)[0]).split("; ")
    assert by_key == "API key key_0 $3.01, API key key_1 $3.01, API key key_2 $3.00, other $3.00"
    assert by_model == "model m $12.02"


def test_the_cents_of_causes_add_up_to_the_change_of_the_two_sums_in_their_sentence() -> None:
    """$1,912.03 against $161.70 is $1,750.33 on a calculator, and 1,750.324 exactly."""
    rows = parts(("key_1", "etl", "m", "1812.027", "161.703"), ("key_2", "web", "m", "100", "0"))
    text, before = causes(rows, KEYS)
    change = cents(Decimal("1912.027")) - cents(before or Decimal(0))
    by_key, by_model = as_text(text, change).split("; ")
    assert by_key == "API key etl +$1,650.33, other +$100.00"
    assert by_model == "model m +$1,750.33"


def test_a_dimension_that_is_the_scope_itself_is_left_out() -> None:
    text, _ = causes(parts((None, None, None, "5", "0")), Split(None, "usage_type"))
    assert json.loads(text) == [{"dimension": "usage_type", "id": "none", "impact_usd": "5"}]
    assert as_text(text) == "no usage type $5.00"


def test_nothing_spent_has_no_causes() -> None:
    assert causes(parts(), KEYS) == ("[]", None)
    assert as_text("[]") == ""


USD = st.integers(-(10**6), 10**15).map(lambda n: f"{Decimal(n) / 10**9:f}")
PART = st.tuples(
    st.sampled_from([None, "k1", "k2", "k3", "k4", "k5"]),
    st.none(),
    st.sampled_from([None, "m1", "m2"]),
    USD,
    USD,
)


@given(st.lists(PART, min_size=1, max_size=12, unique_by=lambda part: (part[0], part[2])))
def test_each_dimension_adds_up_to_the_change_exactly(rows: list[Row]) -> None:
    text, before = causes(parts(*rows), KEYS)
    change = sum(Decimal(row[3]) for row in rows) - (before or 0)
    sums = {"api_key": Decimal(0), "model": Decimal(0)}
    for cause in json.loads(text):
        sums[cause["dimension"]] += Decimal(cause["impact_usd"])
    assert set(sums.values()) == {change}
