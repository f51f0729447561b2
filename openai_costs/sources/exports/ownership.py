"""Which run counts for which rows, so that no dollar counts twice and no day is lost. Pure.

Rows are owned by cell: billing account, sub-account, billing month and UTC day. A charge of October
that comes late is in the month of November and belongs to its day in October, so that one day may
have cells of several months. Of the runs of one export, the newer replaces the older wherever it
covers; of two exports, the newer counts for the cells that it holds. Which is newer only the vendor
says: where it does not, two runs that hold one cell are refused, with the names of both.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Final, NamedTuple

import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import FileRefused
from openai_costs.sources.exports.layout import months

CELL: Final = ("payer", "sub_payer", "month", "day")
"""What is owned as a whole; `month` is the first day of the billing month."""

ONE_OF_THEM: Final = (
    "Keep the manifest beside the files, or write each run into a folder with its instant, such as "
    "run=20261122T030000Z, or remove the older of the two."
)


class Cell(NamedTuple):
    """What is owned as a whole."""

    payer: str | None
    sub_payer: str | None
    month: date
    day: date


@dataclass(frozen=True)
class Run:
    """What an export wrote at one time.

    Args:
        export: The export that it belongs to.
        name: Its manifest, folder or file, for messages.
        files: Its files of rows.
        days: The days that it says it is about; None where it does not say.
        is_whole_months: Whether these are billing months, whatever days their charges are of.
        ran_at: When it ran; None where the vendor does not say.
        is_listed: Whether a manifest lists its files.
    """

    export: str
    name: str
    files: tuple[str, ...]
    days: DayRange | None = None
    is_whole_months: bool = False
    ran_at: datetime | None = None
    is_listed: bool = False


@dataclass(frozen=True)
class HeldRun:
    """A run with what it holds.

    Args:
        run: The run.
        held: A row for each cell that it holds any row of: `CELL`, account, file, `is_taken`,
            `is_usage`.
        read_on: The UTC day on which it was read.
    """

    run: Run
    held: pl.DataFrame = field(compare=False)
    read_on: date

    @cached_property
    def taken(self) -> set[tuple[object, ...]]:
        """The cells that it holds rows of which are taken."""
        return set(self.held.filter("is_taken").select(CELL).rows())

    @cached_property
    def accounts(self) -> set[tuple[object, ...]]:
        """The billing accounts and months that it has rows of."""
        return set(self.held.select("payer", "month").rows())

    @cached_property
    def _months(self) -> set[date]:
        """The billing months that it is about as a whole, or has rows of."""
        about = self.run.days if self.run.is_whole_months else None
        return set(months(about)) if about else set(self.held["month"])

    @cached_property
    def _written_on(self) -> date:
        """The last day on which it can have been written: later charges are of days to come."""
        return min(self.run.ran_at.date(), self.read_on) if self.run.ran_at else self.read_on

    @cached_property
    def used_until(self) -> date:
        """The last day until which its rows show that the export had come.

        Usage is billed when it has happened. A fee, a purchase or a tax may be dated to the end of
        a month that has begun: it counts only where a run has no usage at all.
        """
        usage = self.held.filter("is_usage")
        rows = self.held if usage.is_empty() else usage
        return max(rows["day"].filter(rows["day"] <= self._written_on), default=date.min)

    @cached_property
    def days(self) -> DayRange | None:
        """The days that it covers: those it is about as far as it ran, or those of its rows."""
        about = self.run.days
        first = about.first if about else min(self.held["day"], default=date.max)
        until = self._written_on if about and self.run.ran_at else self.used_until
        found = DayRange(first, min(about.last, until) if about else until)
        return found or None

    @cached_property
    def may_prove_until(self) -> date:
        """The last day that it may show to be complete, together with whatever other run."""
        about = self.run.days.last if self.run.days else date.min
        return max(max(self.held["day"], default=date.min), about)

    def days_until(self, latest: date) -> Iterable[date]:
        """Return the days that it covers, where another run has usage as late as some day.

        A run that says which days it is about, and not when it ran, had seen them by then. One that
        says neither had seen those of its rows, of whatever charge, where the usage goes on after
        them in another: the last charge of a month is often a tax.
        """
        about = self.run.days
        if about is not None and self.run.ran_at is None:
            return DayRange(about.first, min(about.last, latest))
        last = max(self.held["day"], default=date.max)
        if about is None and last < latest:
            return DayRange(min(self.held["day"]), last)
        return self.days or ()

    def months_of(self, day: date) -> Collection[date]:
        """Return the billing months in which it covers a day: a cell without rows is empty then."""
        is_inside = (days := self.days) is not None and days.first <= day <= days.last
        is_whole = self.run.is_whole_months and self.run.days is not None
        return self._months if is_whole or is_inside else ()


def newest_of_each_export(runs: Iterable[Run]) -> list[Run]:
    """Return the runs without those that a newer one of the same export replaces as a whole."""
    kept: list[Run] = []
    timed = [one for one in runs if one.ran_at is not None]
    untimed = [one for one in runs if one.ran_at is None]
    for one in sorted(timed, key=lambda run: (run.ran_at, run.name), reverse=True):
        if not any(_replaces(newer, one) for newer in kept):
            kept.append(one)
    return [*untimed, *reversed(kept)]


def _replaces(newer: Run, older: Run) -> bool:
    is_same = newer.export == older.export and newer.ran_at != older.ran_at
    if not is_same or newer.days is None or older.days is None:
        return False
    if not newer.is_whole_months:
        inside = newer.days.first <= older.days.first and older.days.last <= newer.days.last
        return inside and not older.is_whole_months
    return set(months(older.days)) <= set(months(newer.days))


class Owned(NamedTuple):
    """Which file counts for which cells.

    Args:
        cells: `CELL`, file: one row for each file of the run that owns the cell.
        empty: The days that runs cover and that no cell has rows of.
    """

    cells: pl.DataFrame
    empty: set[date]


def owned(runs: Sequence[HeldRun]) -> Owned:
    """Return which file counts for which cells.

    Raises:
        FileRefused: Two runs hold one cell, and the vendor does not say which is newer.
    """
    held = [one.held.with_columns(run=pl.lit(number)) for number, one in enumerate(runs)]
    if not held:
        return Owned(pl.DataFrame(schema=dict.fromkeys((*CELL, "file"), pl.String)), set())
    together = pl.concat(held)
    owner = {
        cell: _owner(runs, dict(its), cell) for cell, its in _by_cell(together) if any(its.values())
    }
    mine = pl.DataFrame(
        [(*cell, number) for cell, number in owner.items()],
        schema={name: together.schema[name] for name in (*CELL, "run")},
        orient="row",
    )
    cells = together.filter("is_taken").join(mine, on=[*CELL, "run"], how="semi", nulls_equal=True)
    latest = max(one.used_until for one in runs)
    covered = {day for one in runs for day in one.days_until(latest)} | set(together["day"])
    return Owned(cells.select(*CELL, "file"), covered - set(cells["day"]))


def _by_cell(together: pl.DataFrame) -> Iterator[tuple[Cell, Mapping[int, bool]]]:
    """Yield each cell with the runs that hold it, and whether they hold rows that are taken."""
    taken = together.group_by(*CELL, "run").agg(pl.col("is_taken").any())
    found: dict[Cell, dict[int, bool]] = {}
    for *cell, run, is_taken in taken.sort(*CELL, "run").iter_rows():
        found.setdefault(Cell(*cell), {})[run] = is_taken
    return iter(found.items())


def _owner(runs: Sequence[HeldRun], its: Mapping[int, bool], cell: Cell) -> int | None:
    """Return the run that a cell is owned by; None where a newer run of its export emptied it."""
    rivals = [n for n, is_taken in its.items() if is_taken and not _is_emptied(runs, n, its, cell)]
    ranked = sorted(rivals, key=lambda number: _ran(runs[number]))
    if len(ranked) > 1:
        newest, second, oldest = (runs[ranked[place]] for place in (-1, -2, 0))
        if oldest.run.ran_at is None:
            raise _doubt(newest, oldest, cell)
        if _ran(newest) == _ran(second):
            raise _doubt(newest, second, cell)
    return ranked[-1] if ranked else None


def _is_emptied(runs: Sequence[HeldRun], number: int, its: Mapping[int, bool], cell: Cell) -> bool:
    """Return whether a newer run of the same export covers a cell and holds nothing in it."""
    own = runs[number]
    return any(
        other.run.export == own.run.export
        and _ran(other) > _ran(own)
        and cell.month in other.months_of(cell.day)
        and not its.get(place, False)
        for place, other in enumerate(runs)
    )


def _ran(one: HeldRun) -> float:
    return one.run.ran_at.timestamp() if one.run.ran_at else float("-inf")


def _doubt(first: HeldRun, second: HeldRun, cell: Cell) -> FileRefused:
    names = " and ".join(sorted((first.run.name, second.run.name)))
    its = first.held.filter(pl.col("payer").eq_missing(pl.lit(cell.payer)))["account"]
    account = f" of billing account {its[0]}" if cell.payer else ""
    why = (
        f"both have charges{account} for {cell.day} in the billing month {cell.month:%Y-%m}, and "
        "nothing that the vendor wrote says which of the two runs is newer"
    )
    return FileRefused(names, why, ONE_OF_THEM)
