from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.spend.verification import (
    LAKE,
    PAGES,
    RAW,
    Difference,
    differences,
    differing_days,
    remedy,
    withheld_text,
)
from openai_costs.storage.slices import Slice

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


def of_day(day: date, usd: str | None, place: str = LAKE, table: str = "mart.spend") -> Difference:
    found = None if usd is None else Decimal(usd)
    return Difference(place, table, "acme", day, Decimal("12.50"), found)


def test_a_day_that_is_not_published_is_named_with_its_tables_and_both_dollars() -> None:
    found = [
        of_day(DAY, "12", RAW, PAGES),
        of_day(DAY, "12", table="core.spend"),
        of_day(DAY, None),
    ]
    assert withheld_text(found) == (
        "Not published, because it does not tie out: 2026-11-03 of acme: cost pages, core.spend "
        "add up to $12.00 and mart.spend has no rows, but the control total is $12.50. Readers "
        "keep what was published of that day before. Read again from the provider: "
        "`openai-costs backfill --from 2026-11-03 --to 2026-11-03`. "
        "If a difference remains, ask the provider with both numbers."
    )
    assert withheld_text([]) == ""


def test_tables_that_contradict_good_pages_are_made_again_without_a_request() -> None:
    assert remedy([of_day(DAY, "12"), of_day(OTHER, "13")]) == (
        "Rebuild the tables from the kept pages: "
        "`openai-costs backfill --offline --from 2026-11-03 --to 2026-11-04`."
    )


def test_a_day_whose_page_cannot_be_used_is_read_again_and_not_rebuilt() -> None:
    assert remedy([of_day(DAY, "12")], unreadable=[Slice("acme", DAY)]) == (
        "Read again from the provider: `openai-costs backfill --from 2026-11-03 --to 2026-11-03`."
    )


def test_float_noise_is_a_difference_that_a_day_may_be_published_with() -> None:
    assert of_day(DAY, "12.5000000009").is_noise
    assert not of_day(DAY, "12.500000001").is_noise
    assert not of_day(DAY, None).is_noise


def test_days_whose_dollars_differ_in_any_table_are_looked_into() -> None:
    def totals(*rows: tuple[date, str]) -> pl.DataFrame:
        schema = {"day": pl.Date, "billed_usd": MONEY}
        return pl.DataFrame([(day, Decimal(usd)) for day, usd in rows], schema, orient="row")

    same = totals((DAY, "10.50"), (OTHER, "7"))
    assert differing_days(CONTROL, [same]) == []
    assert differing_days(CONTROL, [same, totals((DAY, "10.500000000000000001"))]) == [DAY, OTHER]
    assert differing_days(CONTROL, [totals((DAY, "10.50"))]) == [OTHER]
    later = date(2026, 11, 5)
    assert differing_days(CONTROL, [totals((DAY, "10.50"), (OTHER, "7"), (later, "1"))]) == [later]
    assert differing_days(CONTROL.clear(), []) == []
