"""A charge that is dated after today shows no earlier day to be complete, and is named."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from openai_costs_tests.sources.exports.files import Export, azure_manifest, csv_of, row

USED = [row(f"2026-11-{day:02}", "10.5") for day in range(1, 11)]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)


@pytest.mark.parametrize("day", ["2026-12-01", "2027-11-04"])
def test_usage_dated_after_today_leaves_days_that_were_not_exported_missing_and_is_named(
    export: Export, day: str
):
    export.put("bill.csv", csv_of(*USED, row(day, "10.5")))
    assert export.read() == ""
    assert max(export.control["day"]) == date(2026, 11, 10)
    assert any(f"1 charge of 10.50 USD dated after today, the first {day}" in o for o in export.log)
    found = export.facts()[-1]
    assert found.state == "WARN"
    assert f"1 charge of 10.50 USD dated after today, the first {day}" in found.text
    assert "it ends 18 days ago" in found.text


@pytest.mark.parametrize("category", ["Purchase", "Tax", "Credit"])
def test_a_fee_dated_to_the_end_of_the_month_is_billed_ahead_and_shows_no_day_to_be_complete(
    export: Export, category: str
):
    usual = [*USED, *(row(f"2026-11-{day}", "1") for day in range(11, 28))]
    fee = row("2026-11-30", "99", ChargeCategory=category)
    export.put("bill.csv", csv_of(*usual, fee))
    assert export.read() == ""
    assert max(export.control["day"]) == date(2026, 11, 27)
    found = export.facts()[-1]
    assert found.state == "OK"
    assert "1 charge of 99.00 USD dated after today, the first 2026-11-30" in found.text


def test_a_fee_of_a_day_that_has_come_counts_and_shows_no_day_before_it_to_be_complete(
    export: Export,
):
    export.put("bill.csv", csv_of(*USED, row("2026-11-20", "99", ChargeCategory="Purchase")))
    assert export.read() == ""
    last = export.control["day"].cast(pl.String).to_list()[-2:]
    assert last == ["2026-11-10", "2026-11-20"]
    assert export.usd["2026-11-20"] == 99


def test_a_month_in_a_folder_of_its_own_does_not_end_because_a_charge_is_dated_later(
    export: Export,
):
    export.put("2026-11/bill.csv", csv_of(*USED, row("2026-12-04", "1")))
    assert export.read() == ""
    assert max(export.control["day"]) == date(2026, 11, 10)


def test_a_run_shows_no_day_after_its_own_to_be_complete(export: Export):
    export.put("run=20261111T030000Z/0.csv", csv_of(*USED, row("2026-11-20", "1")))
    assert export.read() == ""
    days = export.control["day"].cast(pl.String).to_list()
    assert days[-2:] == ["2026-11-10", "2026-11-20"]


def test_days_after_the_last_usage_are_empty_where_the_run_says_that_it_is_about_them(
    export: Export,
):
    export.put("daily/20261101-20261130/a/0.csv", csv_of(*USED, row("2026-12-04", "1")))
    said = azure_manifest(
        "2026-11-20T03:00:00Z", "2026-11-01", "2026-11-30", "MonthToDate", "0.csv"
    )
    export.put("daily/20261101-20261130/a/manifest.json", said)
    assert export.read() == ""
    assert max(export.control["day"]) == date(2026, 11, 20)


def test_a_bill_without_any_usage_is_complete_between_its_charges(export: Export):
    export.put(
        "bill.csv",
        csv_of(*(row(day, "5", ChargeCategory="Purchase") for day in ("2026-11-01", "2026-11-09"))),
    )
    assert export.read() == ""
    assert export.control.height == len(range(1, 10))


def test_a_month_that_ends_in_a_tax_is_complete_as_soon_as_another_file_goes_on(export: Export):
    tax = row("2026-10-31", "7", ChargeCategory="Tax")
    october = csv_of(*(row(f"2026-10-{day}", "1") for day in range(10, 21)), tax)
    export.put("2026-10.csv", october)
    assert export.read() == ""
    assert export.control["day"].cast(pl.String).to_list()[-2:] == ["2026-10-20", "2026-10-31"]
    export.put("2026-11.csv", csv_of(*USED))
    assert export.read() == ""
    days = export.control["day"].to_list()
    assert days == [date(2026, 10, 10) + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == date(2026, 11, 10)
