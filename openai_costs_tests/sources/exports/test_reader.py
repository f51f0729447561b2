"""Which rows of which files count, through reader and archive: no dollar twice, no day lost."""

import gzip
import io
import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.sources.exports.notes import first_day, owed_days, recall
from openai_costs.sources.exports.settled import Read, is_settled
from openai_costs.storage.archive import KeptRead
from openai_costs_tests.sources.exports.files import Export, azure_manifest, csv_of, row

NOV = "20261101-20261130"
DAILY_RUN = f"daily/{NOV}/run-a"
AWS = "focus/data/billing_period=2026-11"
AWS_MANIFEST = "focus/metadata/billing_period=2026-11/focus-Manifest.json"


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)


def daily(export: Export, run: str, ran_at: str, *rows: dict[str, str]) -> None:
    """A run of a daily export of the month to date, as Azure writes it."""
    export.put(f"daily/{NOV}/{run}/part_0.csv", csv_of(*rows))
    said = azure_manifest(ran_at, "2026-11-01", "2026-11-30", "MonthToDate", "part_0.csv")
    export.put(f"daily/{NOV}/{run}/manifest.json", said)


def once(export: Export, ran_at: str, *rows: dict[str, str]) -> None:
    """A one-time export of three days, as Azure writes it."""
    export.put("once/20261103-20261105/run-x/part_0.csv", csv_of(*rows))
    said = azure_manifest(ran_at, "2026-11-03", "2026-11-05", "Custom", "part_0.csv")
    export.put("once/20261103-20261105/run-x/manifest.json", said)


def test_the_newer_run_of_a_month_replaces_the_older_one_beside_it(export: Export):
    daily(export, "a", "2026-11-04T03:00:00Z", row("2026-11-02", "1"), row("2026-11-03", "2"))
    daily(export, "b", "2026-11-05T03:00:00Z", row("2026-11-02", "1.5"), row("2026-11-04", "4"))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal("1.5"), "2026-11-04": Decimal(4)}


def test_a_one_time_export_beside_the_daily_one_counts_for_the_days_it_holds(export: Export):
    daily(export, "a", "2026-11-06T03:00:00Z", row("2026-11-03", "3"), row("2026-11-06", "6"))
    once(export, "2026-11-07T09:00:00Z", row("2026-11-03", "3.3"), row("2026-11-04", "4.4"))
    assert export.read() == ""
    expected = {"2026-11-03": "3.3", "2026-11-04": "4.4", "2026-11-06": "6"}
    assert export.usd == {day: Decimal(usd) for day, usd in expected.items()}


def test_an_older_one_time_export_fills_only_what_the_daily_one_lacks(export: Export):
    daily(export, "a", "2026-11-08T03:00:00Z", row("2026-11-03", "3"), row("2026-11-06", "6"))
    once(export, "2026-11-05T09:00:00Z", row("2026-11-03", "9"), row("2026-11-04", "4"))
    assert export.read() == ""
    assert export.usd["2026-11-03"] == Decimal(3)
    assert export.usd["2026-11-04"] == Decimal(4)


def test_two_runs_of_which_no_one_says_which_is_newer_are_refused_with_both_names(export: Export):
    export.put("a.csv", csv_of(row("2026-11-03", "3")))
    export.put("b.csv", csv_of(row("2026-11-03", "4"), row("2026-11-04", "5")))
    refusal = export.read()
    assert "a.csv and " in refusal
    assert "b.csv: both have charges of billing account 0123-ABCD for 2026-11-03" in refusal
    assert export.kept() == []


def test_files_of_other_days_accounts_or_months_lie_beside_each_other(export: Export):
    export.put("a.csv", csv_of(row("2026-11-03", "3")))
    export.put("b.csv", csv_of(row("2026-11-04", "4")))
    export.put("c.csv", csv_of(row("2026-11-03", "5", SubAccountId="maps-lab")))
    late = row("2026-11-03", "6", BillingPeriodStart="2026-12-01T00:00:00Z")
    export.put("d.csv", csv_of(late))
    assert export.read() == ""
    assert export.usd == {"2026-11-03": Decimal(14), "2026-11-04": Decimal(4)}


def test_a_part_that_an_older_run_left_behind_is_not_counted(export: Export):
    export.put(f"{AWS}/focus-00001.csv.gz", gzip.compress(csv_of(row("2026-11-03", "3"))))
    export.put(f"{AWS}/focus-00002.csv.gz", gzip.compress(csv_of(row("2026-11-03", "9"))))
    listed = [f"s3://bucket/{AWS}/focus-00001.csv.gz"]
    export.put(AWS_MANIFEST, json.dumps({"dataFiles": listed}).encode())
    assert export.read() == ""
    assert export.usd == {"2026-11-03": Decimal(3)}
    assert any("focus-00002.csv.gz" in line for line in export.log)


def test_a_run_of_which_a_part_is_missing_is_refused(export: Export):
    export.put(f"{AWS}/focus-00001.csv", csv_of(row("2026-11-03", "3")))
    listed = [f"s3://bucket/{AWS}/focus-0000{n}.csv" for n in (1, 2)]
    export.put(AWS_MANIFEST, json.dumps({"dataFiles": listed}).encode())
    assert "focus-Manifest.json: lists " in (refusal := export.read())
    assert "focus-00002.csv" in refusal


@pytest.mark.parametrize("listed", [1, True, {"focus-00001.csv": 1}, "focus-00001.csv"])
def test_a_manifest_without_a_list_of_files_is_refused(export: Export, listed: object):
    export.put(f"{AWS}/focus-00001.csv", csv_of(row("2026-11-03", "3")))
    export.put(AWS_MANIFEST, json.dumps({"dataFiles": listed}).encode())
    assert "is not a manifest that names the files of a run" in export.read()


def test_a_run_at_an_instant_that_leaves_the_calendar_has_no_known_instant(export: Export):
    daily(export, "a", "9999-12-31T23:59:59-05:00", row("2026-11-02", "1"))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(1)}


def test_all_parts_of_a_dated_folder_are_one_run_and_an_older_folder_does_not_count(
    export: Export,
):
    export.put("run=20261104T030000Z/0.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "1")))
    export.put("run=20261104T030000Z/1.csv", csv_of(row("2026-11-02", "1")))
    export.put("run=20261105T030000Z/0.csv", csv_of(row("2026-11-02", "5"), row("2026-11-03", "6")))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(5), "2026-11-03": Decimal(6)}


def test_a_day_that_a_rewritten_month_has_no_more_becomes_empty(export: Export):
    daily(export, "a", "2026-11-05T03:00:00Z", row("2026-11-02", "1"), row("2026-11-04", "2"))
    export.read()
    daily(export, "a", "2026-11-06T03:00:00Z", row("2026-11-02", "1"))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(1)}
    (empty,) = (
        one for one in export.kept() if isinstance(one, KeptRead) and _is(one, "2026-11-04")
    )
    assert empty.bodies["control"] == b"[]"


def test_a_file_without_a_manifest_that_is_written_anew_loses_the_days_it_lost(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "1"), row("2026-11-04", "2")))
    export.read()
    export.put("bill.csv", csv_of(row("2026-11-02", "1.25")))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal("1.25")}


def test_days_of_a_file_that_is_gone_stay(export: Export):
    export.put("october.csv", csv_of(row("2026-10-30", "3")))
    export.put("november.csv", csv_of(row("2026-11-02", "1")))
    export.read()
    export.remove("october.csv")
    late = row("2026-10-30", "0.5", BillingPeriodStart="2026-11-01T00:00:00Z")
    export.put("november.csv", csv_of(row("2026-11-02", "1"), late))
    assert export.read() == ""
    assert export.usd == {"2026-10-30": Decimal("3.5"), "2026-11-02": Decimal(1)}


def test_a_late_charge_that_comes_in_the_next_month_makes_its_own_day_due(export: Export):
    export.put("october.csv", csv_of(row("2026-10-30", "3")))
    export.put("november.csv", csv_of(row("2026-11-02", "1")))
    export.read()
    late = row("2026-10-30", "0.5", BillingPeriodStart="2026-11-01T00:00:00Z")
    export.put("november.csv", csv_of(row("2026-11-02", "1"), late))
    november = DayRange(date(2026, 11, 1), date(2026, 11, 28))
    assert export.read(november) == ""
    assert owed_days(export.archive, export.connection) == (date(2026, 10, 30),)
    assert export.usd["2026-10-30"] == Decimal(3)
    export.read()
    assert export.usd["2026-10-30"] == Decimal("3.5")
    assert owed_days(export.archive, export.connection) == ()


def test_a_late_charge_of_a_deleted_month_is_named_and_neither_read_nor_owed(export: Export):
    export.put("all.csv", csv_of(row("2026-10-30", "3"), row("2026-11-02", "1")))
    export.read()
    shutil.rmtree(export.archive.room("focus_file", "cloud", "costs") / "2026-10-30")
    export.deleted_before = date(2026, 11, 1)
    export.put("all.csv", csv_of(row("2026-10-30", "5"), row("2026-11-02", "1")))
    assert export.read(DayRange(date(2026, 11, 1), date(2026, 11, 28))) == ""
    assert export.usd == {"2026-11-02": Decimal(1)}
    assert owed_days(export.archive, export.connection) == ()
    assert min(recall(export.archive, export.connection).days) == date(2026, 11, 1)
    assert export.log[-1].startswith(
        "cloud: ignored 1 day with charges before 2026-11-01: older days are deleted"
    )


def test_a_reading_of_recent_days_knows_that_older_runs_were_left_for_later(export: Export):
    july = azure_manifest("2026-08-01T03:00:00Z", "2026-07-01", "2026-07-31", "Custom", "0.csv")
    export.put("daily/20260701-20260731/run-a/0.csv", csv_of(row("2026-07-05", "7")))
    export.put("daily/20260701-20260731/run-a/manifest.json", july)
    daily(export, "run-b", "2026-11-28T03:00:00Z", row("2026-11-27", "1"))
    assert export.read(DayRange(date(2026, 11, 21), date(2026, 11, 28))) == ""
    assert export.log == ["cloud: read 1 file of 1 run"]
    assert first_day(export.archive, export.connection) == date(2026, 7, 1)


def test_a_day_that_has_not_changed_is_not_kept_again(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "2")))
    export.read()
    export.put("bill.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "2.5")))
    export.now += timedelta(hours=1)
    export.read()
    assert (export.reads_of("2026-11-02"), export.reads_of("2026-11-03")) == (1, 2)


def test_a_day_is_settled_some_days_after_its_end_while_its_month_goes_on(export: Export):
    export.now = datetime(2026, 11, 12, tzinfo=UTC)
    export.put("bill.csv", csv_of(row("2026-11-02", "1"), row("2026-11-11", "2")))
    export.read()
    settled = dict(export.control.select("day", "is_settled").iter_rows())
    assert (settled[date(2026, 11, 2)], settled[date(2026, 11, 11)]) == (True, False)
    export.now = datetime(2026, 11, 18, tzinfo=UTC)
    export.read()
    assert export.control["is_settled"].all()


def test_a_day_is_over_once_its_newest_file_was_written_after_its_end(export: Export):
    export.now = datetime(2026, 11, 12, 3, tzinfo=UTC)
    daily(export, "one", "2026-11-11T20:00:00Z", row("2026-11-10", "1"), row("2026-11-11", "2"))
    export.read()
    days = export.control.filter(pl.col("day") >= date(2026, 11, 10))
    assert days.select("is_settled", "is_over").rows() == [(False, True), (False, False)]


@pytest.mark.parametrize(
    ("host", "days", "first"),
    [("aws", None, 3), ("azure", None, 4), (None, None, 5), ("aws", 1, 1)],
)
def test_who_invoices_or_the_settings_say_after_how_many_days(
    host: str | None, days: int | None, first: int
):
    day, ended = date(2026, 11, 2), datetime(2026, 11, 3, tzinfo=UTC)
    on_time = Read(ended + timedelta(days=first), None)
    early = Read(on_time.at - timedelta(seconds=1), None)
    written_before = on_time._replace(ran_at=early.at)
    assert is_settled(day, on_time, host, days)
    assert not is_settled(day, early, host, days)
    assert not is_settled(day, written_before, host, days)


def test_a_file_of_after_its_month_is_enough_for_the_last_days_of_the_month():
    read = Read(datetime(2026, 12, 10, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC))
    assert is_settled(date(2026, 11, 30), read, "aws")
    assert not is_settled(
        date(2026, 11, 30), read._replace(at=datetime(2026, 12, 3, tzinfo=UTC)), "aws"
    )
    assert not is_settled(
        date(2026, 11, 30), read._replace(ran_at=datetime(2026, 11, 30, tzinfo=UTC)), "aws"
    )


def test_hours_of_any_zone_become_utc_days(export: Export):
    hours = [
        row("2026-11-02T22:00:00Z", "1"),
        row("2026-11-02T23:00:00Z", "2"),
        row("2026-11-03T01:00:00+02:00", "4"),
        row("2026-11-03 00:00:00 UTC", "8", BillingPeriodStart="2026-11-01 00:00:00 UTC"),
    ]
    for one in hours[:3]:
        one["BillingPeriodStart"] = "2026-11-01"
    hours[3]["ChargePeriodStart"] = "2026-11-03 00:00:00 UTC"
    export.put("bill.csv", csv_of(*hours))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(7), "2026-11-03": Decimal(8)}


@pytest.mark.parametrize(
    ("wrong", "because"),
    [
        ({"BilledCost": ""}, "row 2, BilledCost: is empty"),
        ({"BilledCost": "1,5"}, "row 2, BilledCost: is '1,5', which is not a finite number"),
        ({"ChargePeriodStart": "3 November"}, "row 2, ChargePeriodStart: is not an instant"),
        (
            {"ChargeCategory": "Gift"},
            "row 2, ChargeCategory: is not a known kind of charge ('Gift')",
        ),
        ({"BillingCurrency": "EUR"}, "row 2, BillingCurrency: is EUR, and the connection names no"),
        (
            {"BillingCurrency": "eur"},
            "row 2, BillingCurrency: is eur, and a currency has a code",
        ),
    ],
)
def test_a_refused_file_names_row_column_and_reason_and_changes_nothing(
    export: Export, wrong: dict[str, str], because: str
):
    export.put("good.csv", csv_of(row("2026-11-01", "1")))
    export.put("bad.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "2") | wrong))
    assert f"bad.csv, {because}" in export.read()
    assert export.kept() == []


def test_a_file_without_a_column_that_is_needed_is_refused(export: Export):
    without = row("2026-11-02", "1")
    del without["ChargePeriodStart"]
    export.put("bill.csv", csv_of(without))
    assert "bill.csv, a file of FOCUS: has no column ChargePeriodStart" in export.read()


def test_a_row_is_kept_as_it_was_written_with_the_file_it_came_from(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "1.50", x_Owner="maps")))
    export.read()
    (read,) = (one for one in export.kept() if isinstance(one, KeptRead))
    (kept,) = json.loads(read.bodies["rows_0"])
    assert (kept["billedcost"], kept["x_owner"], kept["row"]) == ("1.50", "maps", 0)
    part = read.manifest.parts["rows_0"]
    assert part.path.endswith("exports/bill.csv")
    assert len(dict(part.params)["sha256"]) == 64


def test_rows_that_are_no_ai_are_left_alone_and_ai_that_is_left_out_is_noted(export: Export):
    compute = {"ServiceName": "Compute Engine", "ServiceCategory": "Compute"}
    export.put(
        "bill.csv",
        csv_of(
            row("2026-11-02", "1"),
            row("2026-11-02", "99", **compute),
            row("2026-11-02", "7", ServiceName="Cloud Vision"),
        ),
    )
    export.read()
    assert export.usd == {"2026-11-02": Decimal(1)}
    (read,) = (one for one in export.kept() if isinstance(one, KeptRead))
    (left,) = json.loads(read.bodies["left_out"])
    assert (left["service"], left["billed"]) == ("Cloud Vision", "7")
    export.settings_of = {"select": "all"}
    export.read()
    assert export.usd == {"2026-11-02": Decimal(107)}


def test_credits_taxes_and_corrections_stay_apart_and_an_unknown_list_cost_is_null(export: Export):
    export.put(
        "bill.csv",
        csv_of(
            row("2026-11-02", "12.5", ListCost="0"),
            row("2026-11-02", "-2.5", ChargeCategory="Credit", ListCost="0"),
            row("2026-11-02", "1.9", ChargeCategory="Tax"),
            row("2026-11-02", "-0.1", ChargeClass="Correction"),
        ),
    )
    export.read()
    found = {
        kind: (usd, listed)
        for kind, usd, listed in export.ledger.select(
            "charge_category", "billed_usd", "list_usd"
        ).iter_rows()
    }
    assert found == {
        "usage": (Decimal("12.5"), None),
        "credit": (Decimal("-2.5"), None),
        "tax": (Decimal("1.9"), Decimal("1.9")),
        "adjustment": (Decimal("-0.1"), Decimal("-0.1")),
    }


def test_another_currency_is_converted_by_the_rate_of_its_month(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "3.75", BillingCurrency="EUR")))
    export.settings_of = {"currency": "EUR", "usd_per_unit": {"2026-11": "1.08"}}
    assert export.read() == ""
    (one,) = export.ledger.select("billed_usd", "currency", "amount", "tags").rows()
    assert one == (Decimal("4.05"), "EUR", Decimal("3.75"), '{"usd_per_unit":"1.08"}')
    assert export.usd == {"2026-11-02": Decimal("4.05")}
    export.settings_of = {"currency": "EUR", "usd_per_unit": {"2026-10": "1.08"}}
    assert "is EUR, and there is no rate for 2026-11" in export.read()


@pytest.mark.parametrize(
    ("begins", "usd"),
    [
        ("2026-11-01", "12"),
        ("2026-11-01T00:00:00+08:00", "12"),
        ("2026-10-31T16:00:00Z", "12"),
        ("2026-10-31 16:00:00 UTC", "12"),
        ("2026-10-31T20:00:00-04:00", "12"),
        ("2026-11-01T00:00:00-08:00", "12"),
        ("2026-11-30T00:00:00Z", "12"),
        ("2026-10-31T00:00:00Z", "11"),
    ],
)
def test_a_month_is_billed_in_the_zone_of_the_vendor_and_by_its_own_rate(
    export: Export, begins: str, usd: str
):
    euros = {"BillingCurrency": "EUR", "BillingPeriodStart": begins}
    export.put("bill.csv", csv_of(row("2026-11-02", "10", **euros)))
    rates = {"2026-10": "1.10", "2026-11": "1.20"}
    export.settings_of = {"currency": "EUR", "usd_per_unit": rates}
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(usd)}


def test_parquet_with_nested_tags_and_renamed_columns_is_read(export: Export):
    one = row("2026-11-02", "0.1")
    one["ServiceProviderName"] = one.pop("ProviderName")
    frame = pl.DataFrame([one | {"Tags": [{"key": "team", "value": "maps"}]}])
    frame = frame.with_columns(pl.col("BilledCost").cast(pl.Float64) * 3)
    file = export.home / "exports" / "bill.parquet"
    file.parent.mkdir()
    frame.write_parquet(file)
    assert export.read() == ""
    (found,) = export.ledger.select("billed_usd", "host", "tags").rows()
    assert found == (Decimal("0.30000000000000004"), "google", '{"team":"maps"}')


def test_no_file_at_all_is_a_sentence(export: Export):
    assert "exports" in (refusal := export.read())
    assert "does not exist" in refusal


def _is(read: KeptRead, day: str) -> bool:
    return str(read.manifest.day) == day


def test_folders_above_the_one_that_settings_name_say_nothing_of_a_run(tmp_path: Path):
    (tmp_path / "2024-01" / "20261101T000000Z").mkdir(parents=True)
    export = Export(tmp_path / "2024-01" / "20261101T000000Z")
    export.put("bill.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "2")))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(1), "2026-11-03": Decimal(2)}
    export.put("again/bill.csv", csv_of(row("2026-11-02", "1")))
    assert "which of the two runs is newer" in export.read()


@pytest.mark.parametrize(
    "accounts", [("482901151230", "620912030145"), ("201501150830", "201612030145")]
)
def test_accounts_whose_numbers_look_like_instants_are_two_exports(
    export: Export, accounts: tuple[str, str]
):
    """The one with the smaller number was taken for an older run, and dropped without a word."""
    for account, usd in zip(accounts, ("100", "7"), strict=True):
        name = f"{account}/focus/data/BILLING_PERIOD=2026-11/focus-00001.csv"
        export.put(name, csv_of(row("2026-11-03", usd, BillingAccountId=account)))
    assert export.read() == ""
    assert export.usd == {"2026-11-03": Decimal(107)}
    assert max(export.control["day"]) == date(2026, 11, 3)


@pytest.mark.parametrize(
    ("first", "second", "because"),
    [
        ("0.csv", "0 (1).csv", "are of one run and hold the same rows"),
        ("0.csv", "0.csv.gz", "are one file of a run in two formats"),
        ("a/0.csv.gz", "a/0.parquet", "are one file of a run in two formats"),
    ],
)
def test_a_run_with_a_file_twice_is_refused(export: Export, first: str, second: str, because: str):
    for name in (first, second):
        content = csv_of(row("2026-11-02", "1"))
        packed = gzip.compress(content) if name.endswith(".gz") else content
        if name.endswith(".parquet"):
            file = io.BytesIO()
            pl.DataFrame([row("2026-11-02", "1")]).write_parquet(file)
            packed = file.getvalue()
        export.put(f"run=20261122T030000Z/{name}", packed)
    assert because in export.read()
    assert export.kept() == []


def test_a_copy_in_another_order_is_refused_and_equal_charges_of_two_resources_are_not(
    export: Export,
):
    run, charges = "run=20261122T030000Z", [row("2026-11-02", "1"), row("2026-11-03", "2")]
    export.put(f"{run}/0.csv", csv_of(*charges))
    export.put(f"{run}/1.csv", csv_of(*reversed(charges)))
    assert "are of one run and hold the same rows" in export.read()
    for number in range(2):
        one = row("2026-11-02", "1", ResourceId=f"machine-{number}")
        export.put(f"{run}/{number}.csv", csv_of(one))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(2)}


@pytest.mark.parametrize("column", [{"x_Added": ""}, {"x_Added": "new"}, {"ResourceId": "m-1"}])
def test_a_copy_with_a_column_more_is_refused(export: Export, column: dict[str, str]):
    """A database that wrote a file again had got a column in between: both counted."""
    run, charges = "run=20261122T030000Z", [("2026-11-02", "1"), ("2026-11-03", "2")]
    export.put(f"{run}/0.csv", csv_of(*(row(*one) for one in charges)))
    export.put(f"{run}/1.csv", csv_of(*(row(*one, **column) for one in charges)))
    assert "are of one run and hold the same rows" in export.read()
    assert export.kept() == []


def test_what_a_newer_run_replaced_counts_once_when_its_files_are_gone(export: Export):
    """The older run was added to what stayed of the newer one, once more with each reading."""
    older, newer = "run=20261122T030000Z/0.csv", "run=20261123T030000Z/0.csv"
    bill = [row("2026-11-02", "1"), row("2026-11-03", "2"), row("2026-11-20", "4")]
    export.put(older, csv_of(*bill))
    export.put(newer, csv_of(*bill, row("2026-11-03", "0.5"), row("2026-11-21", "8")))
    assert export.read() == ""
    before = export.usd
    assert before["2026-11-03"] == Decimal("2.5")
    export.remove(newer)
    for _ in range(3):
        assert export.read() == ""
        assert export.usd == before
    export.put(newer, csv_of(*bill, row("2026-11-03", "0.25"), row("2026-11-21", "8")))
    assert export.read() == ""
    assert export.usd == before | {"2026-11-03": Decimal("2.25")}


def test_the_instant_of_a_run_is_in_its_own_zone(export: Export):
    export.put("run=20261101T015959-0400/0.csv", csv_of(row("2026-11-01", "1")))
    export.put("run=20261101T010001-0500/0.csv", csv_of(row("2026-11-01", "2")))
    assert export.read() == ""
    assert export.usd == {"2026-11-01": Decimal(2)}


def test_a_file_that_ends_within_a_row_is_refused(export: Export):
    whole = csv_of(row("2026-11-02", "1"), row("2026-11-03", "2", SubAccountId="maps, prod"))
    export.put("bill.csv", whole[: whole.rindex(b"Vertex AI") + 4])
    assert "bill.csv, row 2: has 12 cells under 13 columns" in export.read()
    assert export.kept() == []


def test_an_account_is_one_in_whatever_spelling(export: Export):
    account = {"BillingAccountId": "012345678901", "SubAccountId": "Maps-PROD"}
    export.put("run=20261122T030000Z/0.csv", csv_of(row("2026-11-02", "1", **account)))
    other = {"BillingAccountId": "12345678901", "SubAccountId": "maps-prod"}
    export.put("once/run=20261123T030000Z/0.csv", csv_of(row("2026-11-02", "1.5", **other)))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal("1.5")}


def test_what_a_system_hides_beside_files_is_no_file_of_an_export(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "1")))
    export.put("._bill.csv", b"\0\1")
    assert export.read() == ""


@pytest.mark.parametrize(
    "now",
    [
        {"currency": "EUR", "usd_per_unit": "1.20"},
        {"currency": "EUR", "usd_per_unit": "1.08", "select": "all"},
    ],
)
def test_settings_that_change_what_rows_are_worth_make_every_kept_day_due(
    export: Export, now: dict[str, str]
):
    export.put("october.csv", csv_of(row("2026-10-02", "1", BillingCurrency="EUR")))
    export.put("november.csv", csv_of(row("2026-11-02", "1", BillingCurrency="EUR")))
    export.settings_of = {"currency": "EUR", "usd_per_unit": "1.08"}
    export.read()
    export.remove("october.csv")
    assert owed_days(export.archive, export.connection) == ()
    export.settings_of = now
    owed = owed_days(export.archive, export.connection)
    assert {date(2026, 10, 2), date(2026, 11, 2)} <= set(owed)
    assert export.read() == ""
    assert owed_days(export.archive, export.connection) == ()


@pytest.mark.parametrize(
    "mark",
    [
        {"BillingAccountType": "API Key"},
        {"Tags": '{"api_key_alias": "search", "custom_llm_provider": "openai"}'},
    ],
    ids=lambda mark: next(iter(mark)),
)
def test_what_a_proxy_counted_is_no_bill_whatever_its_columns(export: Export, mark: dict[str, str]):
    export.put("proxy.csv", csv_of(row("2026-11-02", "1"), row("2026-11-03", "2") | mark))
    refused = export.read()
    assert "proxy.csv, row 2: is what a LiteLLM proxy counted, and no bill." in refused
    assert 'provider = "litellm"' in refused
    assert export.usd == {}


def test_the_last_days_of_a_month_in_a_folder_of_its_own_are_empty_once_later_charges_are_there(
    export: Export,
):
    export.put("2026-10/bill.csv", csv_of(row("2026-10-29", "1")))
    export.read()
    assert _days_from(export, "2026-10-29") == ["2026-10-29"]
    export.put("2026-11/bill.csv", csv_of(row("2026-11-02", "2")))
    assert export.read() == ""
    assert _days_from(export, "2026-10-29") == [
        *("2026-10-29", "2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")
    ]
    assert export.usd == {"2026-10-29": Decimal(1), "2026-11-02": Decimal(2)}


def test_a_charge_that_is_dated_months_ahead_counts_once_its_file_was_read_and_stays(
    export: Export,
):
    ahead = row("2026-11-12", "7", BillingPeriodStart="2026-08-01T00:00:00Z")
    export.put("aws/BILLING_PERIOD=2026-08/part-0.csv", csv_of(row("2026-08-15", "1"), ahead))
    month = csv_of(row("2026-11-12", "2"), row("2026-11-13", "2"))
    export.put("aws/BILLING_PERIOD=2026-11/part-0.csv", month)
    recent = DayRange(date(2026, 11, 12), date(2026, 11, 28))
    assert export.read(recent) == ""
    assert export.read(DayRange(date(2026, 8, 1), date(2026, 11, 11))) == ""
    assert owed_days(export.archive, export.connection) == (date(2026, 11, 12),)
    for days in (DayRange(recent.first, recent.first), recent):
        assert export.read(days) == ""
        assert export.usd["2026-11-12"] == Decimal(9)
        assert owed_days(export.archive, export.connection) == ()


def _days_from(export: Export, first: str) -> list[str]:
    return [day for day in export.control["day"].cast(pl.String) if day >= first]


@pytest.mark.parametrize(
    ("quantity", "unit", "kept"),
    [
        ("2814749767106560", "byte-seconds", Decimal(2814749767106560)),
        ("2000000", "1M Tokens", Decimal(2_000_000_000_000)),
        ("1e20", "byte-seconds", None),
        ("1e15", "1M Tokens", None),
    ],
)
def test_a_large_quantity_is_no_money_and_refuses_no_file(
    export: Export, quantity: str, unit: str, kept: Decimal | None
):
    large = row("2026-11-02", "1", ConsumedQuantity=quantity, ConsumedUnit=unit)
    export.put("bill.csv", csv_of(large, row("2026-11-03", "2")))
    assert export.read() == ""
    assert export.usd == {"2026-11-02": Decimal(1), "2026-11-03": Decimal(2)}
    assert export.ledger["quantity"].to_list()[0] == kept


def test_quantities_of_a_line_that_have_no_room_together_are_not_known(export: Export):
    half = row("2026-11-02", "1", ConsumedQuantity="9e19", ConsumedUnit="byte-seconds")
    export.put("bill.csv", csv_of(half, half))
    assert export.read() == ""
    assert export.ledger.select("billed_usd", "quantity").rows() == [(Decimal(2), None)]


@pytest.mark.parametrize("name", [b"M\xfcller.csv", b"\xfc/bill.csv", b"\xfc-manifest.json"])
def test_a_name_that_is_not_utf_8_refuses_its_connection_alone(export: Export, name: bytes):
    export.put("bill.csv", csv_of(row("2026-11-02", "1")))
    export.put(os.fsdecode(name), csv_of(row("2026-11-03", "1")))
    refused = export.read()
    assert "\\xfc" in refused
    assert "has a name that is not UTF-8. Give it another name." in refused


def test_a_name_that_is_not_utf_8_hinders_nothing_where_the_file_has_no_rows(export: Export):
    export.put("bill.csv", csv_of(row("2026-11-02", "1")))
    export.put(os.fsdecode(b"Gr\xfc\xdfe.txt"), b"")
    assert export.read() == ""
