"""A run of which nothing says the month covers the days from its first row to its last usage.

Histories at random, against a model of a few lines: whether the query selects the whole table,
billing months, or days, no charge is taken away that it merely leaves out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.sources.exports.notes import owed_days
from openai_costs_tests.sources.exports.files import Export, csv_of, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


FIRST: Final = date(2026, 10, 1)
ALL: Final = DayRange(FIRST, date(2026, 12, 31))
OCTOBER, NOVEMBER, DECEMBER = FIRST, date(2026, 11, 1), date(2026, 12, 1)
STEPS: Final = 6


class Cell(NamedTuple):
    """What a charge belongs to."""

    month: date
    day: date


def _last_month(today: date) -> date:
    return NOVEMBER if today.month == DECEMBER.month else OCTOBER


SELECTIONS: Final[dict[str, Callable[[Cell, date], bool]]] = {
    "table": lambda _cell, _today: True,
    "months": lambda cell, today: cell.month >= _last_month(today),
    "days_of_months": lambda cell, today: cell.day >= _last_month(today),
    "last_days": lambda cell, today: cell.day >= today - timedelta(days=20),
}
"""What a query takes of the bill: the running and the last month, by one day or the other."""


@dataclass
class Run:
    """What a query wrote at one time."""

    name: str
    charges: dict[Cell, Decimal]
    is_there: bool = True

    def covers(self, cell: Cell) -> bool:
        days = {one.day for one in self.charges}
        months = {one.month for one in self.charges}
        return cell.month in months and min(days) <= cell.day <= max(days)


@dataclass
class History:
    """A bill that changes, and the runs of a query of it."""

    export: Export
    random: Random
    selection: str
    bill: dict[Cell, Decimal] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)

    @property
    def today(self) -> date:
        return self.export.now.date()

    @property
    def right(self) -> dict[str, Decimal]:
        """The dollars of each day: of each charge, what the newest run that covers it says."""
        usd: dict[str, Decimal] = defaultdict(Decimal)
        for cell in {cell for run in self.runs for cell in run.charges}:
            newest = next(run for run in reversed(self.runs) if run.covers(cell))
            usd[str(cell.day)] += newest.charges.get(cell, Decimal(0))
        return {day: its for day, its in usd.items() if its}

    def charge(self, day: date) -> None:
        """Bill a day: some of it in its month, some of it late, and change what was billed."""
        self.bill[Cell(day.replace(day=1), day)] = self._usd()
        late = FIRST + timedelta(days=self.random.randrange((day - FIRST).days + 1))
        if self.random.random() < 0.3:
            self.bill[Cell(day.replace(day=1), late)] = self._usd()
        for cell in [*self.bill]:
            if self.random.random() < 0.02:
                del self.bill[cell]

    def write(self) -> None:
        """Write what the query takes of the bill now."""
        takes = SELECTIONS[self.selection]
        charges = {cell: usd for cell, usd in self.bill.items() if takes(cell, self.today)}
        run = Run(f"run={self.export.now:%Y%m%dT%H%M%SZ}/0.csv", charges)
        self.runs.append(run)
        self.put(run)

    def put(self, run: Run) -> None:
        """Put a run where it was."""
        rows = [
            row(str(cell.day), f"{usd}", BillingPeriodStart=f"{cell.month}T00:00:00Z")
            for cell, usd in run.charges.items()
        ]
        self.export.put(run.name, csv_of(*rows))
        run.is_there = True

    def go_on(self) -> None:
        """Let days pass: a run is written, and older ones are gone or back."""
        for _ in range(self.random.choice([1, 2, 5])):
            self.charge(self.today)
            self.export.now += ONE_DAY
        self.write()
        for run in self.runs[:-1]:
            if run.is_there and self.random.random() < 0.4:
                self.export.remove(run.name)
                run.is_there = False
            elif not run.is_there and self.random.random() < 0.1:
                self.put(run)

    def read(self) -> None:
        """Read the last days or all, and what is due then, as refreshes do."""
        first = FIRST if self.random.random() < 0.4 else self.today - timedelta(days=7)
        assert self.export.read(DayRange(first, self.today)) == ""
        while owed := owed_days(self.export.archive, self.export.connection):
            assert self.export.read(DayRange(owed[0], owed[-1])) == ""

    def _usd(self) -> Decimal:
        return Decimal(self.random.randint(100, 999)) / 100


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_charge_stays_until_a_run_that_covers_its_day_has_it_no_more(
    tmp_path: Path, seed: int, selection: str
):
    export = Export(tmp_path, kept_days=ALL, now=datetime(2026, 11, 20, 12, tzinfo=UTC))
    history = History(export, Random(seed), selection)  # noqa: S311 - the same each time
    for day in DayRange(FIRST, history.today - ONE_DAY):
        history.charge(day)
    history.write()
    assert export.read(DayRange(FIRST, history.today)) == ""
    for _ in range(STEPS):
        history.go_on()
        history.read()
        assert {day: usd for day, usd in export.usd.items() if usd} == history.right
