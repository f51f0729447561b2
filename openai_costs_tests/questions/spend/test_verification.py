from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.verification import differences

DAY, OTHER = date(2026, 11, 3), date(2026, 11, 4)
CONTROL = pl.DataFrame(
    [
        ("acme", DAY, Decimal("10.50"), True),
        ("acme", OTHER, Decimal(7), False),
        ("labs", DAY, Decimal(0), True),
    ],
    schema={"connection": pl.String, "day": pl.Date, "billed_usd": MONEY, "is_settled": pl.Boolean},
    orient="row",
)


def sums(*rows: tuple[str, date, str]) -> pl.DataFrame:
    schema = {"connection": pl.String, "day": pl.Date, "usd": MONEY}
    exact = [(name, day, Decimal(usd)) for name, day, usd in rows]
    return pl.DataFrame(exact, schema=schema, orient="row")


def test_a_day_that_agrees_to_the_last_digit_is_no_difference() -> None:
    assert differences(CONTROL, {("lake/", "mart.spend"): sums(("acme", DAY, "10.50"))}) == []


def test_a_difference_below_a_cent_is_named_in_full() -> None:
    found = differences(CONTROL, {("lake/", "mart.spend"): sums(("acme", DAY, "10.500001"))})
    assert " ".join(map(str, found)) == (
        "2026-11-03, connection acme: mart.spend in lake/ adds up to $10.500001; "
        "the control total is $10.50 (difference $0.000001)."
    )


def test_a_day_that_is_gone_is_not_a_day_of_nothing() -> None:
    found = differences(CONTROL, {("raw/", "cost pages"): sums()})
    assert " ".join(map(str, found)) == (
        "2026-11-03, connection acme: cost pages in raw/ has no rows for the day; "
        "the control total is $10.50."
    )


def test_a_provisional_day_is_not_held_to_its_control_total() -> None:
    rows = sums(("acme", DAY, "10.50"), ("acme", OTHER, "1"))
    assert differences(CONTROL, {("lake/", "core.spend"): rows}) == []
