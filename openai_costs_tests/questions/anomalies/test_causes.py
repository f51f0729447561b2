from __future__ import annotations

from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.causes import EFFECTS, causes

Leaf = tuple[str, str, str, str, str]


def leaves(*rows: Leaf) -> pl.DataFrame:
    """Rows of (user, key, line item, expected, actual)."""
    names = ["user", "key", "line_item", "expected_usd", "actual_usd"]
    told = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return told.with_columns(pl.col("expected_usd", "actual_usd").cast(MONEY))


def measured(*rows: tuple[str, str, str, str, str]) -> pl.DataFrame:
    """Rows of (line item, expected, actual, expected quantity, quantity)."""
    names = ["line_item", "expected_usd", "actual_usd", "expected_quantity", "quantity"]
    told = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    return told.with_columns(pl.col(names[1:]).cast(MONEY))


def effects_of(told: pl.DataFrame) -> dict[str, Decimal]:
    return {name: told[name].sum().normalize() for name in EFFECTS}


def test_one_user_explains_the_change_and_the_rest_is_other() -> None:
    told = causes(
        leaves(
            ("ada", "k1", "in", "10", "95"),
            ("bo", "k1", "in", "10", "13"),
            ("cy", "k2", "in", "10", "7"),
            ("di", "k2", "out", "10", "12"),
        )
    )
    assert told.select("rank", "dimension", "child", "impact_usd").rows() == [
        (1, "user", "ada", Decimal(85)),
        (2, "user", "other", Decimal(2)),
    ]


def test_the_dimension_that_needs_fewest_children_is_reported() -> None:
    told = causes(
        leaves(
            ("ada", "ci", "in", "0", "30"),
            ("bo", "ci", "in", "0", "30"),
            ("cy", "ci", "out", "0", "30"),
            ("cy", "laptop", "in", "1", "2"),
        )
    )
    assert told["dimension"][0] == "key"
    assert told["child"].to_list() == ["ci", "other"]


def test_a_child_that_moved_the_other_way_is_part_of_other() -> None:
    told = causes(leaves(("ada", "k1", "in", "0", "100"), ("bo", "k2", "out", "50", "20")))
    assert dict(told.select("child", "impact_usd").iter_rows()) == {"ada": 100, "other": -30}


def test_a_drop_is_explained_like_a_rise() -> None:
    told = causes(leaves(("ada", "k1", "in", "90", "0"), ("bo", "k2", "out", "50", "49")))
    assert told.select("child", "impact_usd").row(0) == ("ada", Decimal(-90))


def test_spend_without_a_user_is_a_child_like_others_unless_its_key_says_more() -> None:
    nobody = leaves(("ada", "k1", "in", "1", "1")).with_columns(
        user=pl.lit(None, pl.String), actual_usd=pl.lit("9").cast(MONEY)
    )
    assert causes(nobody, ["user"])["child"].to_list() == ["none"]
    assert causes(nobody)["child"].to_list() == ["k1"]


def test_nothing_changed_has_no_cause() -> None:
    assert causes(leaves(("ada", "k1", "in", "10", "10"))).is_empty()


def test_twice_as_much_of_the_same_is_volume() -> None:
    told = effects_of(causes(measured(("in", "10", "20", "100", "200"))))
    assert told == {"volume_usd": 10, "mix_usd": 0, "price_usd": 0, "unmeasured_usd": 0}


def test_the_same_quantity_at_a_dearer_rate_is_price() -> None:
    told = effects_of(causes(measured(("in", "10", "15", "100", "100"))))
    assert told == {"volume_usd": 0, "mix_usd": 0, "price_usd": 5, "unmeasured_usd": 0}


def test_the_same_quantity_moved_to_a_dearer_model_is_mix() -> None:
    lines = measured(("mini", "10", "5", "100", "50"), ("large", "40", "60", "100", "150"))
    told = effects_of(causes(lines.with_columns(user=pl.lit("ada"))))
    assert told == {"volume_usd": 0, "mix_usd": 15, "price_usd": 0, "unmeasured_usd": 0}


def test_dollars_without_a_quantity_are_unmeasured() -> None:
    told = effects_of(causes(measured(("in", "10", "15", "0", "0"))))
    assert told["unmeasured_usd"] == 5


def test_without_quantities_the_effects_are_unknown_not_zero() -> None:
    told = causes(leaves(("ada", "k1", "in", "10", "95")))
    assert told.select(EFFECTS).row(0) == (None,) * 4


usd = st.decimals(0, 100_000, places=2).map(str)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), usd, usd, usd, usd), min_size=1, max_size=30)
)
def test_causes_add_up_to_the_impact_and_effects_to_each_cause(
    rows: list[tuple[str, str, str, str, str]],
) -> None:
    told = measured(*rows)
    found = causes(told)
    impact = told["actual_usd"].sum() - told["expected_usd"].sum()
    assert found["impact_usd"].sum() == impact
    for row in found.iter_rows(named=True):
        assert sum(row[name] for name in EFFECTS) == row["impact_usd"]
