from __future__ import annotations

from decimal import Decimal

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from openai_costs.kernel.money import MONEY, total
from openai_costs.questions.anomalies.contributors import (
    compared_with,
    expected_parts,
    leaves,
    parts_of,
)
from openai_costs_tests.questions.anomalies.bill import Bill, bill, line, on


def parts(made: Bill) -> pl.DataFrame:
    return leaves(made.spend, made.attribution, made.ledger)


def test_the_parts_of_a_key_are_its_lines_with_users_and_quantities() -> None:
    found = parts(bill(line(0, "k", "ada", "2"), line(0, "j", "bo", "3")))
    mine = parts_of(found, "key", "k")
    assert mine.select("user", "line_item", "usd", "quantity").rows() == [
        ("ada", "m, output", 2, 2000)
    ]
    assert parts_of(found, "org", "")["usd"].sum() == 5


def test_users_that_are_named_apart_from_keys_leave_the_key_its_dollars() -> None:
    made = bill(line(0, "k", None, "5"))
    people = bill(line(0, "k", "ada", "5", project_id=None, api_key_id=None))
    found = parts(Bill(made.spend, people.attribution, made.ledger))
    assert parts_of(found, "key", "k")["usd"].to_list() == [5]
    assert parts_of(found, "user", "ada")["usd"].to_list() == [5]
    assert parts_of(found, "org", "")["usd"].to_list() == [5]


def test_a_cell_that_several_people_share_has_no_quantity_of_each() -> None:
    found = parts(bill(line(0, "k", "ada", "2"), line(0, "k", "bo", "3")))
    assert found.filter("is_of_people")["quantity"].to_list() == [None, None]


def test_what_was_expected_is_shared_out_like_the_days_before() -> None:
    found = parts(bill(line(7, "k", "ada", "9"), line(0, "k", "ada", "1"), line(0, "k", "bo", "3")))
    of_day = {number: found.filter(pl.col("day") == on(number)) for number in (0, 7)}
    told = expected_parts(of_day[7], of_day[0], Decimal(8))
    assert dict(told.select("user", "expected_usd").iter_rows()) == {"ada": 2, "bo": 6}
    assert dict(told.select("user", "actual_usd").iter_rows()) == {"ada": 9, "bo": 0}


def test_the_expected_quantity_is_what_the_expected_dollars_bought() -> None:
    found = parts(bill(line(7, "k", "ada", "9"), line(0, "k", "ada", "1")))
    of_day = {number: found.filter(pl.col("day") == on(number)) for number in (0, 7)}
    told = expected_parts(of_day[7], of_day[0], Decimal(8))
    assert told.select("quantity", "expected_quantity").rows() == [(9000, 8000)]


def test_expected_dollars_without_a_past_belong_to_no_part() -> None:
    found = parts(bill(line(7, "k", "ada", "9")))
    told = expected_parts(found, found.clear(), Decimal(2))
    assert dict(told.select("user", "expected_usd").iter_rows()) == {"ada": 0, None: 2}


amounts = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False)


@given(st.lists(amounts, min_size=1, max_size=7), amounts)
def test_the_expected_dollars_add_up_to_the_last_digit(past: list[Decimal], usd: Decimal) -> None:
    schema = {"user": pl.String, "key": pl.String, "model": pl.String, "line_item": pl.String}
    rows = [(f"u{number}", "k", "m", "i", cost, None) for number, cost in enumerate(past)]
    before = pl.DataFrame(rows, schema=schema | {"usd": MONEY, "quantity": MONEY}, orient="row")
    told = expected_parts(before.clear(), before, usd)
    assert total(told["expected_usd"]) == usd


def test_a_day_is_compared_with_the_same_weekday_before_the_incident() -> None:
    known = {on(number) for number in range(40)} - {on(21)}
    assert compared_with(on(37), on(35), known) == [on(30), on(23), on(16), on(9)]
    assert compared_with(on(35), on(35), known) == [on(28), on(14), on(7), on(0)]


def test_without_such_a_weekday_it_is_compared_with_the_newest_days() -> None:
    assert compared_with(on(4), on(3), {on(0), on(1), on(3), on(4)}) == [on(1), on(0)]
