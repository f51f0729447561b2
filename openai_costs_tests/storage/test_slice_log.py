"""What is known of slices when a writer dies between its rows and the log, or others write too."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from upath import UPath

from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.delta_operations import compact
from openai_costs.storage.lake import Lake
from openai_costs.storage.slice_log import LOG, SliceLog
from openai_costs.storage.slices import Batch, Slice
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.storage.upkeep import EVERY
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs_tests.org import day
from openai_costs_tests.processes import started
from openai_costs_tests.storage.test_lake import A1, A2, B1, MORNING, NOON, held, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deltalake import DeltaTable

TABLE = "core/spend_by_user"
NOVEMBER = [date(2026, 11, 1) + timedelta(number) for number in range(28)]


class KilledError(BaseException):
    """The end of a process."""


def die(*_: object) -> None:
    """End the process here."""
    raise KilledError


@pytest.fixture
def home(tmp_path: Path) -> UPath:
    return UPath(tmp_path)


@pytest.fixture
def lake(home: UPath) -> Lake:
    return Lake(home)


def write_and_die(lake: Lake, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit rows, and die before the log has heard of it."""
    with monkeypatch.context() as patched:
        patched.setattr(SliceLog, "add", die)
        with pytest.raises(KilledError):
            lake.replace(SpendByUser, [batch])


def known(home: UPath) -> list[tuple[str, date, int, datetime]]:
    """The slices as a process sees them that starts now."""
    return Lake(home).slices(SpendByUser).rows()


def without_zone(instant: datetime) -> datetime:
    return instant.replace(tzinfo=None)


def test_the_rows_of_a_killed_writer_say_which_read_they_are_of(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (A2, "ada", "1"), replaces=(A1, A2))])
    newer = read((A1, "eve", "2"), (A1, "bo", "3"), replaces=(A1,), at=NOON)
    write_and_die(lake, newer, monkeypatch)
    assert known(home) == [
        ("acme", day(1), 2, without_zone(NOON)),
        ("acme", day(2), 1, without_zone(MORNING)),
    ]
    (batch,) = Lake(home).batches(SpendByUser, [day(1)])
    assert batch.frame["user_id"].to_list() == ["eve", "bo"]
    assert batch.read_at == {A1: NOON}


def test_a_slice_that_a_killed_writer_emptied_is_not_there_and_is_made_again(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (A2, "ada", "1"), replaces=(A1, A2))])
    write_and_die(lake, read(replaces=(A1,), at=NOON), monkeypatch)
    assert known(home) == [("acme", day(2), 1, without_zone(MORNING))]
    Lake(home).replace(SpendByUser, [read(replaces=(A1,), at=NOON)])
    assert known(home)[0] == ("acme", day(1), 0, without_zone(NOON))


def test_a_day_without_rows_stays_known_whatever_a_later_writer_forgets(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(SpendByUser, [read(replaces=(A1,))])
    write_and_die(lake, read((B1, "bo", "1"), replaces=(B1,)), monkeypatch)
    assert [row[:3] for row in known(home)] == [("acme", day(1), 0), ("bolt", day(1), 1)]


def test_no_data_file_is_opened_to_know_the_slices(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1, A2)) for _ in range(3)])

    def refuse(*_: object) -> None:
        raise AssertionError("a data file was opened")

    monkeypatch.setattr("openai_costs.storage.stored_slices.scan", refuse)
    assert [row[:3] for row in known(home)] == [("acme", day(1), 1), ("acme", day(2), 0)]


def test_a_table_that_was_removed_has_no_slices_until_it_is_made_again(
    lake: Lake, home: UPath, tmp_path: Path
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1, A2)) for _ in range(4)])
    (tmp_path / "lake" / TABLE).rename(tmp_path / "elsewhere")
    assert known(home) == []
    assert lake.slices(SpendByUser).is_empty()
    lake.replace(SpendByUser, [read((B1, "bo", "1"), replaces=(B1,))])
    assert [row[:3] for row in known(home)] == [("bolt", day(1), 1)]
    assert lake.slices(SpendByUser).height == 1


def test_upkeep_keeps_every_row_and_every_slice_in_few_files(lake: Lake, home: UPath) -> None:
    for number, when in enumerate(NOVEMBER):
        key = Slice("acme", when)
        lines = [(key, "ada", "1")] if number % 5 else []
        lake.replace(SpendByUser, [read(*lines, replaces=(key,))])
    expected = [("acme", when, min(number % 5, 1)) for number, when in enumerate(NOVEMBER)]
    assert [row[:3] for row in known(home)] == expected
    assert len(held(lake)) == 22
    tables = DeltaTables(home / "lake")
    assert len(tables.live_files(TABLE)) < EVERY // 2
    assert len(tables.live_files(LOG)) < EVERY // 2


@pytest.mark.parametrize(
    "compacts",
    [
        lambda table: compact(table, {"connection": "acme", "month": "2026-11"}),
        lambda table: table.optimize.compact(),
    ],
    ids=["our own", "that of another program"],
)
def test_a_compaction_does_not_make_the_log_incomplete(
    lake: Lake,
    home: UPath,
    monkeypatch: pytest.MonkeyPatch,
    compacts: Callable[[DeltaTable], object],
) -> None:
    for when in NOVEMBER[:10]:
        key = Slice("acme", when)
        lake.replace(SpendByUser, [read((key, "ada", "1"), replaces=(key,))])
    tables = DeltaTables(home / "lake")
    compacts(tables.get(TABLE))
    assert len(tables.live_files(TABLE)) == 1
    monkeypatch.setattr("openai_costs.storage.stored_slices.scan", None)
    assert len(known(home)) == 10


@pytest.mark.parametrize("is_complete", [True, False], ids=["complete", "with a killed writer"])
def test_a_fold_that_others_overtake_knows_what_they_wrote(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch, *, is_complete: bool
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))])
    if not is_complete:
        write_and_die(lake, read((A1, "ada", "2"), replaces=(A1,)), monkeypatch)
    slow = StoredSlices(DeltaTables(home / "lake"))
    slices = StoredSlices._slices  # noqa: SLF001 - the moment between reading and folding
    others = [
        lambda: StoredSlices(DeltaTables(home / "lake")).fold(TABLE),
        lambda: lake.replace(SpendByUser, [read((B1, "bo", "1"), replaces=(B1, A2), at=NOON)]),
    ]

    def overtaken(
        self: StoredSlices, name: str, data: object, entries: pl.DataFrame
    ) -> pl.DataFrame:
        found = slices(self, name, data, entries)  # type: ignore[arg-type]
        if self is slow and others:
            others.pop()()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(StoredSlices, "_slices", overtaken)
        slow.fold(TABLE)
    assert not others
    monkeypatch.setattr("openai_costs.storage.stored_slices.scan", None)
    assert [row[:3] for row in known(home)] == [
        ("acme", day(1), 1),
        ("acme", day(2), 0),
        ("bolt", day(1), 1),
    ]


def write_days(home: str, number: int, numbers: list[int]) -> None:
    """One process of its own: replace some days, a commit each."""
    lake, at = Lake(UPath(home)), MORNING + timedelta(hours=number)
    for when in (NOVEMBER[one] for one in numbers):
        key = Slice("acme", when)
        lines = [(key, f"user{one}", str(number)) for one in range(5)]
        done = lake.replace(SpendByUser, [read(*lines, replaces=(key,), at=at)])
        assert done.rows == {key: 5}


@pytest.mark.parametrize("is_the_same", [True, False], ids=["the same days", "different days"])
def test_four_processes_that_replace_slices_of_one_month_at_once_lose_nothing(
    home: UPath, *, is_the_same: bool
) -> None:
    processes = []
    for number in range(4):
        days = list(range(7)) if is_the_same else list(range(7 * number, 7 * number + 7))
        processes.append(started(write_days, str(home), number, days))
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    rows = Lake(home).read(SpendByUser).group_by("day").agg(pl.len(), pl.col("billed_usd").unique())
    assert sorted(rows["day"]) == NOVEMBER[: 7 if is_the_same else 28]
    assert set(rows["len"]) == {5}
    assert set(rows["billed_usd"].list.len()) == {1}
    of_rows = {when: int(usd[0]) for when, _, usd in rows.iter_rows()}
    of_log = {when: at.hour - MORNING.hour for _, when, _, at in known(home)}
    assert of_log == of_rows


def test_the_log_of_changes_names_no_person_and_no_amount(lake: Lake, tmp_path: Path) -> None:
    for _ in range(EVERY + 1):
        lines = [(A1, "user-ada@acme.example", "1234.5678")]
        lake.replace(SpendByUser, [read(*lines, replaces=(A1,))])
    logs = [file for file in (tmp_path / "lake").rglob("_delta_log/*") if file.is_file()]
    assert any(file.name.endswith(".checkpoint.parquet") for file in logs)
    for file in logs:
        assert b"user-ada" not in file.read_bytes(), file
        assert b"1234.5" not in file.read_bytes(), file
    assert Decimal("1234.5678") in lake.read(SpendByUser)["billed_usd"].to_list()
    assert MORNING.tzinfo is UTC


def test_the_slices_of_a_writer_that_was_killed_at_the_very_first_write_can_be_removed(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_and_die(lake, read((A1, "ada", "1"), (B1, "bo", "1"), replaces=(A1, B1)), monkeypatch)
    Lake(home).remove_slices("connection = 'acme'")
    assert [row[:3] for row in known(home)] == [("bolt", day(1), 1)]


def test_upkeep_that_fails_does_not_fail_the_write(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageFailed(home, "the disk is slow")

    monkeypatch.setattr(StoredSlices, "fold", fail)
    for _ in range(EVERY + 1):
        assert not lake.replace(SpendByUser, [read((A1, "ada", "1"), replaces=(A1,))]).refused
    assert [row[:3] for row in known(home)] == [("acme", day(1), 1)]


@pytest.mark.parametrize("is_killed", [False, True])
def test_removed_slices_leave_the_others_as_old_as_they_were_also_where_the_process_is_killed(
    lake: Lake, home: UPath, monkeypatch: pytest.MonkeyPatch, *, is_killed: bool
) -> None:
    lake.replace(SpendByUser, [read((A1, "ada", "1"), (B1, "bo", "2"), replaces=(A1, B1))])
    lake.replace(SpendByUser, [read((A2, "ada", "2"), replaces=(A2,))])
    before = Lake(home).written(SpendByUser)
    with monkeypatch.context() as patched:
        if is_killed:
            patched.setattr(SliceLog, "forget", die)
        with pytest.raises(KilledError) if is_killed else nullcontext():
            lake.remove_slices(f"connection = 'acme' AND day = '{A1.day}'")
    after = Lake(home).written(SpendByUser)
    assert after.version > before.version
    left = before.slices.filter(~((pl.col("connection") == "acme") & (pl.col("day") == A1.day)))
    assert after.slices.equals(left)
    assert left["version"].n_unique() > 1
