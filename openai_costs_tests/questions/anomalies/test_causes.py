from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from openai_costs.kernel.money import exact_sum
from openai_costs.questions.anomalies.causes import Change, Contribution, causes


def leaves(*rows: tuple[str, str, str, str, str]) -> list[Change]:
    """Rows of (user, key, line item, expected, actual)."""
    return [
        Change(user, key, None, line_item, Decimal(actual), Decimal(expected), None, None)
        for user, key, line_item, expected, actual in rows
    ]


def measured(*rows: tuple[str, str, str, str, str], user: str | None = None) -> list[Change]:
    """Rows of (line item, expected, actual, expected quantity, quantity)."""
    return [
        Change(user, None, None, line_item, *map(Decimal, (actual, expected, quantity, usual)))
        for line_item, expected, actual, usual, quantity in rows
    ]


def impacts(found: list[Contribution]) -> list[tuple[str, str, Decimal]]:
    return [(one.dimension, one.child, one.impact_usd) for one in found]


def effects_of(some: list[Change]) -> tuple[Decimal, ...]:
    """volume, mix, price, unmeasured of the only cause."""
    (found,) = causes(some)
    return found.effects


def test_one_user_explains_the_change_and_the_rest_is_other() -> None:
    told = causes(
        leaves(
            ("ada", "k1", "in", "10", "95"),
            ("bo", "k1", "in", "10", "13"),
            ("cy", "k2", "in", "10", "7"),
            ("di", "k2", "out", "10", "12"),
        )
    )
    assert impacts(told) == [("user", "ada", 85), ("user", "other", 2)]


def test_the_dimension_that_needs_fewest_children_is_reported() -> None:
    told = causes(
        leaves(
            ("ada", "ci", "in", "0", "30"),
            ("bo", "ci", "in", "0", "30"),
            ("cy", "ci", "out", "0", "30"),
            ("cy", "laptop", "in", "1", "2"),
        )
    )
    assert impacts(told) == [("key", "ci", 90), ("key", "other", 1)]


def test_a_child_that_moved_the_other_way_is_part_of_other() -> None:
    told = causes(leaves(("ada", "k1", "in", "0", "100"), ("bo", "k2", "out", "50", "20")))
    assert impacts(told) == [("user", "ada", 100), ("user", "other", -30)]


def test_what_a_series_is_expected_to_cost_beside_its_leaves_is_part_of_other() -> None:
    nobody = leaves(("ada", "k1", "in", "10", "40"))[0]._replace(user=None)
    rest = Change(None, None, None, None, Decimal(0), Decimal(-9), None, None, is_rest=True)
    told = causes([nobody, rest], ["user"])
    assert impacts(told) == [("user", "none", 30), ("user", "other", 9)]
    assert [sum(one.effects) for one in told] == [30, 9]


def test_a_drop_is_explained_like_a_rise() -> None:
    told = causes(leaves(("ada", "k1", "in", "90", "0"), ("bo", "k2", "out", "50", "49")))
    assert impacts(told)[0] == ("user", "ada", -90)


def test_spend_without_a_user_is_a_child_like_others_unless_its_key_says_more() -> None:
    nobody = [leaves(("ada", "k1", "in", "1", "9"))[0]._replace(user=None)]
    assert impacts(causes(nobody, ["user"])) == [("user", "none", 8)]
    assert impacts(causes(nobody)) == [("key", "k1", 8)]


def test_a_child_that_is_called_other_is_not_what_remains() -> None:
    told = causes(
        leaves(("other", "k1", "in", "0", "100"), ("bo", "k2", "in", "0", "20")), ["user"]
    )
    assert impacts(told) == [("user", "other", 100), ("user", "other", 20)]
    assert [sum(one.effects) for one in told] == [100, 20]


def test_nothing_changed_has_no_cause() -> None:
    assert causes(leaves(("ada", "k1", "in", "10", "10"))) == []


def test_twice_as_much_of_the_same_is_volume() -> None:
    assert effects_of(measured(("in", "10", "20", "100", "200"))) == (10, 0, 0, 0)


def test_the_same_quantity_at_a_dearer_rate_is_price() -> None:
    assert effects_of(measured(("in", "10", "15", "100", "100"))) == (0, 0, 5, 0)


def test_the_same_quantity_moved_to_a_dearer_model_is_mix() -> None:
    lines = measured(
        ("mini", "10", "5", "100", "50"), ("large", "40", "60", "100", "150"), user="a"
    )
    assert effects_of(lines) == (0, 15, 0, 0)


def test_quantities_of_different_units_are_not_added_up() -> None:
    tokens, images = measured(
        ("in", "10", "20", "100", "200"), ("image", "10", "5", "10", "5"), user="a"
    )
    both = [tokens._replace(unit="tokens"), images._replace(unit="images")]
    assert effects_of(both) == (10 - 5, 0, 0, 0)


def test_dollars_without_a_quantity_are_unmeasured() -> None:
    assert effects_of(measured(("in", "10", "15", "0", "0"))) == (0, 0, 0, 5)
    assert effects_of(leaves(("ada", "k1", "in", "10", "95"))) == (0, 0, 0, 85)


usd = st.decimals(0, 100_000, places=2).map(str)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), usd, usd, usd, usd), min_size=1, max_size=30)
)
@example([("a", "100000.00", "0.00", "0.13", "17310.53")])
def test_causes_add_up_to_the_impact_and_effects_to_each_cause(
    rows: list[tuple[str, str, str, str, str]],
) -> None:
    told = measured(*rows)
    found = causes(told)
    impact = exact_sum(one.actual_usd - one.expected_usd for one in told)
    assert exact_sum(one.impact_usd for one in found) == impact
    for one in found:
        assert exact_sum(one.effects) == one.impact_usd
