from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_costs.questions.anomalies.contributors import (
    Cost,
    Costs,
    changes_of,
    costs_of,
    leaf_rows,
    rows_of,
)
from openai_costs.questions.anomalies.explanation import SIDES
from openai_costs.questions.anomalies.series_ids import SeriesId
from openai_costs_tests.questions.anomalies.bill import Bill, bill, line, on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_costs.questions.anomalies.causes import Change

ORG = SeriesId("org", "acme", "")
KEY = SeriesId("key", "acme", "k")
ADA = SeriesId("user", "acme", "ada")

Asked = tuple[SeriesId, int, list[int]]
"""A series, a day, and the days that it is compared with."""


def costs(rows: pl.DataFrame, *asked: Asked) -> Mapping[tuple[int, bool], Costs]:
    """What each leaf of some series cost, by their number and side."""
    sides = [
        (number, is_before, series.level, series.name, series.connection, len(days), on(one))
        for number, (series, day, before) in enumerate(asked)
        for is_before, days in ((False, [day]), (True, before))
        for one in days
    ]
    return costs_of(rows_of(pl.DataFrame(sides, schema=SIDES, orient="row"), rows))


def changes(rows: pl.DataFrame, series: SeriesId, day: int = 0, usd: int = 0) -> list[Change]:
    """The changes of a day of a series, compared with day 0 where it is another."""
    found = costs(rows, (series, day, [0] if day else []))
    return changes_of(found.get((0, False), {}), found.get((0, True), {}), Decimal(usd))


def dollars(rows: pl.DataFrame, series: SeriesId) -> list[Decimal]:
    return [leaf.actual_usd for leaf in changes(rows, series)]


def leaf_rows_of(made: Bill) -> pl.DataFrame:
    return leaf_rows(made.spend, made.attribution, made.ledger)


def test_the_leaf_rows_of_a_key_are_its_lines_with_users_and_quantities() -> None:
    found = leaf_rows_of(bill(line(0, "k", "ada", "2"), line(0, "j", "bo", "3")))
    (mine,) = changes(found, KEY)
    assert mine == ("ada", "k", "m", "m, output", 2, 0, 2000, 0, "tokens", False)
    assert sum(dollars(found, ORG)) == 5


def test_users_that_are_named_apart_from_keys_leave_the_key_its_dollars() -> None:
    made = bill(line(0, "k", None, "5"))
    people = bill(line(0, "k", "ada", "5", project_id=None, api_key_id=None))
    found = leaf_rows_of(Bill(made.spend, people.attribution, made.ledger))
    assert dollars(found, KEY) == [5]
    assert dollars(found, ADA) == [5]
    assert dollars(found, ORG) == [5]


def test_a_cell_that_several_people_share_has_no_quantity_of_each() -> None:
    found = leaf_rows_of(bill(line(0, "k", "ada", "2"), line(0, "k", "bo", "3")))
    assert found.filter("is_of_people")["quantity"].to_list() == [None, None]


def test_a_line_whose_unit_has_changed_has_no_quantities_to_compare() -> None:
    made = bill(line(0, "k", "ada", "2"), line(1, "k", "ada", "3", quantity_unit="characters"))
    (mine,) = changes(leaf_rows_of(made), KEY, day=1, usd=2)
    assert mine[4:] == (3, 2, None, None, None, False)


def test_a_leaf_is_expected_to_cost_the_mean_of_the_days_before() -> None:
    """What others cost on these days, such as 240 of bo, is no part of what ada costs."""
    lines = [line(0, "k", "ada", "1"), line(1, "k", "ada", "5"), line(1, "j", "bo", "240")]
    found = leaf_rows_of(bill(line(7, "k", "ada", "9"), *lines))
    sides = costs(found, (ORG, 7, [0, 1]))
    *told, rest = changes_of(sides[0, False], sides[0, True], Decimal(8))
    assert {leaf.user: (leaf.expected_usd, leaf.actual_usd) for leaf in told} == {
        "ada": (3, 9),
        "bo": (120, 0),
    }
    assert (told[0].quantity, told[0].expected_quantity) == (9000, 3000)
    assert (rest.expected_usd, rest.is_rest) == (8 - 123, True)


def test_expected_dollars_without_a_past_belong_to_no_leaf() -> None:
    found = leaf_rows_of(bill(line(7, "k", "ada", "9")))
    told = changes(found, ORG, day=7, usd=2)
    assert [(leaf.user, leaf.expected_usd, leaf.is_rest) for leaf in told] == [
        ("ada", 0, False),
        (None, 2, True),
    ]


amounts = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False)


@given(st.lists(amounts, min_size=1, max_size=7), amounts)
def test_the_expected_dollars_add_up_to_the_last_digit(past: list[Decimal], usd: Decimal) -> None:
    before = {
        (f"u{number}", "k", "m", "i"): Cost(cost, None, None) for number, cost in enumerate(past)
    }
    assert sum(leaf.expected_usd for leaf in changes_of({}, before, usd)) == usd


series_ids = st.builds(
    SeriesId,
    st.sampled_from(["org", "project", "user", "key", "model", "usage_type"]),
    st.just("acme"),
    st.sampled_from(["p", "ada", "bo", "k", "j", "m", "output"]),
)
numbers = st.integers(0, 3)
asked_days = st.lists(st.tuples(series_ids, numbers, st.lists(numbers, unique=True)), max_size=6)
lines = st.builds(
    line, numbers, st.sampled_from("kj"), st.sampled_from(["ada", "bo", None]), amounts.map(str)
)


@settings(deadline=None, max_examples=15)
@given(st.lists(lines, min_size=1, max_size=8), asked_days)
def test_series_that_are_asked_for_together_cost_what_each_costs_alone(
    some: list[dict[str, Any]], asked: list[Asked]
) -> None:
    rows = leaf_rows_of(bill(*some))
    together = costs(rows, *asked) if asked else {}
    alone = [costs(rows, one) for one in asked]
    for number, one in enumerate(alone):
        for is_before in (False, True):
            mine, theirs = one.get((0, is_before), {}), together.get((number, is_before), {})
            assert list(theirs.items()) == list(mine.items())
