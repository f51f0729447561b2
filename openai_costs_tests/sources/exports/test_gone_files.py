"""What a newer run has replaced stays replaced when its files are gone, and other exports stay."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.sources.exports import evidence, notes
from openai_costs.sources.exports.kept_reads import KeptReads
from openai_costs.sources.exports.layout import is_of
from openai_costs.sources.exports.notes import owed_days
from openai_costs_tests.sources.exports.files import DAYS, Export, azure_manifest, csv_of, row

LAB = {"SubAccountId": "maps-lab"}
NOVEMBER = [f"2026-11-{day:02}" for day in range(1, 11)]
OLDER = [*(row(day, "10") for day in NOVEMBER), *(row(day, "5", **LAB) for day in NOVEMBER)]
NEWER = [
    *(row(day, "10") for day in [*NOVEMBER, "2026-11-12"] if day != "2026-11-07"),
    *(row(day, "5", **LAB) for day in NOVEMBER if day not in {"2026-11-05", "2026-11-07"}),
]
"""The newer run has no row of the lab on the 5th, and none at all on the 7th."""
MOVED = [
    *(row(day, "10") for day in NOVEMBER),
    *(row(day, "5", SubAccountId="maps-lab-2") for day in NOVEMBER),
]
"""The lab has another sub-account."""
LATE = row("2026-10-30", "0.5", BillingPeriodStart="2026-11-01T00:00:00Z")
RECENT = DayRange(date(2026, 11, 8), DAYS.last)

Put = Callable[[Export, int, list[dict[str, str]]], list[str]]
"""Writes the run of a day of November and returns its files."""


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)


def in_a_folder(export: Export, day: int, rows: list[dict[str, str]]) -> list[str]:
    name = f"run=202611{day}T030000Z/0.csv"
    export.put(name, csv_of(*rows))
    return [name]


def in_a_month(export: Export, day: int, rows: list[dict[str, str]]) -> list[str]:
    name = f"2026-11/run=202611{day}T030000Z/0.csv"
    export.put(name, csv_of(*rows))
    return [name]


def with_a_manifest(export: Export, day: int, rows: list[dict[str, str]]) -> list[str]:
    folder = f"daily/20261101-20261130/run-{day}"
    ran_at = f"2026-11-{day}T03:00:00Z"
    said = azure_manifest(ran_at, "2026-11-01", "2026-11-30", "MonthToDate", "0.csv")
    export.put(f"{folder}/0.csv", csv_of(*rows))
    export.put(f"{folder}/manifest.json", said)
    return [f"{folder}/0.csv", f"{folder}/manifest.json"]


def take_away(export: Export, names: list[str]) -> Callable[[], None]:
    """Remove files; return what puts them back."""
    held = {name: (export.home / "exports" / name).read_bytes() for name in names}
    for name in names:
        export.remove(name)

    def put_back() -> None:
        for one in held.items():
            export.put(*one)

    return put_back


def reads(export: Export) -> dict[str, int]:
    """How many reads of each day are kept: each one more is a restatement or says the same."""
    return {str(day): export.reads_of(str(day)) for day in DAYS}


def stays_as_it_is(export: Export) -> bool:
    """Whether two further readings keep nothing."""
    before = export.usd, reads(export)
    for _ in range(2):
        export.now += timedelta(hours=1)
        assert export.read() == ""
    return before == (export.usd, reads(export)) and not owed_days(
        export.archive, export.connection
    )


def of_an_earlier_version(monkeypatch: pytest.MonkeyPatch, export: Export) -> None:
    """Read as a version does that did not keep which runs had covered a day."""
    with monkeypatch.context() as earlier:
        earlier.setattr(evidence, "written", lambda _covered: [])
        assert export.read() == ""


@pytest.mark.parametrize(
    ("export", "path"),
    [
        ("/x/google", "/x/google/2026-11/run=20261122T030000Z/0.parquet"),
        ("s3://b/cur/data", "s3://b/cur/data/BILLING_PERIOD=2026-11/20261122T0300Z-1/0.csv"),
        ("s3://b/cur", "s3://b/cur/20261101-20261201/0a1b/0.csv.gz"),
    ],
)
def test_the_path_of_a_file_that_is_gone_says_of_which_export_it_was(export: str, path: str):
    assert is_of(export, path)
    assert not is_of(f"{export}-2", path)
    assert not is_of(export, path.replace(export, f"{export}/other"))


@pytest.mark.parametrize("put", [in_a_folder, with_a_manifest])
def test_what_a_newer_run_has_no_more_stays_away_while_its_files_are_gone_and_when_they_are_back(
    export: Export, put: Put
):
    """The older run, which is still there, filled a part of a day, and a whole day."""
    put(export, 20, OLDER)
    newer = put(export, 22, NEWER)
    assert export.read() == ""
    assert export.usd["2026-11-05"] == 10
    assert "2026-11-07" not in export.usd
    put_back = take_away(export, newer)
    assert stays_as_it_is(export)
    put_back()
    assert stays_as_it_is(export)


def test_a_late_charge_that_a_newer_run_of_the_month_has_no_more_stays_away(export: Export):
    export.put("once/20261001-20261031/0.csv", csv_of(row("2026-10-30", "3")))
    with_a_manifest(export, 20, [*OLDER, LATE])
    newer = with_a_manifest(export, 22, OLDER)
    assert export.read() == ""
    assert export.usd["2026-10-30"] == 3
    put_back = take_away(export, newer)
    assert stays_as_it_is(export)
    put_back()
    assert stays_as_it_is(export)


def in_october(export: Export) -> list[str]:
    """Write the run of October, and return its files."""
    folder = "daily/20261001-20261031/run-a"
    ran_at = "2026-11-05T03:00:00Z"
    said = azure_manifest(ran_at, "2026-10-01", "2026-10-31", "MonthToDate", "0.csv")
    days = [f"2026-10-{day}" for day in range(25, 32)]
    export.put(f"{folder}/0.csv", csv_of(*(row(day, "3") for day in days)))
    export.put(f"{folder}/manifest.json", said)
    return [f"{folder}/0.csv", f"{folder}/manifest.json"]


@pytest.mark.parametrize("is_upgrade", [False, True])
@pytest.mark.parametrize("first", [DAYS, RECENT])
@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_late_charge_that_a_newer_run_has_no_more_goes_where_all_files_of_its_day_are_gone(
    export: Export,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_upgrade: bool,
    first: DayRange,
    is_renamed: bool,
):
    """It stayed for good: the files of its own month were gone, and those of the run before."""
    gone = [*in_october(export), *with_a_manifest(export, 20, [*OLDER, LATE])]
    with monkeypatch.context() as earlier:
        if is_upgrade:
            earlier.setattr(notes, "billing_months", lambda _members: None)
        assert export.read() == ""
    assert export.usd["2026-10-30"] == Decimal("3.5")
    take_away(export, gone)
    export.now += timedelta(hours=1)
    with_a_manifest(export, 22, OLDER)
    if is_renamed:
        (export.home / "exports" / "daily").rename(export.home / "exports" / "monthly")
    assert export.read(first) == ""
    for day in owed_days(export.archive, export.connection):
        assert export.read(DayRange(day, day)) == ""
    assert (export.usd["2026-10-30"], export.usd["2026-10-29"]) == (3, 3)
    assert stays_as_it_is(export)


@pytest.mark.parametrize("are_gone", [False, True])
def test_a_late_charge_stays_where_no_folder_says_the_month_and_goes_once_one_does(
    export: Export, *, are_gone: bool
):
    """A query of charges from 1 November on has it no more, and it is billed nonetheless."""
    export.put("run=20261031T030000Z/0.csv", csv_of(row("2026-10-30", "3")))
    older = in_a_folder(export, 20, [*OLDER, LATE])
    assert export.read() == ""
    if are_gone:
        take_away(export, ["run=20261031T030000Z/0.csv", *older])
    in_a_folder(export, 22, OLDER)
    assert export.read() == ""
    assert export.usd["2026-10-30"] == Decimal("3.5")
    assert stays_as_it_is(export)
    in_a_month(export, 23, OLDER)
    assert export.read() == ""
    assert export.usd["2026-10-30"] == 3
    assert stays_as_it_is(export)


@pytest.mark.parametrize("is_upgrade", [False, True])
def test_days_of_files_that_are_gone_are_not_opened_unless_a_run_is_about_a_month_of_theirs(
    export: Export, monkeypatch: pytest.MonkeyPatch, *, is_upgrade: bool
):
    """After an upgrade, they are opened once, to note their months."""
    gone = in_october(export)
    with_a_manifest(export, 20, OLDER)
    with monkeypatch.context() as earlier:
        if is_upgrade:
            earlier.setattr(notes, "billing_months", lambda _members: None)
        assert export.read() == ""
    take_away(export, gone)
    opened: list[date] = []
    newest = KeptReads.newest
    monkeypatch.setattr(
        KeptReads, "newest", lambda its, day: (opened.append(day), newest(its, day))[1]
    )
    assert export.read(RECENT) == ""
    assert sum(day.month == 10 for day in opened) == (7 if is_upgrade else 0)
    opened.clear()
    assert export.read(RECENT) == ""
    assert opened
    assert not [day for day in opened if day.month == 10]


def test_what_was_replaced_stays_away_on_days_that_are_kept_again_meanwhile(export: Export):
    in_a_folder(export, 20, OLDER)
    newer = in_a_folder(export, 22, NEWER)
    assert export.read() == ""
    put_back = take_away(export, newer)
    other = [row(day, "1", BillingAccountId="9") for day in NOVEMBER]
    export.put("other/run=20261121T030000Z/0.csv", csv_of(*other))
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (11, 1)
    assert stays_as_it_is(export)
    put_back()
    assert stays_as_it_is(export)


def test_a_run_that_is_newer_than_the_one_that_is_gone_counts(export: Export):
    in_a_folder(export, 20, OLDER)
    newer = in_a_folder(export, 22, NEWER)
    assert export.read() == ""
    take_away(export, newer)
    in_a_folder(export, 23, [*OLDER, row("2026-11-07", "2", BillingAccountId="9")])
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 17)


def test_days_that_were_not_read_again_before_the_newer_run_was_gone_stay_those_of_the_older(
    export: Export,
):
    in_a_folder(export, 20, OLDER)
    assert export.read() == ""
    newer = in_a_folder(export, 22, NEWER)
    assert export.read(RECENT) == ""
    assert owed_days(export.archive, export.connection)
    take_away(export, newer)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 15)


@pytest.mark.parametrize("put", [in_a_folder, with_a_manifest])
def test_days_of_an_earlier_version_stay_as_they_are_while_a_file_is_gone(
    export: Export, put: Put, monkeypatch: pytest.MonkeyPatch
):
    put(export, 20, OLDER)
    newer = put(export, 22, NEWER)
    of_an_earlier_version(monkeypatch, export)
    put_back = take_away(export, newer)
    assert stays_as_it_is(export)
    put_back()
    assert stays_as_it_is(export)
    take_away(export, newer)
    other = csv_of(row("2026-11-07", "1", BillingAccountId="9"))
    export.put("other/run=20261123T030000Z/0.csv", other)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (10, 1)
    assert stays_as_it_is(export)
    export.now += timedelta(days=2)
    put(export, 29, OLDER)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 16)


def test_days_of_an_earlier_version_take_an_older_export_that_is_new_to_the_connection(
    export: Export, monkeypatch: pytest.MonkeyPatch
):
    in_a_folder(export, 20, OLDER)
    newer = in_a_folder(export, 22, NEWER)
    of_an_earlier_version(monkeypatch, export)
    take_away(export, newer)
    other = [row(day, "1", BillingAccountId="9") for day in NOVEMBER]
    export.put("other/run=20261101T030000Z/0.csv", csv_of(*other))
    assert export.read(RECENT) == ""
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (11, 1)
    assert stays_as_it_is(export)


@pytest.mark.parametrize("put", [in_a_folder, in_a_month, with_a_manifest])
@pytest.mark.parametrize("is_upgrade", [False, True])
def test_a_run_that_was_written_before_the_last_read_and_came_after_it_counts(
    export: Export, put: Put, monkeypatch: pytest.MonkeyPatch, *, is_upgrade: bool
):
    """It replaced what was kept, and counted for nothing itself: each day became $0."""
    before = put(export, 27, NEWER)
    if is_upgrade:
        of_an_earlier_version(monkeypatch, export)
    assert export.read() == ""
    take_away(export, before)
    put(export, 28, OLDER)
    export.now += timedelta(hours=6)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 15)
    assert stays_as_it_is(export)


def test_a_run_with_an_instant_before_the_read_replaces_a_file_that_had_none(export: Export):
    export.put("2026-11/bill.csv", csv_of(*NEWER))
    assert export.read() == ""
    export.remove("2026-11/bill.csv")
    in_a_month(export, 28, OLDER)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 15)
    assert stays_as_it_is(export)


def test_a_run_that_is_dated_ahead_and_was_taken_away_holds_up_no_newer_one(export: Export):
    in_a_folder(export, 20, OLDER)
    assert export.read() == ""
    ahead = "run=20271122T030000Z/0.csv"
    export.put(ahead, csv_of(*NEWER))
    assert export.read() == ""
    assert export.usd["2026-11-05"] == 10
    export.remove(ahead)
    in_a_folder(export, 28, OLDER)
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 15)


def test_an_older_run_of_another_export_stays_where_the_run_before_was_emptied(export: Export):
    """Of three runs the newest is gone, and what it emptied takes no dollars from the third."""
    third = "other/run=20261119T030000Z/0.csv"
    export.put(third, csv_of(*(row(day, "3", **LAB) for day in NOVEMBER)))
    in_a_folder(export, 20, OLDER)
    newer = in_a_folder(export, 22, NEWER)
    assert export.read() == ""
    assert export.usd["2026-11-05"] == 13
    take_away(export, [third, *newer])
    assert stays_as_it_is(export)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/run=20261120T030000Z/0.csv", "b/run=20261120T040000Z/0.csv"),
        ("a.csv", "b.csv"),
        ("2026-11/a.csv", "2026-11/b.csv"),
    ],
)
def test_an_export_that_is_away_keeps_its_days_beside_one_of_another_account(
    export: Export, one: str, other: str
):
    """A newer run of whatever export took them, so that dollars left and came back."""
    export.put(one, csv_of(*(row(day, "10") for day in NOVEMBER)))
    labs = (row(day, "5", **LAB) for day in NOVEMBER if day != "2026-11-07")
    export.put(other, csv_of(*labs))
    assert export.read() == ""
    assert (export.usd["2026-11-05"], export.usd["2026-11-07"]) == (15, 10)
    put_back = take_away(export, [one])
    assert stays_as_it_is(export)
    put_back()
    assert stays_as_it_is(export)


@pytest.mark.parametrize(
    ("rows", "usd"),
    [
        (NEWER, {"2026-11-05": 10, "2026-11-07": None}),
        (MOVED, {"2026-11-05": 15, "2026-11-07": 15}),
        (MOVED[:10], {"2026-11-05": 10, "2026-11-07": 10}),
    ],
)
@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("bill.csv", "bill-2.csv"),
        ("2026-11/bill.csv", "2026-11/bill-2.csv"),
        ("a/run=20261120T030000Z/0.csv", "b/run=20261121T030000Z/0.csv"),
    ],
)
def test_an_export_that_has_another_name_replaces_the_one_that_is_gone(
    export: Export, before: str, now: str, rows: list[dict[str, str]], usd: dict[str, Decimal]
):
    export.put(before, csv_of(*OLDER))
    assert export.read() == ""
    export.remove(before)
    export.put(now, csv_of(*rows))
    assert export.read() == ""
    assert {day: export.usd.get(day) for day in usd} == usd
    assert stays_as_it_is(export)
