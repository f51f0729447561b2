"""What changes long after its month is read, and a lost note is made again from the pages."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.sources.exports.notes import ABOUT, Notes, owed_days, recall
from openai_costs_tests.sources.exports.files import NOON, Export, azure_manifest, csv_of, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


AUGUST, OCTOBER, NOVEMBER = date(2026, 8, 1), date(2026, 10, 1), date(2026, 11, 1)
ALL: Final = DayRange(AUGUST, NOON.date() + ONE_DAY)
RECENT: Final = DayRange(NOON.date() - 7 * ONE_DAY, NOON.date() + ONE_DAY)


class LongExport(Export):
    """An export that is written month by month, from August on."""

    def write(self, month: date, usd: str, *parts: str) -> None:
        """Write a month over, as AWS does: a charge on each day that is over."""
        folder = f"BILLING_PERIOD={month:%Y-%m}"
        last = min(month_of(month).last, self.now.date() - ONE_DAY)
        for part in parts or ("1",):
            rows = [row(str(day), usd, SubAccountId=part) for day in DayRange(month, last)]
            self.put(f"focus/data/{folder}/{part}.csv", csv_of(*rows))
        listed = [f"s3://bills/focus/data/{folder}/{part}.csv" for part in parts or ("1",)]
        said = {"dataFiles": listed, "executionCreatedDateTime": self.now.isoformat()}
        self.put(f"focus/metadata/{folder}/focus-Manifest.json", json.dumps(said).encode())

    def refresh(self) -> int:
        """Read the last days, and what is due then; return how many files were read for the first.

        One reading later nothing is due.
        """
        assert self.read(RECENT) == ""
        files = next(line for line in reversed(self.log) if ": read " in line).split()[2]
        if owed := owed_days(self.archive, self.connection):
            assert self.read(DayRange(owed[0], owed[-1])) == ""
        assert not owed_days(self.archive, self.connection)
        self.now += timedelta(hours=1)
        return int(files)

    def total(self, month: date) -> Decimal:
        """The dollars of a month."""
        return sum(
            (usd for day, usd in self.usd.items() if day[:7] == f"{month:%Y-%m}"), Decimal(0)
        )


@pytest.fixture
def export(tmp_path: Path) -> LongExport:
    export = LongExport(tmp_path, now=NOON, kept_days=ALL)
    for month in (AUGUST, OCTOBER, NOVEMBER):
        export.write(month, "10")
    assert export.read(ALL) == ""
    export.now += timedelta(hours=1)
    return export


def written_anew(export: LongExport) -> None:
    export.write(AUGUST, "12")


def with_a_file_more(export: LongExport) -> None:
    export.write(AUGUST, "6", "1", "2")


def exported_once_more(export: LongExport) -> None:
    export.put(
        "once/20260801-20260831/0.csv",
        csv_of(*(row(str(d), "12", SubAccountId="1") for d in month_of(AUGUST))),
    )
    said = azure_manifest(export.now.isoformat(), "2026-08-01", "2026-08-31", "Custom", "0.csv")
    export.put("once/20260801-20260831/manifest.json", said)


@pytest.mark.parametrize(
    ("change", "files"), [(written_anew, 3), (with_a_file_more, 4), (exported_once_more, 3)]
)
def test_a_month_that_changes_long_after_its_end_is_read_by_the_next_refresh(
    export: LongExport, change: Callable[[LongExport], None], files: int
):
    """Its files were not opened: the month stayed as it was, and each refresh was green."""
    assert export.refresh() == 2
    change(export)
    assert export.refresh() == files
    assert (export.total(AUGUST), export.total(OCTOBER)) == (31 * 12, 310)
    assert export.refresh() == 2


def test_a_month_of_which_no_day_was_asked_for_waits_for_its_days(tmp_path: Path):
    export = LongExport(tmp_path, now=NOON, kept_days=ALL)
    for month in (AUGUST, NOVEMBER):
        export.write(month, "10")
    assert (export.refresh(), export.refresh()) == (1, 1)
    export.write(AUGUST, "12")
    assert export.refresh() == 1
    assert export.read(ALL) == ""
    assert export.total(AUGUST) == 31 * 12


def _known(notes: Notes) -> dict[date, tuple[object, ...]]:
    """What is noted of each day but its digest."""
    return {day: (its.files, its.rules, its.months) for day, its in notes.days.items()}


@pytest.mark.parametrize("is_of_before", [False, True])
def test_a_note_that_was_lost_or_is_of_before_is_made_again_from_the_pages(
    export: LongExport, *, is_of_before: bool
):
    """A reading that was killed leaves the note of before: it says nothing of what it kept."""
    file = export.archive.note("focus_file", "cloud", ABOUT)
    before, noted = file.read_bytes(), recall(export.archive, export.connection)
    export.write(OCTOBER, "11")
    assert export.refresh() == 2
    export.write(AUGUST, "12")
    if is_of_before:
        file.write_bytes(before)
    else:
        file.unlink()
    assert export.refresh() == 3
    assert (export.total(AUGUST), export.total(OCTOBER)) == (31 * 12, 31 * 11)
    again = recall(export.archive, export.connection)
    assert _known(again) == _known(noted)
    assert export.refresh() == 2


def test_after_a_lost_note_a_late_charge_goes_where_all_files_of_its_day_are_gone(
    export: LongExport,
):
    late = row("2026-10-25", "6.10", BillingPeriodStart="2026-11-01T00:00:00Z", SubAccountId="1")
    export.write(NOVEMBER, "10")
    name = "focus/data/BILLING_PERIOD=2026-11/1.csv"
    days = DayRange(NOVEMBER, NOON.date() - ONE_DAY)
    export.put(name, csv_of(late, *(row(str(day), "10", SubAccountId="1") for day in days)))
    export.refresh()
    assert export.usd["2026-10-25"] == Decimal("16.10")
    export.archive.note("focus_file", "cloud", ABOUT).unlink()
    for gone in ("data/BILLING_PERIOD=2026-10/1.csv", "data/BILLING_PERIOD=2026-11/1.csv"):
        export.remove(f"focus/{gone}")
    export.write(NOVEMBER, "10", "2")
    export.refresh()
    assert export.usd["2026-10-25"] == 10
