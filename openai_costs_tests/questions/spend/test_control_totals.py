from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.control_totals import (
    attributed,
    compared,
    day_sums,
    line_counts,
    method_sums,
)
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs_tests.org import NOW, day


def ledger(*lines: dict[str, Any]) -> pl.DataFrame:
    blank = dict.fromkeys(Ledger.types())
    known = {"connection": "acme", "provider": "openai", "day": day(1), "grouping": "all"}
    understood = {"line_item": "gpt-5, input", "model": "gpt-5", "usage_type": "input"}
    rows = [blank | known | understood | {"billed_usd": Decimal(1)} | line for line in lines]
    return pl.DataFrame(rows, schema=Ledger.types())


def control(usd: str) -> pl.DataFrame:
    row = ("acme", day(1), Decimal(usd), None, None, True, True, NOW.replace(tzinfo=None))
    return pl.DataFrame([row], schema=SpendControl.types(), orient="row")


def page(*usd: str) -> pl.DataFrame:
    rows = [("acme", day(1), Decimal(one)) for one in usd]
    schema = {"connection": pl.String, "day": pl.Date, "page_usd": MONEY}
    return pl.DataFrame(rows, schema=schema, orient="row")


def gap(control_usd: str, page_usd: str, ledger_usd: str, user_usd: str) -> Decimal:
    of_ledger = day_sums(ledger({"billed_usd": Decimal(ledger_usd)}))
    of_users = day_sums(ledger({"billed_usd": Decimal(user_usd)}))
    return compared(control(control_usd), page(page_usd), of_ledger, of_users)[
        "largest_gap_usd"
    ].item()


def test_four_equal_sums_have_no_gap() -> None:
    assert gap("1.5", "1.5", "1.5", "1.5") == 0


def test_the_largest_of_the_gaps_counts_in_either_direction() -> None:
    assert gap("10", "10", "9", "13") == Decimal(3)
    assert gap("10", "4", "9", "13") == Decimal(6)


def test_a_gap_in_the_eighteenth_decimal_is_a_gap() -> None:
    assert gap("1", "1", "1", "1.000000000000000001") == Decimal("1E-18")


def test_a_day_without_rows_ties_out_at_zero() -> None:
    nothing = day_sums(Ledger.no_rows())
    (row,) = compared(control("0"), page("0"), nothing, nothing).rows(named=True)
    assert (row["ledger_usd"], row["user_usd"], row["largest_gap_usd"]) == (0, 0, 0)


def test_a_ledger_without_rows_does_not_tie_out_with_a_control_that_has_dollars() -> None:
    nothing = day_sums(Ledger.no_rows())
    (row,) = compared(control("3"), page(), nothing, nothing).rows(named=True)
    assert row["largest_gap_usd"] == Decimal(3)


def gap_of_marts(
    spend: str, direct: str, allocated: str, users: str, *, settled: bool = True
) -> Decimal:
    """The gap of three marts of a day whose control total is ten dollars."""
    methods = method_sums(
        pl.concat(
            ledger({"billed_usd": Decimal(usd)}).with_columns(attribution=pl.lit(method))
            for method, usd in (("direct", direct), ("allocated", allocated))
        )
    )
    of_spend, of_users = (day_sums(ledger({"billed_usd": Decimal(usd)})) for usd in (spend, users))
    read = control("10").with_columns(is_settled=settled)
    return attributed(read, of_spend, methods, of_users)["largest_gap_usd"].item()


def test_the_methods_add_up_to_the_control_total() -> None:
    assert gap_of_marts("10", "7", "3", "10") == 0
    assert gap_of_marts("10", "7", "3.5", "10") == Decimal("0.5")


def test_a_settled_day_is_held_to_its_control_total_and_a_provisional_one_to_its_spend() -> None:
    assert gap_of_marts("9", "7", "2", "9") == Decimal(1)
    assert gap_of_marts("9", "7", "2", "9", settled=False) == 0
    assert gap_of_marts("9", "7", "2", "8", settled=False) == Decimal(1)


def test_sums_are_per_connection_and_day() -> None:
    lines = ({}, {"billed_usd": Decimal("0.5")}, {"connection": "bolt"}, {"day": day(2)})
    assert day_sums(ledger(*lines)).sort("connection", "day").rows() == [
        ("acme", day(1), Decimal("1.5")),
        ("acme", day(2), Decimal(1)),
        ("bolt", day(1), Decimal(1)),
    ]


def test_a_key_that_comes_three_times_is_two_duplicates() -> None:
    assert line_counts(ledger({}, {}, {}))["duplicates"].item() == 2


def test_lines_that_differ_in_one_dimension_are_no_duplicates() -> None:
    others = ({"project_id": "p"}, {"user_id": "u"}, {"api_key_id": "k"}, {"line_item": "l"})
    assert line_counts(ledger({}, *others, {"quantity_unit": "q"}))["duplicates"].item() == 0


def test_dollars_of_labels_that_were_not_understood_are_counted() -> None:
    strange = {"model": None, "usage_type": None, "billed_usd": Decimal(3)}
    tool = {"model": None, "usage_type": "web_search", "billed_usd": Decimal(5)}
    (row,) = line_counts(ledger({}, strange, tool)).rows(named=True)
    assert (row["unparsed_usd"], row["usd"]) == (Decimal(3), Decimal(9))


def test_a_credit_cancels_no_dollars_without_a_label() -> None:
    strange = {"model": None, "usage_type": None, "quantity": None, "billed_usd": Decimal(25)}
    credit = strange | {"billed_usd": Decimal(-25)}
    (row,) = line_counts(ledger({"billed_usd": Decimal("7.5")}, strange, credit)).rows(named=True)
    assert (row["unparsed_usd"], row["usd"]) == (Decimal(25), Decimal("32.5"))


def test_credits_have_no_label_that_could_be_recognized() -> None:
    credit = {"model": None, "usage_type": None, "quantity": None, "billed_usd": Decimal(-60)}
    (row,) = line_counts(ledger({"billed_usd": Decimal("7.5")}, credit, credit)).rows(named=True)
    assert (row["unparsed_usd"], row["usd"]) == (Decimal(0), Decimal("7.5"))


def test_a_correction_of_usage_with_a_strange_label_is_no_credit() -> None:
    correction = {"model": None, "usage_type": None, "quantity": -4, "billed_usd": Decimal(-3)}
    (row,) = line_counts(ledger({"billed_usd": Decimal(7)}, correction)).rows(named=True)
    assert (row["unparsed_usd"], row["usd"]) == (Decimal(3), Decimal(10))
