from __future__ import annotations

from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.money import MONEY, total
from openai_costs.questions.anomalies.contributors import changes, leaf_rows
from openai_costs.questions.anomalies.series_ids import SeriesId
from openai_costs_tests.questions.anomalies.bill import Bill, bill, line, on

ORG = SeriesId("org", "acme", "")
KEY = SeriesId("key", "acme", "k")
ADA = SeriesId("user", "acme", "ada")


def dollars(leaves: pl.DataFrame, series: SeriesId) -> list[Decimal]:
    """What the leaves of a series cost, without any day before."""
    found = changes(leaves, leaves.clear(), series, Decimal(0))
    return found["actual_usd"].to_list()


def leaves_of(made: Bill) -> pl.DataFrame:
    return leaf_rows(made.spend, made.attribution, made.ledger)


def test_the_leaf_rows_of_a_key_are_its_lines_with_users_and_quantities() -> None:
    found = leaves_of(bill(line(0, "k", "ada", "2"), line(0, "j", "bo", "3")))
    mine = changes(found, found.clear(), KEY, Decimal(0))
    assert mine.select("user", "line_item", "actual_usd", "quantity").rows() == [
        ("ada", "m, output", 2, 2000)
    ]
    assert sum(dollars(found, ORG)) == 5


def test_users_that_are_named_apart_from_keys_leave_the_key_its_dollars() -> None:
    made = bill(line(0, "k", None, "5"))
    people = bill(line(0, "k", "ada", "5", project_id=None, api_key_id=None))
    found = leaves_of(Bill(made.spend, people.attribution, made.ledger))
    assert dollars(found, KEY) == [5]
    assert dollars(found, ADA) == [5]
    assert dollars(found, ORG) == [5]


def test_a_cell_that_several_people_share_has_no_quantity_of_each() -> None:
    found = leaves_of(bill(line(0, "k", "ada", "2"), line(0, "k", "bo", "3")))
    assert found.filter("is_of_people")["quantity"].to_list() == [None, None]


def test_what_was_expected_is_allocated_like_the_days_before() -> None:
    found = leaves_of(
        bill(line(7, "k", "ada", "9"), line(0, "k", "ada", "1"), line(0, "k", "bo", "3"))
    )
    of_day = {number: found.filter(pl.col("day") == on(number)) for number in (0, 7)}
    told = changes(of_day[7], of_day[0], ORG, Decimal(8))
    assert dict(told.select("user", "expected_usd").iter_rows()) == {"ada": 2, "bo": 6}
    assert dict(told.select("user", "actual_usd").iter_rows()) == {"ada": 9, "bo": 0}


def test_the_expected_quantity_is_what_the_expected_dollars_bought() -> None:
    found = leaves_of(bill(line(7, "k", "ada", "9"), line(0, "k", "ada", "1")))
    of_day = {number: found.filter(pl.col("day") == on(number)) for number in (0, 7)}
    told = changes(of_day[7], of_day[0], ORG, Decimal(8))
    assert told.select("quantity", "expected_quantity").rows() == [(9000, 8000)]


def test_expected_dollars_without_a_past_belong_to_no_leaf() -> None:
    found = leaves_of(bill(line(7, "k", "ada", "9")))
    told = changes(found, found.clear(), ORG, Decimal(2))
    assert dict(told.select("user", "expected_usd").iter_rows()) == {"ada": 0, None: 2}


amounts = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False)


@given(st.lists(amounts, min_size=1, max_size=7), amounts)
def test_the_expected_dollars_add_up_to_the_last_digit(past: list[Decimal], usd: Decimal) -> None:
    schema = {"user": pl.String, "key": pl.String, "model": pl.String, "line_item": pl.String}
    rows = [(f"u{number}", "k", "m", "i", cost, None) for number, cost in enumerate(past)]
    before = pl.DataFrame(rows, schema=schema | {"usd": MONEY, "quantity": MONEY}, orient="row")
    before = before.with_columns(is_of_people=pl.lit(value=True), is_of_bill=pl.lit(value=True))
    told = changes(before.clear(), before, ORG, usd)
    assert total(told["expected_usd"]) == usd
