"""Days that are kept, and that neither a row nor a file proves, are withdrawn; all others stay."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.sources.exports.evidence import bodies, digest
from openai_costs.sources.exports.kept_reads import DATASET
from openai_costs.sources.exports.notes import DayNote, Seen, owed_days, recall, remember
from openai_costs.sources.exports.settings import rules_text
from openai_costs.storage.archive import DayRead
from openai_costs.storage.withdrawal import SET_ASIDE
from openai_costs_tests.sources.exports.files import DAYS, NOON, Export, azure_manifest, csv_of, row

USED = [row(f"2026-11-{day:02}", "10.5") for day in range(1, 11)]
AHEAD = row("2027-11-04", "10.5")
FALSE = DayRange(date(2026, 11, 11), date(2026, 11, 28))
RECENT = DayRange(date(2026, 11, 21), date(2026, 11, 28))
OCTOBER = [row("2026-10-02", "3"), row("2026-10-05", "4")]
LATER = NOON + timedelta(days=1)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path)


def kept_empty(export: Export, days: Iterable[date]) -> None:
    """Keep days as an earlier version did: without a row, because a later charge was there."""
    whose = export.connection.provider, export.connection.name, DATASET
    requests, members = bodies([], [])
    for day in days:
        export.archive.keep(DayRead(*whose, day, export.now, requests, members))
    note = DayNote(digest(members), (), rules_text(export.connection))
    remember(export.archive, export.connection, Seen(set(days), ()), dict.fromkeys(days, note), ())


def kept_days(export: Export) -> list[date]:
    """The days that anything is kept of."""
    return export.archive.days("focus_file", "cloud", DATASET)


def filled_before(export: Export, *rows: dict[str, str]) -> Export:
    """A home that an earlier version filled from a file, a day before."""
    export.put("bill.csv", csv_of(*USED, *rows))
    assert export.read() == ""
    kept_empty(export, FALSE)
    return replace(export, now=LATER)


@pytest.mark.parametrize(
    "then",
    [
        pytest.param([AHEAD], id="the file is as it was"),
        pytest.param([], id="the file was corrected"),
        pytest.param([row("2026-11-30", "99", ChargeCategory="Tax")], id="a fee remains"),
    ],
)
def test_a_recent_reading_withdraws_every_day_that_was_kept_as_empty_because_of_a_later_charge(
    export: Export, then: list[dict[str, str]]
):
    later = filled_before(export, AHEAD)
    later.put("bill.csv", csv_of(*USED, *then))
    assert later.read(RECENT) == ""
    assert later.withdrawn == set(FALSE)
    assert max(later.control["day"]) == date(2026, 11, 10)
    assert max(kept_days(later)) == date(2026, 11, 10)
    assert any(
        "withdrew 18 days, 2026-11-11 to 2026-11-28, kept as $0.00 before" in one
        for one in later.log
    )


def test_withdrawn_days_are_set_aside_and_read_again_once_their_usage_is_exported(export: Export):
    later = filled_before(export, AHEAD)
    later.read()
    aside = export.archive.days("focus_file", "cloud", f"{DATASET}{SET_ASIDE}")
    assert aside == [*FALSE]
    assert not {*FALSE} & recall(later.archive, later.connection).days.keys()
    later.put("bill.csv", csv_of(*USED, row("2026-11-12", "1"), AHEAD))
    assert later.read() == ""
    assert later.withdrawn == set()
    assert later.control["day"].to_list()[-2:] == [date(2026, 11, 11), date(2026, 11, 12)]
    assert later.usd["2026-11-12"] == 1
    assert owed_days(later.archive, later.connection) == ()


def test_a_day_with_rows_once_that_a_rewritten_file_has_no_more_stays_empty(export: Export):
    fee = row("2026-11-26", "99", ChargeCategory="Purchase")
    export.put("bill.csv", csv_of(*USED, row("2026-11-20", "5"), fee))
    export.read()
    export.put("bill.csv", csv_of(*USED, fee))
    for _ in range(2):
        export.now += timedelta(hours=1)
        assert export.read() == ""
        assert date(2026, 11, 20) not in export.withdrawn
    assert date(2026, 11, 20) in kept_days(export)
    assert "2026-11-20" not in export.usd


def test_days_without_a_row_of_an_export_that_is_gone_stay(export: Export):
    export.put("2026-10.csv", csv_of(*OCTOBER))
    export.put("2026-11.csv", csv_of(*USED))
    export.read()
    before = kept_days(export)
    assert date(2026, 10, 4) in before
    for name in ("2026-10.csv", "2026-11.csv"):
        export.remove(name)
        export.put("2026-12.csv", csv_of(row("2026-11-27", "1")))
        assert export.read() == ""
        assert export.withdrawn == set()
        assert set(before) <= set(kept_days(export))
    assert export.usd["2026-10-05"] == 4


def test_days_of_a_newest_export_that_is_gone_stay_where_an_older_one_is_there(export: Export):
    export.put("2026-10.csv", csv_of(*OCTOBER))
    other = row("2026-11-20", "7", ServiceName="Cloud Storage", ServiceCategory="Storage")
    export.put("2026-11.csv", csv_of(*USED, other))
    export.read()
    before = kept_days(export)
    assert before[-1] == date(2026, 11, 20)
    export.remove("2026-11.csv")
    assert export.read() == ""
    assert (export.withdrawn, kept_days(export)) == (set(), before)


MACHINES = [
    row(f"2026-11-{day:02}", "9", ServiceName="Compute Engine", ServiceCategory="Compute")
    for day in range(1, 21)
]


def test_days_without_a_row_stay_while_the_file_that_showed_them_is_away_and_when_it_is_back(
    export: Export,
):
    export.put("2026-10/bill.csv", csv_of(*OCTOBER))
    export.put("2026-11/bill.csv", csv_of(*MACHINES))
    assert export.read() == ""
    before = kept_days(export)
    assert before == [*DayRange(DAYS.first, date(2026, 11, 20))]
    export.remove("2026-11/bill.csv")
    for _ in range(3):
        export.now += timedelta(hours=1)
        assert export.read() == ""
        assert (export.withdrawn, kept_days(export)) == (set(), before)
    export.put("2026-11/bill.csv", csv_of(*MACHINES))
    assert export.read() == ""
    assert (export.withdrawn, kept_days(export)) == (set(), before)


def test_nothing_is_withdrawn_before_a_note_says_which_files_there_were(export: Export):
    later = filled_before(export, AHEAD)
    note = export.archive.note("focus_file", "cloud", "files")
    known = json.loads(note.read_bytes())
    del known["files"]
    note.write_text(json.dumps(known))
    assert later.read() == ""
    assert later.withdrawn == set()
    assert later.read() == ""
    assert later.withdrawn == set(FALSE)


def test_days_after_the_last_usage_stay_where_their_run_says_that_it_is_about_them(export: Export):
    export.put("daily/20261101-20261130/a/0.csv", csv_of(*USED))
    said = azure_manifest(
        "2026-11-20T03:00:00Z", "2026-11-01", "2026-11-30", "MonthToDate", "0.csv"
    )
    export.put("daily/20261101-20261130/a/manifest.json", said)
    for _ in range(2):
        assert export.read() == ""
    assert max(kept_days(export)) == date(2026, 11, 20)


@pytest.mark.parametrize(
    "ahead", [datetime(2026, 12, 20, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)]
)
def test_reads_of_a_clock_ahead_are_kept_again_by_a_right_one_also_of_files_that_are_gone(
    export: Export, ahead: datetime
):
    export.put("2026-10.csv", csv_of(*OCTOBER))
    export.put("2026-11.csv", csv_of(*USED))
    assert replace(export, now=ahead).read() == ""
    usd = export.usd
    export.remove("2026-10.csv")
    assert export.read() == ""
    assert export.usd == usd
    assert set(export.control["read_at"]) == {NOON.replace(tzinfo=None)}
    reads = export.reads_of("2026-11-02")
    export.read()
    assert export.reads_of("2026-11-02") == reads == 2


def test_a_charge_of_a_day_to_come_stays_while_its_file_has_it_it_may_be_this_clock_that_is_behind(
    export: Export,
):
    fee = row("2026-11-30", "99", ChargeCategory="Purchase")
    export.put("bill.csv", csv_of(*USED, fee))
    ahead = replace(export, now=NOON + timedelta(days=20))
    assert ahead.read(DayRange(DAYS.first, ahead.now.date())) == ""
    assert kept_days(export)[-1] == date(2026, 11, 30)
    assert export.read() == ""
    assert export.withdrawn == set()
    assert kept_days(export)[-1] == date(2026, 11, 30)
    export.put("bill.csv", csv_of(*USED))
    assert export.read() == ""
    assert export.withdrawn == {date(2026, 11, 30)}
    assert kept_days(export)[-1] == date(2026, 11, 10)


PURCHASES = [
    row(f"2026-{month}-{day}", "100", ChargeCategory="Purchase")
    for month in ("10", "11")
    for day in ("01", "15")
]


@pytest.mark.parametrize("behind", [date(2026, 10, 25), date(2026, 11, 3)])
@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([PURCHASES], id="purchases alone"),
        pytest.param([PURCHASES[:2], PURCHASES[2:]], id="purchases alone, a file a month"),
        pytest.param([OCTOBER, USED], id="usage, a file a month"),
        pytest.param([[*OCTOBER, *PURCHASES]], id="purchases after the last usage"),
    ],
)
def test_no_day_is_withdrawn_by_a_clock_that_is_behind(
    export: Export, rows: list[list[dict[str, str]]], behind: date
):
    for number, its in enumerate([[row("2026-09-30", "1")], *rows]):
        export.put(f"{number}.csv", csv_of(*its))
    assert export.read() == ""
    before, usd = kept_days(export), export.usd
    late = replace(export, now=datetime(behind.year, behind.month, behind.day, 12, tzinfo=UTC))
    for _ in range(2):
        assert late.read(DayRange(DAYS.first, behind)) == ""
        assert late.withdrawn == set()
        assert (kept_days(export), export.usd) == (before, usd)
        late.now += timedelta(hours=1)
    export.remove(f"{len(rows)}.csv")
    assert late.read(DayRange(DAYS.first, behind)) == ""
    assert (late.withdrawn, export.usd) == (set(), usd)


def test_days_to_come_stay_while_files_have_usage_of_after_today_it_may_be_this_clock_that_is_wrong(
    export: Export,
):
    export.put("bill.csv", csv_of(*USED))
    export.read()
    behind = replace(export, now=datetime(2026, 11, 5, 12, tzinfo=UTC))
    assert behind.read(DayRange(DAYS.first, date(2026, 11, 5))) == ""
    assert behind.withdrawn == set()
    assert export.usd["2026-11-10"] == Decimal("10.5")
    behind.put("bill.csv", csv_of(*USED[:5]))
    assert behind.read(DayRange(DAYS.first, date(2026, 11, 5))) == ""
    assert behind.withdrawn == {date(2026, 11, day) for day in range(6, 11)}
